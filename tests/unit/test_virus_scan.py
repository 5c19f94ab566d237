"""Files are scanned before they are read, and what is in quarantine is read by nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.validated import Validated
from genoflow.processors.adapters.clamd import Clamd
from genoflow.processors.decision import Effect
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import ByteAttempt, Scanner
from genoflow.processors.processor import Processor
from genoflow.processors.scan_files import SCAN_FILES, Scan, scan
from genoflow.processors.validate_files import VALIDATE_FILES, File, Read, validate
from genoflow.projections import file_state
from genoflow.projections.asking import file as asking
from tests import qc_facts as facts
from tests.clamd_server import EICAR, VERSION, clamd
from tests.fakes import FakeStore
from tests.partition import MOMENT, Partition
from tests.reads import bgzf, fastq
from tests.spec import Spec, heard

BODY = bgzf(fastq(30))
PLACE = facts.place("A", "R1")
NAME = f"{PLACE['bucket']}/{PLACE['object_key']}@{PLACE['version_id']}"
MIB = 1024**2
scanning, reading = Spec(SCAN_FILES).given, Spec(VALIDATE_FILES).given


def landed(role: str = "R1") -> FileLanded:
    return FileLanded(
        **facts.place("A", role), etag="e", last_modified_at=MOMENT, sample_id=facts.SAMPLE,
        read_set_id="A", role=role, lane=1,
    )  # fmt: skip


ASKED = ScanRequested(sample_id=facts.SAMPLE, read_set_id="A", **PLACE, etag="e")
OF_FILE = {
    "subject_topic": topics.SAMPLE.name, "subject_key": facts.SAMPLE,
    **{name: PLACE[name] for name in ("bucket", "object_key", "version_id")}, "scanner": "clamd",
}  # fmt: skip
CLEARED = FileCleared(**OF_FILE)
RELABELLED = SampleRelabelled(
    sample_id=facts.SAMPLE, true_sample_id="S2", read_set_ids=("A",), request_id="r1", role="lead",
    reason="tubes were swapped",
)  # fmt: skip
QUARANTINED = FileQuarantined(**OF_FILE, threats=("Eicar",), reason="found")


def to_scan() -> Effect:
    fields = {name: getattr(ASKED, name) for name in Scan.model_fields}
    return Effect("scan", Scan(**fields), lane=NAME)


def to_read(*, is_cleared: bool, attempt: int = 1) -> Effect:
    file = File(**{name: getattr(landed(), name) for name in File.model_fields})
    arguments = Read(
        sample_id=facts.SAMPLE, file=file, lane=1, reads=None, references=(), attempt=attempt,
        is_cleared=is_cleared,
    )  # fmt: skip
    return Effect("validate", arguments, lane=NAME)


# -- the order of things


def test_a_file_is_scanned_once_unless_its_verdict_came_by_itself() -> None:
    scanning().when(ASKED).then().then_effects(to_scan())
    for before in (ASKED, CLEARED, QUARANTINED):
        scanning(before).when(ASKED).then_nothing()


def test_a_cleared_file_is_read_once_whichever_came_first() -> None:
    first, asked, cleared = heard(landed()), heard(ASKED), heard(CLEARED)
    reading(first).performed(ASKED).when(cleared).then_effects(to_read(is_cleared=True))
    reading(first, cleared).when(asked).then_effects(to_read(is_cleared=True))
    reading(cleared).when(first).then_effects(to_read(is_cleared=True))
    reading(first).when(cleared).then_nothing()
    reading(first).performed(ASKED).when(asked).then_nothing()
    again = FileCleared(**OF_FILE | {"scanner": "guardduty"})
    reading(first, asked, cleared).when(again).then_nothing()


@pytest.mark.parametrize("before", [(ASKED,), (CLEARED,), ()])
def test_a_file_in_quarantine_is_not_read_whatever_follows(before: Sequence[Event]) -> None:
    for event in (landed(), ASKED, CLEARED, FileCleared(**OF_FILE | {"scanner": "guardduty"})):
        reading(landed(), *before, QUARANTINED).when(event).then_nothing()
    reading(QUARANTINED).when(landed()).then_nothing()
    other = landed("R2")
    then = reading(landed(), QUARANTINED).when(other)
    assert [effect.name for effect in then._opened] == ["validate"]


@pytest.mark.parametrize(
    "row",
    [row for row in PROCESSORS.values() if row.reads is topics.SAMPLE],
    ids=lambda row: row.name,
)
@pytest.mark.parametrize("late", [False, True], ids=["before its verdict", "after its verdict"])
def test_no_row_of_the_flow_does_or_says_anything_with_a_file_in_quarantine(
    row: Processor, late: bool
) -> None:
    """Whatever is heard of it afterwards: that it landed, is valid, or belongs to another."""
    known = {*row.on, *row.folds}
    validated = facts.validated()
    before = [facts.joined(), facts.registered(), landed(), landed("R2"), *facts.both()[1:]]
    after = [landed(), ASKED, CLEARED, validated, facts.both()[1], facts.registered(), RELABELLED]
    if late:  # a second look at signatures of today: it was valid before
        before += [validated]
    partition = Partition(row)
    partition.put(*(heard(one) for one in (*before, QUARANTINED) if type(one) in known))
    partition.work()
    opened_before = {effect.effect_id for effect in partition.open_effects}
    said_before = len(partition.said)
    partition.put(*(heard(one) for one in after if type(one) in known))
    partition.work()
    opened = [one for one in partition.open_effects if one.effect_id not in opened_before]
    told = [event.payload() for event in partition.said[said_before:]]
    named = json.dumps([*(effect.arguments for effect in opened), *told], default=str)
    assert PLACE["object_key"] not in named


def test_a_row_that_asks_about_reads_leaves_out_what_is_in_quarantine() -> None:
    row = PROCESSORS["check-qc"]
    whole = [facts.joined(), facts.registered(), *facts.both()]
    partition = Partition(row)
    partition.put(*(heard(one) for one in whole))
    partition.work()
    assert [one.name for one in partition.open_effects] == ["choose-profile"], "it would be asked"
    partition = Partition(row)
    partition.put(*(heard(one) for one in (QUARANTINED, *whole)))
    partition.work()
    assert partition.open_effects == []


# -- the effects, on bytes


def attempt(store: FakeStore, scanner: Scanner | None) -> ByteAttempt:
    return ByteAttempt(UUID(int=1), 1, store, lambda *_: None, scanner=scanner)


def kept(body: bytes) -> FakeStore:
    store = FakeStore()
    store.keep(PLACE["bucket"], PLACE["object_key"], body, {})
    return store


def scanned(body: bytes, scanner: Scanner | None) -> Event:
    arguments = to_scan().arguments.model_copy(update={"version_id": "v1"})
    assert isinstance(arguments, Scan)
    [said] = scan(arguments, attempt(kept(body), scanner))
    return said


def test_validation_asks_for_a_scan_and_reads_only_what_is_cleared() -> None:
    store = FakeStore(fault=lambda _: pytest.fail("it was read"))
    with clamd() as server:
        scanner = Clamd(server.address, 10 * MIB)
        arguments: Any = to_read(is_cleared=False).arguments
        [asked] = validate(arguments, attempt(store, scanner))
        assert asked == ASKED
        version = {"file": arguments.file.model_copy(update={"version_id": "v1"})}
        cleared = arguments.model_copy(update={"is_cleared": True, **version})
        [said] = validate(cleared, attempt(kept(BODY), scanner))
        assert not server.streams, "whoever reads scans nothing"
    assert said.type() in ("Validated", "FileRejected")
    [unscanned] = validate(arguments.model_copy(update=version), attempt(kept(BODY), None))
    assert unscanned.type() == said.type()


def test_a_clean_file_is_cleared_and_an_infected_one_quarantined(tmp_path: Path) -> None:
    with clamd(path=tmp_path / "clamd.sock") as server:
        said = scanned(BODY, Clamd(server.address, 10 * MIB))
        assert isinstance(said, FileCleared)
        assert (said.scanner, said.scanner_version) == ("clamd", VERSION)
        assert (said.size_bytes, said.streams) == (len(BODY), 1)
        assert server.streams == [len(BODY)]
        found = scanned(BODY + EICAR, Clamd(server.address, 10 * MIB))
        assert isinstance(found, FileQuarantined)
        assert found.threats == ("Eicar-Test",)
        assert "clamd found Eicar-Test in it; nobody reads it any more" in found.reason
        assert isinstance(scanned(b"", Clamd(server.address, 10 * MIB)), FileCleared)


@pytest.mark.parametrize("at", [0, MIB - 30, MIB, 2 * MIB - 34, 3 * MIB + 77, 5 * MIB - 68])
def test_what_lies_across_two_streams_is_found_and_none_is_too_long(at: int) -> None:
    body = bytearray(5 * MIB)
    body[at : at + len(EICAR)] = EICAR
    with clamd(stream_bytes_max=MIB) as server:
        assert isinstance(scanned(bytes(body), Clamd(server.address, MIB)), FileQuarantined)
        clean = scanned(bytes(5 * MIB), Clamd(server.address, MIB))
    assert isinstance(clean, FileCleared)
    assert clean.size_bytes == 5 * MIB
    assert max(server.streams) <= MIB


def test_a_scan_that_cannot_be_done_is_never_clean() -> None:
    with clamd(stream_bytes_max=MIB) as server:
        with pytest.raises(Parked, match="lower GENOFLOW_SCAN_STREAM_BYTES"):
            scanned(bytes(9 * MIB), Clamd(server.address, 8 * MIB))
        server.fault = "stream: Can't allocate memory ERROR"
        with pytest.raises(Retry, match="Can't allocate memory"):
            scanned(BODY, Clamd(server.address, MIB))
        server.fault = "stream: what no clamd says"
        with pytest.raises(Retry):
            scanned(BODY, Clamd(server.address, MIB))
    with pytest.raises(Retry, match=r"clamd at 127.*see that it runs"):
        scanned(BODY, Clamd(server.address, MIB))
    with pytest.raises(Parked, match="this worker has no scanner"):
        scanned(BODY, None)


# -- what people see


def test_why_says_that_a_file_waits_for_its_scan_and_that_it_is_in_quarantine() -> None:
    files: asking.Files = {}

    def why(*events: Event) -> str:
        for event in events:
            name = asking.take(files, topics.SAMPLE, heard(event))
        return asking.why(files[name]).says

    assert why(landed(), ASKED) == "waits for the verdict of a virus scan"
    assert why(CLEARED) == "waits to be validated"
    assert why(QUARANTINED) == "is in quarantine: clamd found Eicar in it"
    assert why(facts.validated()) == "is in quarantine: clamd found Eicar in it"
    [file] = files.values()
    assert (file.row.state, file.row.is_cleared, file.is_refused) == ("quarantined", False, True)
    assert file.row.state in file_state.REFUSED
    assert Validated in asking.TAKES
