"""Where files belong that somebody sends, given what the log says of their sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.send_reads import Delivery, Sent, delivery, sent
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.file_rejected import FileRejected
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.processors.intake.landing import landed
from genoflow.processors.ports import ObjectHead
from genoflow.projections.asking.sample import Sample, sample_of
from tests.asked import READ_SET, joined, read_set, registered, rejected, told
from tests.asked import landed as file_landed
from tests.partition import MOMENT


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A directory for the files of another lab."""
    return tmp_path


def made(lab: Path, role: str, content: str) -> Sent:
    path = lab / f"{role}-{content}"
    path.write_text(content)
    return sent(role, path)


def known(*events: Event) -> Sample:
    return sample_of("S7", told(*events))


def done(found: Delivery) -> list[Event]:
    """What stands on the log after a delivery was stored."""
    heads = [
        ObjectHead("raw", one.object_key, "v1", one.file.size_bytes, "e", MOMENT, one.metadata)
        for one in found.uploads
    ]
    return [*found.registers, *map(landed, heads)]


def faulty(events: Sequence[Event], role: str, code: str = "truncated") -> FileRejected:
    """The rejection of the newest file of a role."""
    file: Any = [event for event in events if getattr(event, "role", None) == role][-1]
    place = {name: getattr(file, name) for name in ("bucket", "object_key", "version_id")}
    return FileRejected(
        sample_id="S7", read_set_id=file.read_set_id, role=role, **place, size_bytes=9,
        reason_code=code, reason="it ends inside a block", engine="simple", engine_version="1",
    )  # fmt: skip


def roles(found: Delivery) -> list[str]:
    return [one.file.role for one in found.uploads]


def test_files_of_an_unknown_sample_register_both_and_land_by_their_metadata(lab: Path) -> None:
    found = delivery(known(), [made(lab, "R1", "one"), made(lab, "R2", "two")])
    sample, read_set_, first, second = done(found)
    assert (sample.type(), sample.payload()["registered_by"]) == ("SampleRegistered", "upload")
    assert isinstance(read_set_, ReadSetRegistered)
    assert (read_set_.material, read_set_.read_sets_of_sample) == ("FASTQ", 1)
    assert [one.role for one in read_set_.expected_files] == ["R1", "R2"]
    assert {first.key, second.key} == {"S7"}
    assert {one.payload()["read_set_id"] for one in (first, second)} == {found.read_set_id}
    assert first.payload()["declared_sha256"] == made(lab, "R1", "one").sha256


def test_files_carry_the_run_that_is_named(lab: Path) -> None:
    files = [made(lab, "R1", "one")]
    named = delivery(known(), files, instrument_run_id="RUN1")
    assert [one.metadata["gf-run"] for one in named.uploads] == ["RUN1"]
    assert "gf-run" not in delivery(known(), files).uploads[0].metadata


def test_the_same_files_again_are_one_fact_in_every_state(lab: Path) -> None:
    files = [made(lab, "R1", "one"), made(lab, "R2", "two")]
    story = done(delivery(known(), files))
    for later in ([], [faulty(story, "R2")], [joined()]):
        again = delivery(known(*story, *later), files)
        assert (again.registers, again.uploads, len(again.here)) == ((), (), 2)


def test_what_was_interrupted_goes_on(lab: Path) -> None:
    files = [made(lab, "R1", "one"), made(lab, "R2", "two")]
    whole = done(delivery(known(), files))
    again = delivery(known(*whole[:3]), files)
    assert (again.registers, roles(again)) == ((), ["R2"])
    assert again.uploads[0].object_key == delivery(known(), files).uploads[1].object_key


@pytest.mark.parametrize("with_first", [True, False])
def test_a_rejected_file_is_replaced_in_its_read_set(lab: Path, with_first: bool) -> None:
    first = made(lab, "R1", "one")
    story = done(delivery(known(), [first, made(lab, "R2", "cut")]))
    files = [*([first] if with_first else []), made(lab, "R2", "whole")]
    again = delivery(known(*story, faulty(story, "R2")), files)
    assert (again.registers, roles(again)) == ((), ["R2"])
    assert again.read_set_id == story[1].payload()["read_set_id"]
    assert again.uploads[0].replaces is not None
    story += [faulty(story, "R2"), *done(again)]
    assert not delivery(known(*story), [first, made(lab, "R2", "whole")]).uploads


