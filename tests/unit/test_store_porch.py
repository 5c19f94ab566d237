"""The porch of the object store: whatever is told of it, the log says what the store holds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import OutcomeUnknown, Parked, Retry
from genoflow.events.event import Event, begin
from genoflow.events.file_deleted import ERASED, HIDDEN
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.intake.heard import Message
from genoflow.processors.intake.landing import ROLE, RUN, SAMPLE
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.notifications import Scope, StorePorch
from genoflow.processors.intake.reconcile import reconcile
from tests.fakes import FakeClock
from tests.shelves import FakeShelves, facts, message, porch_over

A, B = Place("raw", "in/a.gz"), Place("raw", "in/b.gz")
OF_S1 = {SAMPLE: "S1", ROLE: "R1"}
LANDED, DELETED = "FileLanded", "FileDeleted"
REMOVED = "ObjectRemoved:Delete"


class Lab:
    """A store, a log and a porch between them."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.clock = FakeClock()
        self.shelves = FakeShelves(self.clock)
        self.porch = self.another()

    def another(self) -> StorePorch:
        return porch_over(self.log, self.shelves, self.clock)

    async def events(self) -> list[Event]:
        names = [topics.SAMPLE.name, topics.SEQUENCING_RUN.name, topics.PARKED.name]
        return [record.event for name in names async for record in self.log.read_topic(name)]

    async def facts(self) -> list[tuple[str, str, str]]:
        return facts(await self.events())

    async def crawls(self, **options: Any) -> dict[str, int]:
        found = await reconcile(self.another(), self.shelves, "raw", **options)
        assert found.fault_count == 0, found.faults
        return dict(found.missing)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with MemoryLog() as log:
        yield Lab(log)


async def test_what_came_lands_with_what_its_head_says(lab: Lab) -> None:
    kept = lab.shelves.put(A, OF_S1)
    told = await lab.porch.take([message(A, 1)])
    (event,) = told.appended
    assert event.payload()["sample_id"] == "S1"
    assert (event.key, event.envelope.occurred_at) == ("S1", kept.at)
    lab.shelves.put(B)
    lab.shelves.put(Place("raw", "in/c.gz"), {RUN: "R9"})
    await lab.porch.take([message(B, 2), message(Place("raw", "in/c.gz"), 3)])
    keys = [event.key for event in await lab.events()]
    assert sorted(keys) == ["R9", "S1", "unassigned/raw/in/b.gz"]


async def test_a_message_that_comes_twice_late_or_in_another_order_changes_nothing(
    lab: Lab,
) -> None:
    first, second = lab.shelves.put(A, OF_S1), lab.shelves.put(A, OF_S1)
    late, early = message(A, 1), message(A, 2)
    told = await lab.porch.take([early])
    wanted = [(LANDED, first.version_id, ""), (LANDED, second.version_id, "")]
    assert facts(told.appended) == wanted, "the version that nobody has told yet comes first"
    for porch in (lab.porch, lab.another()):
        assert (await porch.take([late, early, late])).appended == []
    assert await lab.facts() == wanted


async def test_a_mark_hides_the_version_before_it_and_an_erased_one_is_gone(lab: Lab) -> None:
    first = lab.shelves.put(A, OF_S1)
    mark = lab.shelves.mark(A)
    await lab.porch.take([message(A, 1), message(A, 2, "ObjectRemoved:DeleteMarkerCreated")])
    (landed, hidden) = await lab.events()
    assert facts([landed, hidden]) == [
        (LANDED, first.version_id, ""),
        (DELETED, first.version_id, HIDDEN),
    ]
    assert (hidden.key, hidden.envelope.occurred_at) == ("S1", mark.at)
    assert hidden.payload()["marker_version_id"] == mark.version_id
    second = lab.shelves.put(A, OF_S1)
    await lab.porch.take([message(A, 3)])
    lab.shelves.erase(A, first.version_id)
    told = await lab.porch.take([message(A, 9, REMOVED)])
    assert facts(told.appended) == [(DELETED, first.version_id, ERASED)]
    said_at = FakeClock().now() + timedelta(seconds=9)
    assert told.appended[0].envelope.occurred_at == said_at, "the store's list has no time of it"
    assert (await lab.porch.take([message(A, 9, REMOVED)])).appended == []
    assert (LANDED, second.version_id, "") in await lab.facts()


