"""Whose a file of nobody is: it lands once for the sample that a person names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.api.desks import Wanted
from genoflow.deploy import file_desk
from genoflow.deploy.file_desk import assigned
from genoflow.deploy.people import saying
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_left import CaseLeft
from genoflow.events.errors import Contradicted, Refused
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.processors.flow import PROCESSORS
from tests.asked import READ_SET, joined, landed, read_set, registered, told
from tests.partition import CODEC, MOMENT


def loose(version: str = "1") -> FileLanded:
    """A file whose metadata say nothing."""
    nothing = dict.fromkeys(("sample_id", "read_set_id", "role", "lane"))
    return FileLanded(**dict(landed("R1", version=version)) | nothing)


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as memory:
        for event in told(registered(), read_set(), loose()):
            await memory.append(event)
        yield memory


async def assign(log: MemoryLog, **changes: Any) -> list[Event]:
    """What is said, once it stands on the log."""
    wanted = Wanted(
        **{
            "place": f"raw/{READ_SET}/R1", "sample_id": "S7", "read_set_id": READ_SET,
            "role": "R1", "reason": "by its label",
        } | changes
    )  # fmt: skip
    said = await assigned(LogSubjects(log), wanted, saying("a.b", MOMENT), MOMENT)
    await file_desk.assign(LogSubjects(log), said, log.append)
    return said


async def test_what_is_assigned_lands_for_its_sample(log: MemoryLog) -> None:
    whose, again = await assign(log)
    assert isinstance(whose, FileAssigned)
    assert isinstance(again, FileLanded)
    assert (whose.key, again.key) == (f"unassigned/raw/{READ_SET}/R1", "S7")
    assert (again.read_set_id, again.role, again.lane) == (READ_SET, "R1", 1)
    first = loose()
    same = ("bucket", "object_key", "version_id", "size_bytes", "etag", "last_modified_at")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]
    assert again.envelope.causation_id == whose.envelope.event_id
    # Else it would be taken for the first landing, and dropped as a repetition of it.
    assert again.envelope.event_id != first.external_id()
    assert (again.envelope.actor.kind, again.envelope.actor.id) == ("person", "a.b")


async def test_the_same_again_is_nothing_and_another_sample_is_refused(log: MemoryLog) -> None:
    await assign(log)
    assert await assign(log, reason="in other words") == []
    with pytest.raises(Refused, match=r"belongs to S7 already, as R1 of .* \(by its label\)"):
        await assign(log, sample_id="S8")


async def test_of_two_who_assign_at_once_the_first_is_heard(log: MemoryLog) -> None:
    other = ReadSetRegistered(**dict(read_set()) | {"sample_id": "S8"})
    for event in told(registered("S8"), other):
        await log.append(event)
    subjects = LogSubjects(log)
    both = [
        await assigned(
            subjects,
            Wanted(f"raw/{READ_SET}/R1", sample, READ_SET, "R1", "by its label"),
            saying(person, MOMENT), MOMENT,
        )
        for sample, person in (("S7", "a.b"), ("S8", "c.d"))
    ]  # fmt: skip
    await log.append(both[0][0])  # and the first one dies before the file lands
    with pytest.raises(Contradicted, match=r"a\.b has just said that it belongs to S7"):
        await file_desk.assign(subjects, both[1], log.append)
    [landing] = await assign(log)
    assert (landing.key, landing.envelope.event_id) == ("S7", both[0][1].envelope.event_id)
    assert await assign(log) == []
    story = (await subjects.events_of(topics.SAMPLE, ["S7", "S8"])).items()
    landings = [key for key, events in story for one in events if isinstance(one, FileLanded)]
    assert landings == ["S7"]


async def test_a_version_is_named_where_several_wait(log: MemoryLog) -> None:
    [second] = told(loose("2"))
    await log.append(second)
    with pytest.raises(Refused, match=r"2 versions wait; name one of them: .*@1, .*@2"):
        await assign(log)
    whose, _ = await assign(log, place=f"s3://raw/{READ_SET}/R1@2")
    assert whose.payload()["version_id"] == "2"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no place": ({"place": "raw"}, "is no BUCKET/KEY; `genoflow file list` shows"),
    "unknown": ({"place": "raw/none"}, "no file waits for a sample under this name"),
    "read set": ({"read_set_id": "RS9"}, f"no read set RS9 .* {READ_SET}. Name one of them"),
    "sample": ({"sample_id": "S9"}, "S9: has no read set .*: none. .*genoflow reads send S9"),
    "role": ({"role": "BAM"}, "has no BAM, but I1, I2, R1, R2; name the role"),
    "lane": ({"lane": 7}, "has its R1 in lane 1; say which with --lane"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_does_not_fit_is_refused(case: str, log: MemoryLog) -> None:
    changes, message = REFUSED[case]
    with pytest.raises(Refused, match=message):
        await assign(log, **changes)


def test_nobody_waits_for_news_of_a_file_that_was_assigned() -> None:
    row = PROCESSORS["watch-silence"]
    file, whose = told(
        loose(),
        FileAssigned(
            bucket="raw", object_key=f"{READ_SET}/R1", version_id="1", sample_id="S7", role="R1",
            request_id="r", reason="by its label",
        ),
    )  # fmt: skip
    waits = row.evolve(row.state(), file)
    assert waits.due_at is not None
    assert row.decide(waits, whose).events == ()
    assert row.evolve(waits, whose).due_at is None


def test_nobody_waits_for_news_of_a_sample_of_no_open_case() -> None:
    row = PROCESSORS["watch-silence"]
    state: Any = row.state()
    left = CaseLeft(sample_id="S7", case_id="C1", outcome="cancelled", reason="ordered twice")
    first, second, gone = told(joined(case="C1"), joined(case="C2"), left)
    for event in (first, second, gone):
        state = row.evolve(state, event)
    assert state.due_at is not None
    [last] = told(CaseLeft(**dict(left) | {"case_id": "C2"}))
    assert row.decide(state, last).events == ()
    assert row.evolve(state, last).due_at is None
