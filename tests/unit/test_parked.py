"""What waits for a person, what would follow from a request, and that it then does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from genoflow.deploy.parked import Parking, find, read_parkings, short_ids
from genoflow.deploy.parked_decide import Deciding
from genoflow.deploy.parked_requests import discard, requeue
from genoflow.deploy.worker_status import read_standing
from genoflow.events import topics
from genoflow.events.errors import Parked, Refused
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.processor import Call, Processor, State
from genoflow.processors.worker import Identity, Worker
from tests.contracts.logs import landed
from tests.fakes import FakeClock

SECONDS_MAX = 20


class Counted(State):
    """How many files of a sample were taken."""

    files: int = 0


class Nothing(Arguments):
    """All that the effect is told."""

    number: int


BROKEN: set[int] = set()  # numbers of files that cannot be taken, until a test mends it

UNANSWERED: set[int] = set()  # the same for the effect


def decide(state: Counted, event: FileLanded) -> Decision:
    number = event.size_bytes
    if number in BROKEN:
        raise ValueError(f"file {number} is too much for this release")
    if number >= 100:
        return Decision(effects=(Effect("ask", Nothing(number=number)),))
    if state.files == 0:
        return NOTHING
    silent = SubjectSilent(
        subject_topic=event.topic, subject_key=event.key,
        last_event_id=event.envelope.event_id, last_type=event.type(),
        last_at=event.envelope.occurred_at, usual_seconds=float(state.files),
    )  # fmt: skip
    return Decision(events=(silent,))


async def ask(arguments: Nothing, attempt: Attempt) -> tuple[Event, ...]:
    if arguments.number in UNANSWERED:
        raise Parked(f"file {arguments.number}: nobody answers")
    return ()


TOY = Processor(
    "toy", reads=topics.SAMPLE, on=(FileLanded,), emits=(SubjectSilent,), decide=decide,
    evolve=lambda state, event: Counted(files=state.files + 1), state=Counted,
    effects=(Call("ask", arguments=Nothing, emits=(FileChecksummed,), perform=ask),),
    about="counts files",
)  # fmt: skip
ROWS = {TOY.name: TOY}


@pytest.fixture(autouse=True)
def nothing_is_broken() -> None:
    BROKEN.clear()
    UNANSWERED.clear()


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(topics.declared([TOY.changelog])) as opened:
        yield opened


@asynccontextmanager
async def working(log: MemoryLog, *, seen: bool = True) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = Worker(log, log.codec, [TOY], Ports(clock=FakeClock()), identity=Identity("w", "1"))
    running = asyncio.create_task(worker.run(stop))
    try:
        if seen:
            await until_it_is_seen(log)
        yield
    finally:
        stop.set()
        await running


async def until_it_is_seen(log: MemoryLog) -> None:
    """Its first status comes before its first partition, the second one two seconds later."""
    async with asyncio.timeout(SECONDS_MAX):
        while not all(
            task.worker for task in (await read_standing(log, [TOY], datetime.now(UTC))).tasks
        ):
            await asyncio.sleep(0.05)


async def parkings(log: MemoryLog, count: int) -> list[Parking]:
    """What waits, once there is so much of it."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            found = [one for one in await read_parkings(log, ROWS) if one.answer is None]
            if len(found) == count:
                return found
            await asyncio.sleep(0.01)


async def said(log: MemoryLog, kind: type[Event]) -> list[Event]:
    return [
        record.event
        for topic in (topics.SAMPLE, topics.PARKED)
        async for record in log.read_topic(topic.name)
        if record.type == kind.type()
    ]


def deciding(log: MemoryLog, **how: Any) -> Deciding:
    return Deciding(log, log.codec, ROWS, dry_run=how.get("dry_run", False))


async def test_a_parked_key_waits_with_its_queue_and_is_answered_once(log: MemoryLog) -> None:
    BROKEN.add(1)
    async with working(log, seen=False):
        for number in (1, 2, 3):
            await log.append(landed("S", number))
        await log.append(landed("other", 9))
        [one] = await parkings(log, 1)
        assert (one.address.processor, one.is_effect) == ("toy", False)
    one = (await parkings(log, 1))[0]
    assert [queued.type for queued in one.queue] == ["FileLanded", "FileLanded"]
    request = requeue(one, "a.b", "mended")
    position = await log.append(request)
    [answered] = await read_parkings(log, ROWS)
    assert answered.answer is not None
    assert answered.answer.position == position
    await log.append(request)
    assert (await read_parkings(log, ROWS))[0].answer == answered.answer


async def test_what_is_parked_again_waits_again_under_another_id(log: MemoryLog) -> None:
    BROKEN.add(1)
    async with working(log):
        await log.append(landed("S", 1))
        await log.append(landed("S", 2))
        [first] = await parkings(log, 1)
        [decided] = await deciding(log).decide([(first, requeue(first, "a.b", "try"))])
        assert decided.is_parked_again
        [second] = await parkings(log, 1)
        assert second.address == first.address
        assert second.event_id != first.event_id
        BROKEN.clear()
        [decided] = await deciding(log).decide([(second, requeue(second, "a.b", "try"))])
        assert decided.lines[-1] == "  the key is free again, 1 event behind it went on"
    assert [one.answer is None for one in await read_parkings(log, ROWS)] == [False, False]
    assert len(await said(log, SubjectSilent)) == 1