async def test_a_mark_goes_on_to_hide_what_it_hid_when_that_is_erased(lab: Lab) -> None:
    lab.shelves.put(A, OF_S1)
    second = lab.shelves.put(A, OF_S1)
    lab.shelves.mark(A)
    await lab.porch.take([message(A, 1)])
    lab.shelves.erase(A, second.version_id)
    told = await lab.porch.take([message(A, 2, REMOVED)])
    assert facts(told.appended) == [(DELETED, second.version_id, ERASED)]
    assert await lab.crawls() == {}


async def test_a_file_is_deleted_for_everybody_for_whom_it_landed(lab: Lab) -> None:
    kept = lab.shelves.put(A)
    (waiting,) = (await lab.porch.take([message(A, 1)])).appended
    assert isinstance(waiting, FileLanded)
    whose = FileLanded(**dict(waiting) | {"sample_id": "S7", "role": "R1"})
    by = Producer(service="file-desk", version="0")
    await lab.log.append(
        begin(whose, occurred_at=kept.at, actor=Actor(kind="person", id="p"), by=by)
    )
    lab.shelves.erase(A, kept.version_id)
    told = await lab.porch.take([message(A, 2, REMOVED)])
    assert sorted(event.key for event in told.appended) == ["S7", "unassigned/raw/in/a.gz"]


async def test_what_others_report_does_not_land_but_its_end_is_told(lab: Lab) -> None:
    place, elsewhere = Place("raw", "reads/R1/a.gz"), Place("work", "x")
    kept = lab.shelves.put(place, OF_S1)
    lab.shelves.put(elsewhere, OF_S1)
    assert (await lab.porch.take([message(place, 1), message(elsewhere, 2)])).idle == 2
    assert await lab.crawls() == {}
    await lab.log.append(await _landing(lab, place))
    lab.shelves.mark(place)
    told = await lab.porch.take([message(place, 3, REMOVED)])
    assert facts(told.appended) == [(DELETED, kept.version_id, HIDDEN)]


async def _landing(lab: Lab, place: Place) -> Event:
    """What the program says that wrote the object."""
    writer = porch_over(lab.log, lab.shelves, lab.clock)
    writer.scope = Scope(("raw",), ())
    (fact,) = [fact async for fact in writer.lacking(await lab.shelves.look(place))]
    return fact


@pytest.mark.parametrize("body", [b"\x00\xff not JSON", b'{"Records": [{"eventName": "Odd:One"}]}'])
async def test_what_is_not_understood_is_kept_with_its_bytes_and_stops_nobody(
    lab: Lab, body: bytes
) -> None:
    lab.shelves.put(A, OF_S1)
    odd = Message("kafka", "notices[0]@7", "notices[0]@7", body)
    told = await lab.porch.take([odd, message(A, 1)])
    assert [event.type() for event in told.appended] == [LANDED]
    (parked,) = told.parked
    assert (parked.value, parked.reason_code) == (body, "not understood")
    assert parked.reason.startswith("notices[0]@7: ")
    assert parked.reason.endswith("`genoflow ingest reconcile` finds its objects")
    await lab.porch.take([odd])
    said = {event.envelope.event_id for event in await lab.events()}
    assert len(said) == 2, "the same message is the same fact"


async def test_what_names_a_person_is_kept_without_its_bytes(lab: Lab) -> None:
    place = Place("raw", "MRN-1234567/a.gz")
    lab.shelves.put(place, OF_S1)
    (parked,) = (await lab.porch.take([message(place, 1)])).parked
    assert (parked.value, parked.reason_code) == (None, "identifier of a person")
    assert [event.type() for event in await lab.events()] == ["NoticeParked"]
    assert "1234567" not in str(parked.payload())
    crawl = await reconcile(lab.another(), lab.shelves, "raw")
    assert crawl.fault_count == 1
    assert "1234567" not in crawl.faults[0]


async def test_what_cannot_be_told_is_kept_and_a_crawl_names_it(lab: Lab) -> None:
    lab.shelves.put(A, {SAMPLE: "no such id!"})
    lab.shelves.put(B, OF_S1)
    told = await lab.porch.take([message(A, 1), message(B, 2)])
    assert [one.reason_code for one in told.parked] == ["not takeable"]
    assert [event.key for event in told.appended] == ["S1"]
    crawl = await reconcile(lab.another(), lab.shelves, "raw")
    assert crawl.fault_count == 1
    assert crawl.faults[0].startswith("s3://raw/in/a.gz: FileLanded.sample_id")


async def test_a_store_that_is_away_loses_nothing(lab: Lab) -> None:
    lab.shelves.put(A, OF_S1)

    def away(only: str, operation: str) -> None:
        if operation == only:
            raise Retry(f"{operation}: the store answers no requests now")

    for operation in ("look", "head"):
        lab.shelves.fault = partial(away, operation)
        with pytest.raises(Retry):
            await lab.porch.take([message(A, 1)])
        assert await lab.events() == []
    lab.shelves.fault = lambda _: None
    assert len((await lab.porch.take([message(A, 1)])).appended) == 1


