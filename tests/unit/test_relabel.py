"""What was read under a wrong label: what moves, what follows it, and what stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.processors.decision import Effect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.relabel import (
    NAME_CHARACTERS_MAX,
    RELABEL,
    Copy,
    Landed,
    copy,
    read_set_elsewhere,
)
from tests import qc_facts as facts
from tests.fakes import FakeClock, FakeStore
from tests.partition import MOMENT, Partition
from tests.qc_facts import RUN, SAMPLE
from tests.spec import Spec, heard
from tests.wishes import attempt

given = Spec(RELABEL).given
OTHER = "S2"


def relabelled(*names: str, true: str = OTHER, **fields: Any) -> SampleRelabelled:
    """A person says that these read sets are another sample's."""
    known: dict[str, Any] = {
        "sample_id": SAMPLE, "true_sample_id": true, "read_set_ids": names or ("A",),
        "request_id": "r1", "role": "lead", "reason": "tubes were swapped",
    }  # fmt: skip
    return heard(SampleRelabelled(**known | fields))


def landed(read_set: str = "A", role: str = "R1", version: str = "1", **fields: Any) -> FileLanded:
    """A file of a read set."""
    known: dict[str, Any] = {
        **facts.place(read_set, role, version), "etag": "e", "last_modified_at": MOMENT,
        "sample_id": SAMPLE, "read_set_id": read_set, "role": role, "lane": 1,
    }  # fmt: skip
    return FileLanded(**known | fields)


def invalidated(said: SampleRelabelled, name: str = "A", **fields: Any) -> ReadSetInvalidated:
    """What is said of it on the old label."""
    known: dict[str, Any] = {
        "sample_id": said.sample_id, "read_set_id": name, "reason_code": "relabelled",
        "reason": said.reason, "moved_to_sample_id": said.true_sample_id,
        "replaced_by_read_set_id": read_set_elsewhere(name, said.envelope.event_id),
    }  # fmt: skip
    return ReadSetInvalidated(**known | fields)


def moved(said: SampleRelabelled, name: str = "A", **fields: Any) -> ReadSetRegistered:
    """What is said of it at the true sample."""
    known: dict[str, Any] = {
        "sample_id": said.true_sample_id, "replaces_read_set_id": name,
        "read_set_id": read_set_elsewhere(name, said.envelope.event_id),
    }  # fmt: skip
    return facts.registered(name, **known | fields)


def copies(said: SampleRelabelled, file: FileLanded, **known: Any) -> Effect:
    """The copy of a file that is asked for."""
    assert file.read_set_id is not None
    wanted: dict[str, Any] = {
        "md5": file.declared_md5, "sha256": file.declared_sha256,
        **{name: getattr(file, name) for name in Landed.model_fields if hasattr(file, name)},
    }  # fmt: skip
    name = read_set_elsewhere(file.read_set_id, said.envelope.event_id)
    arguments = Copy(file=Landed(**wanted | known), sample_id=OTHER, read_set_id=name)
    return Effect("copy", arguments, lane=arguments.file.name)


def test_a_read_set_is_invalidated_registered_anew_and_its_files_are_copied() -> None:
    said = relabelled()
    first, second = landed(), landed(role="R2")
    known = (facts.registered(), first, second, facts.validated())
    sums = {"md5": "0" * 32, "sha256": facts.sha("AR11")}  # those that validation computed
    then = given(*known).when(said)
    then.then(invalidated(said), moved(said))
    then.then_effects(copies(said, first, **sums), copies(said, second))
    given(*known, said).when(said).then_nothing()
    again = relabelled(request_id="r2")  # another person found the same
    given(*known, said).when(again).then_nothing()


def test_what_is_not_known_or_counts_no_more_stays() -> None:
    given(facts.registered("B")).when(relabelled("A")).then_nothing()
    given(facts.registered(), facts.invalidated()).when(relabelled()).then_nothing()
    given(facts.registered()).when(relabelled(true=SAMPLE)).then_nothing()