def test_what_the_store_lost_may_be_sent_again_unchanged_under_another_key(lab: Path) -> None:
    file = made(lab, "BAM", "one")
    story = done(delivery(known(), [file]))
    again = delivery(known(*story, faulty(story, "BAM", "gone")), [file])
    assert again.uploads[0].object_key != story[-1].payload()["object_key"]


def test_more_material_is_a_read_set_of_its_own(lab: Path) -> None:
    story = done(delivery(known(registered()), [made(lab, "R1", "one")]))
    assert [event.type() for event in story] == ["ReadSetRegistered", "FileLanded"]
    more = delivery(known(registered(), *story), [made(lab, "R1", "other")])
    assert more.read_set_id != story[0].payload()["read_set_id"]


def test_what_is_good_is_not_replaced_unasked(lab: Path) -> None:
    story = done(delivery(known(), [made(lab, "R1", "one"), made(lab, "R2", "cut")]))
    story += [faulty(story, "R2")]
    others = [made(lab, "R1", "other"), made(lab, "R2", "whole")]
    with pytest.raises(
        Refused, match="waits for such files; name it with --read-set, or say --new"
    ):
        delivery(known(*story), others)
    named = delivery(known(*story), others, story[1].payload()["read_set_id"])
    assert roles(named) == ["R1", "R2"]


def test_a_read_set_of_a_run_takes_a_file_only_by_its_name(lab: Path) -> None:
    story = [registered(), read_set(), file_landed("R2"), rejected("R2")]
    files = [made(lab, "R2", "whole")]
    with pytest.raises(Refused, match=f"read set {READ_SET} waits for such files; name it with"):
        delivery(known(*story), files)
    found = delivery(known(*story), files, READ_SET)
    assert roles(found) == ["R2"]
    assert found.uploads[0].metadata["gf-lane"] == "1"
    beside = delivery(known(*story), [made(lab, "R1", "one"), *files], is_new=True)
    assert beside.read_set_id != READ_SET


INVALIDATED = ReadSetInvalidated(
    sample_id="S7", read_set_id=READ_SET, reason_code="sheet amended", reason="another index"
)
REFUSALS: dict[str, tuple[Sequence[Event], dict[str, str], str | None, str]] = {
    "no file": ([], {}, None, "no file cannot be one read set"),
    "two materials": ([], {"BAM": "a", "VCF": "b"}, None, "BAM and VCF cannot be one read set"),
    "twice the same": ([], {"R1": "a", "R2": "a"}, None, "hold the same bytes; send each mate"),
    "a lonely mate": ([], {"R2": "a"}, None, "no read set waits for R2 alone; send it with --r1"),
    "unknown": ([read_set()], {"R1": "a"}, "RS9", f"no read set RS9; .* count: {READ_SET}; name"),
    "invalidated": ([read_set(), INVALIDATED], {"R1": "a"}, READ_SET, "does not count any more"),
    "another role": ([read_set()], {"BAM": "a"}, READ_SET, "has no file BAM, but I1, I2, R1, R2"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_placed_is_refused(case: str, lab: Path) -> None:
    events, contents, name, message = REFUSALS[case]
    files = [made(lab, role, content) for role, content in contents.items()]
    with pytest.raises(Refused, match=message):
        delivery(known(*events), files, name)


def test_a_file_that_is_missing_or_empty_is_refused(lab: Path) -> None:
    with pytest.raises(Refused, match=r"gone.gz: cannot be read as R1 \(No such file"):
        sent("R1", lab / "gone.gz")
    (lab / "empty").touch()
    with pytest.raises(Refused, match="is empty; send a file with content as R2"):
        sent("R2", lab / "empty")


def test_bytes_that_were_a_read_set_before_are_not_taken_for_a_new_one(lab: Path) -> None:
    first, cut = made(lab, "R1", "one"), made(lab, "R2", "cut")
    story = done(delivery(known(), [first, cut]))
    story += [faulty(story, "R2")]
    story += done(delivery(known(*story), [made(lab, "R2", "whole")]))
    with pytest.raises(Refused, match=r"were read set sent-.* before, and since then others took"):
        delivery(known(*story), [first, cut])