async def test_a_key_that_may_not_be_read_is_kept_and_the_others_go_on(lab: Lab) -> None:
    lab.shelves.put(A, OF_S1)

    def denied(operation: str) -> None:
        if operation == "look":
            raise Parked("s3://raw/in/a.gz: AccessDenied (403); allow it")

    lab.shelves.fault = denied
    (parked,) = (await lab.porch.take([message(A, 1)])).parked
    assert "AccessDenied (403); allow it" in parked.reason


async def test_an_append_of_unknown_outcome_is_repeated(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.shelves.put(A, OF_S1)
    real, calls = lab.log.append, 0

    async def append(event: Event) -> Any:
        nonlocal calls
        calls += 1
        position = await real(event)
        if calls == 1:
            raise OutcomeUnknown("the broker went away; append it again")
        return position

    monkeypatch.setattr(lab.log, "append", append)
    await lab.porch.take([message(A, 1)])
    assert calls == 2
    assert len({event.envelope.event_id for event in await lab.events()}) == 1


# -- crawls


async def test_a_crawl_finds_what_nobody_told_and_then_nothing_more(lab: Lab) -> None:
    first = lab.shelves.put(A, OF_S1)
    lab.shelves.mark(A)
    second = lab.shelves.put(A, OF_S1)
    lab.shelves.put(B)
    assert await lab.crawls(dry_run=True) == {LANDED: 3, DELETED: 1}
    assert await lab.events() == []
    assert await lab.crawls(prefix="in/b") == {LANDED: 1}
    assert await lab.crawls(since=second.at) == {LANDED: 1}
    assert await lab.crawls() == {LANDED: 1, DELETED: 1}
    assert await lab.crawls() == {}
    lab.shelves.erase(A, first.version_id)
    assert await lab.crawls() == {DELETED: 1}
    lab.shelves.kept.pop(B)
    assert await lab.crawls() == {DELETED: 1}, "an object of which nothing is left"
    assert await lab.crawls() == {}


async def test_a_version_that_lands_during_a_crawl_is_not_taken_for_erased(lab: Lab) -> None:
    lab.shelves.put(A, OF_S1)
    before = await lab.shelves.look(A)
    lab.shelves.put(A, OF_S1)
    await lab.porch.take([message(A, 2)])
    assert [fact async for fact in lab.porch.lacking(before)] == []


async def test_a_crawl_beside_messages_says_nothing_twice(lab: Lab) -> None:
    messages = []
    for number in range(30):
        place = Place("raw", f"in/{number}.gz")
        lab.shelves.put(place, OF_S1)
        messages.append(message(place, number))
    told, crawl = await asyncio.gather(
        lab.porch.take(messages), reconcile(lab.porch, lab.shelves, "raw")
    )
    assert len(told.appended) + crawl.missing.total() == 30
    assert len(await lab.events()) == 30


@pytest.mark.parametrize("seed", range(20))
async def test_however_many_messages_are_lost_a_crawl_arrives_at_the_same_facts(seed: int) -> None:
    wanted = await _played(seed, loss=0.0)
    assert await _played(seed, loss=0.5) == wanted
    assert await _played(seed, loss=1.0) == wanted


async def _played(seed: int, loss: float) -> set[tuple[str, str]]:
    """The ids of all facts after a story of this seed, of which so many messages were lost."""
    story, losses = random.Random(seed), random.Random(seed + 1)
    async with MemoryLog() as log:
        lab = Lab(log)
        waiting: list[Message] = []
        for number in range(40):
            place = story.choice([A, B, Place("raw", "in/c.gz")])
            kept = [one for one in lab.shelves.kept.get(place, []) if not one.is_marker]
            action = story.choice(["put", "put", "mark"])
            if action == "mark" and kept:
                lab.shelves.mark(place)
            else:
                lab.shelves.put(place, OF_S1 if story.random() < 0.7 else {})
            if losses.random() >= loss:
                waiting += [message(place, number)] * losses.choice([1, 1, 2])
            losses.shuffle(waiting)
            if story.random() < 0.3:
                await lab.porch.take(waiting)
                waiting = []
        await lab.porch.take(waiting)
        await lab.crawls()
        assert await lab.crawls() == {}
        said = [(event.type(), str(event.envelope.event_id)) for event in await lab.events()]
        assert len(said) == len(set(said)), "nothing stands twice"
        return set(said)