async def test_the_next_of_a_queue_can_be_parked_in_its_turn(log: MemoryLog) -> None:
    BROKEN.update({1, 3})
    async with working(log):
        for number in (1, 2, 3, 4):
            await log.append(landed("S", number))
        [head] = await parkings(log, 1)
        BROKEN.remove(1)
        request = requeue(head, "a.b", "try")
        foretold = await deciding(log, dry_run=True).decide([(head, request)])
        assert foretold[0].is_parked_again
        [decided] = await deciding(log).decide([(head, request)])
        assert "parked again after 1 event: " in decided.lines[-1]
        [third] = await parkings(log, 1)
        assert "file 3" in third.error
        assert len(third.queue) == 1


@pytest.mark.parametrize("given_up", [False, True], ids=["requeue", "discard"])
async def test_what_a_dry_run_tells_is_what_happens(log: MemoryLog, given_up: bool) -> None:
    BROKEN.add(2)
    async with working(log):
        for number in (1, 2, 3, 4):
            await log.append(landed("S", number))
        [one] = await parkings(log, 1)
        BROKEN.clear()
        request = (discard if given_up else requeue)(one, "a.b", "as told")
        [told] = await deciding(log, dry_run=True).decide([(one, request)])
        assert await said(log, SubjectSilent) == []
        await deciding(log).decide([(one, request)])
    appended = {line.split()[-1] for line in told.lines if "would append" in line}
    facts = await said(log, SubjectSilent)
    assert appended == {str(fact.envelope.event_id) for fact in facts}
    assert len(facts) == (2 if given_up else 3)


async def test_a_parked_effect_is_opened_again_and_parked_again(log: MemoryLog) -> None:
    UNANSWERED.add(101)
    async with working(log):
        await log.append(landed("S", 101))
        [first] = await parkings(log, 1)
        assert first.is_effect
        [decided] = await deciding(log).decide([(first, requeue(first, "a.b", "try"))])
        assert decided.lines[-1].startswith("  parked again: file 101: nobody answers")
        [second] = await parkings(log, 1)
        assert (second.address, second.event_id != first.event_id) == (first.address, True)
        UNANSWERED.clear()
        request = requeue(second, "a.b", "try")
        [told] = await deciding(log, dry_run=True).decide([(second, request)])
        assert f"would begin the effect ask {first.address.effect_id}" in told.lines[1]
        [decided] = await deciding(log).decide([(second, request)])
        assert decided.lines[-1] == "  the effect is closed"
        assert await parkings(log, 0) == []


async def test_requests_have_ids_that_a_repetition_shares(log: MemoryLog) -> None:
    BROKEN.add(1)
    async with working(log, seen=False):
        await log.append(landed("S", 1))
        [one] = await parkings(log, 1)
    ids = [
        request.envelope.event_id
        for request in (
            requeue(one, "a.b", "x"), requeue(one, "c.d", "y"), requeue(one, "a.b", "x", b"1"),
            requeue(one, "a.b", "x", b"2"), discard(one, "a.b", "x"),
        )
    ]  # fmt: skip
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


async def test_a_decision_is_not_made_twice_in_two_ways(log: MemoryLog) -> None:
    BROKEN.add(1)
    async with working(log, seen=False):
        await log.append(landed("S", 1))
        [one] = await parkings(log, 1)
    await log.append(discard(one, "a.b", "no use"))
    [one] = await read_parkings(log, ROWS)
    with pytest.raises(Refused, match=r"a\.b has answered it with EventDiscarded"):
        await deciding(log).decide([(one, requeue(one, "c.d", "yet"))])
    [again] = await deciding(log).decide([(one, discard(one, "c.d", "no use"))])
    assert "already" in again.lines[0]


async def test_one_is_found_by_id_by_its_beginning_and_by_its_position(log: MemoryLog) -> None:
    BROKEN.update({1, 2})
    async with working(log, seen=False):
        await log.append(landed("S", 1))
        await log.append(landed("T", 2))
        both = await parkings(log, 2)
    for one in both:
        assert find(both, str(one.event_id)) is one
        assert find(both, short_ids(both)[one.event_id]) is one
        assert find(both, str(one.address.position)) is one
    with pytest.raises(Refused, match="means 2 of them"):
        find([both[0], both[0]], str(both[0].event_id)[:4])
    with pytest.raises(Refused, match="nothing was parked"):
        find(both, str(both[0].event_id)[:3])


async def test_a_processor_that_is_no_more_is_refused(log: MemoryLog) -> None:
    BROKEN.add(1)
    async with working(log, seen=False):
        await log.append(landed("S", 1))
        [one] = await parkings(log, 1)
    assert len(await said(log, EventParked)) == 1
    with pytest.raises(Refused, match="toy: is no processor of this release"):
        await Deciding(log, log.codec, {}, dry_run=True).decide([(one, requeue(one, "a", "x"))])