def test_of_several_versions_the_newest_that_was_not_rejected_is_copied() -> None:
    said = relabelled()
    first, second = landed(), landed(version="2")
    before = (facts.registered(), first, second)
    given(*before).when(said).then_effects(copies(said, second))
    given(*before, facts.rejected(version="2")).when(said).then_effects(copies(said, first))
    both = (facts.rejected(), facts.rejected(version="2"))
    given(*before, *both).when(said).then_effects(copies(said, second, is_rejected=True))


def test_read_sets_that_move_together_are_waited_for_together() -> None:
    said = relabelled("A", "B", "A")
    run = {"instrument_run_id": RUN, "demultiplex_attempt": 1}
    known = tuple(facts.registered(name, of_sample=3, **run) for name in ("A", "B", "C"))
    given(*known).when(said).then(
        invalidated(said, "A", instrument_run_id=RUN),
        invalidated(said, "B", instrument_run_id=RUN),
        moved(said, "A", of_sample=2, **run),
        moved(said, "B", of_sample=2, **run),
    )


def test_a_file_that_comes_late_to_the_wrong_label_follows() -> None:
    said, late = relabelled(), heard(landed(role="R2"))
    before = (facts.registered(), landed(), said)
    given(*before).when(late).then().then_effects(copies(said, late))
    given(*before, late).when(late).then_nothing()
    given(*before).when(landed("B")).then_nothing()
    given(*before).when(landed(read_set_id=None)).then_nothing()


def test_reads_that_are_taken_back_count_nowhere() -> None:
    """As when an amended sheet has the run read anew: else the same reads would count twice."""
    said = relabelled()
    amended = facts.invalidated().model_copy(update={"reason_code": "sheet amended"})
    void = ReadSetInvalidated(
        sample_id=OTHER, read_set_id=read_set_elsewhere("A", said.envelope.event_id),
        reason_code="sheet amended", reason="it was spilt",
    )  # fmt: skip
    given(facts.registered(), said).when(amended).then(void)
    given(facts.registered()).when(amended).then_nothing()


def test_the_verdict_on_the_run_is_handed_on_early_or_late_and_ends() -> None:
    told = facts.registered(instrument_run_id=RUN)
    good, late = heard(facts.run_passed()), heard(facts.run_failed(number=2))
    there = relabelled()
    back = heard(
        SampleRelabelled(**dict(there) | {
            "sample_id": OTHER, "true_sample_id": SAMPLE,
            "read_set_ids": (read_set_elsewhere("A", there.envelope.event_id),),
        })
    )  # fmt: skip
    lab = Partition(RELABEL)
    lab.put(*(heard(one) if not one.has_envelope else one for one in (told, good, there)))
    assert verdicts(lab.work()) == [("SequencingRunQcPassed", OTHER, 1)]
    lab.put(back)  # it was the right label after all
    assert verdicts(lab.work()) == [("SequencingRunQcPassed", SAMPLE, 1)]
    lab.put(late)
    # Each label tells the other once, and neither has news for the other after that.
    assert verdicts(lab.work()) == [
        ("SequencingRunQcFailed", OTHER, 2), ("SequencingRunQcFailed", SAMPLE, 2),
    ]  # fmt: skip


def verdicts(said: list[Event]) -> list[tuple[str, str, int]]:
    """The verdicts on runs among these facts: which, to whom, of which round."""
    found = [(one.type(), one.key, one.payload()) for one in said]
    return [(kind, key, one["round"]) for kind, key, one in found if "RunQc" in kind]


def test_a_swap_moves_what_was_there_and_nothing_that_comes() -> None:
    """Whatever the order in which both are worked off, and with both delivered twice."""
    mine, others = facts.registered("A"), facts.registered("B", sample_id=OTHER)
    there = relabelled("A")
    back = relabelled("B", sample_id=OTHER, true=SAMPLE)
    for first, second in ((there, back), (back, there)):
        lab = Partition(RELABEL)
        lab.put(heard(mine), heard(others), first, second, first, second)
        said = [(one.type(), one.key, one.payload()["read_set_id"]) for one in lab.work()]
        assert sorted(said) == sorted([
            ("ReadSetInvalidated", SAMPLE, "A"), ("ReadSetInvalidated", OTHER, "B"),
            ("ReadSetRegistered", OTHER, read_set_elsewhere("A", there.envelope.event_id)),
            ("ReadSetRegistered", SAMPLE, read_set_elsewhere("B", back.envelope.event_id)),
        ])  # fmt: skip


def test_a_read_set_has_another_id_each_time_and_never_too_long_a_one() -> None:
    first, second = UUID(int=1), UUID(int=2)
    long = "x" * 100
    assert read_set_elsewhere("A", first) == read_set_elsewhere("A", first)
    names = {read_set_elsewhere(name, by) for name in ("A", "B", long, long + "y")
             for by in (first, second)}  # fmt: skip
    assert len(names) == 8
    assert max(map(len, names)) <= 100


# -- the copy


def arguments(store: FakeStore, body: bytes = b"reads", **fields: Any) -> Copy:
    """A file in the store, to be copied."""
    head = store.keep("raw", "run 7/ä.fastq.gz", body, {"gf-sample": SAMPLE})
    known: dict[str, Any] = {
        "read_set_id": "A", "role": "R1", "lane": 1, "instrument_run_id": RUN, "bucket": "raw",
        "object_key": head.key, "version_id": head.version_id, "size_bytes": head.size_bytes,
        "md5": None, "sha256": facts.sha("AR11"),
    }  # fmt: skip
    return Copy(file=Landed(**known | fields), sample_id=OTHER, read_set_id="A.1")


async def test_a_copy_names_the_true_sample_and_has_landed() -> None:
    store = FakeStore()
    [said] = await copy(arguments(store), attempt(store=store))
    assert isinstance(said, FileLanded)
    assert said.object_key == f"relabelled/A.1/{UUID(int=1)}/ä.fastq.gz"
    assert (said.sample_id, said.read_set_id, said.role, said.lane) == (OTHER, "A.1", "R1", 1)
    assert (said.instrument_run_id, said.declared_sha256) == (RUN, facts.sha("AR11"))
    assert (said.key, said.declared_md5) == (OTHER, None)
    assert await store.get("raw", said.object_key) == b"reads"


async def test_a_copy_is_looked_up_before_it_is_made() -> None:
    answers = iter([Retry("the answer was lost")])

    def lost(operation: str) -> None:
        if operation == "store.copy done" and (error := next(answers, None)):
            raise error

    store = FakeStore(fault=lost)
    wanted = arguments(store)
    with pytest.raises(Retry):
        await copy(wanted, attempt(store=store))
    [said] = await copy(wanted, attempt(store=store))
    assert isinstance(said, FileLanded)
    assert len(store.versions["raw", said.object_key]) == 1
    other = Attempt(UUID(int=2), 1, Ports(FakeClock(), store=store), lambda *_: None)
    [later] = await copy(wanted, other)
    assert isinstance(later, FileLanded)
    assert later.object_key != said.object_key


async def test_what_cannot_be_copied_says_why() -> None:
    store = FakeStore()
    with pytest.raises(Parked, match="has no object store"):
        await copy(arguments(store), attempt())
    with pytest.raises(Parked, match="landed with 9 bytes, and its copy has 5"):
        await copy(arguments(store, size_bytes=9), attempt(store=store))
    gone = arguments(FakeStore(), version_id="v9")
    with pytest.raises(Parked, match="there is no such version"):
        await copy(gone, attempt(store=FakeStore()))


async def test_a_long_name_is_cut() -> None:
    store = FakeStore()
    head = store.keep("raw", "ß" * 500, b"reads", {})
    [said] = await copy(arguments(store, object_key=head.key), attempt(store=store))
    assert isinstance(said, FileLanded)
    assert said.object_key.endswith("/" + "ß" * NAME_CHARACTERS_MAX)
