"""What the simulator found in the worker, each in its smallest form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.envelope import Actor
from genoflow.events.event import Event, begin
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import TaskSession
from genoflow.processors import runner, task_loop
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.processor import Call
from genoflow.processors.runner import Runner
from genoflow.processors.step import Outcome
from genoflow.processors.worker import Identity, Worker
from tests.fakes import BEGINNING, FakeClock, FakeMail
from tests.simulation.flow import POISON, AboutFile, refuse, tally
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import PERSON, PORCH
from tests.simulation.world import CODEC

SECONDS_MAX = 60.0  # virtual ones
SOMEBODY = Actor(kind="person", id="person")


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test in virtual time, as asyncio would order it."""
    loop = SimulatedLoop(0, in_order=True)  # type: ignore[abstract]  # it has no I/O
    loop.run_until_complete(main())


def landed(number: int, role: str = "R1", etag: str = "e", sample: str = "S0") -> FileLanded:
    """A file of a sample."""
    fact = FileLanded(
        bucket="raw", object_key=f"{sample}/{number}", version_id="1", size_bytes=1, etag=etag,
        last_modified_at=BEGINNING, sample_id=sample, role=role,
    )  # fmt: skip
    return begin(fact, occurred_at=BEGINNING, actor=SOMEBODY, by=PORCH)


def order(kind: type[EventRequeued | EventDiscarded], parked: EventParked, name: str) -> Event:
    """What a person decided about something parked."""
    fact = kind(
        subject_topic=parked.input_topic, subject_key=parked.subject_key,
        processor=parked.processor, partition=parked.partition, offset=parked.offset,
        effect_id=parked.effect_id, request_id=name, reason="test",
    )  # fmt: skip
    return begin(fact, occurred_at=BEGINNING, actor=SOMEBODY, by=PERSON)


class RefusingMail(FakeMail):
    """A mail server that takes nothing."""

    async def send(self, letter: Any) -> None:
        """Say no."""
        await asyncio.sleep(0)
        raise refuse(letter)


class Lab:
    """A log and one worker on it."""

    def __init__(self) -> None:
        self.row = tally(1)
        self.log = MemoryLog([*topics.TOPICS, self.row.changelog], partitions=1, codec=CODEC)
        self.stop = asyncio.Event()
        ports = Ports(FakeClock(), mail=RefusingMail())
        worker = Worker(self.log, CODEC, [self.row], ports, identity=Identity("w", "1"))
        self.works = asyncio.create_task(worker.run(self.stop))

    def parked(self) -> list[EventParked]:
        """Everything that was parked, in order."""
        records = self.log.partition(topics.PARKED.name, 0).records
        return [event for r in records if isinstance(event := r.event, EventParked)]

    async def until_parked(self, number: int) -> EventParked:
        """Wait until so much is parked, and take the last of it."""
        async with asyncio.timeout(SECONDS_MAX):
            while len(self.parked()) < number:
                await asyncio.sleep(0.1)
        return self.parked()[-1]

    async def end(self) -> None:
        """Let the worker finish what stands on the log, and stop it."""
        await asyncio.sleep(SECONDS_MAX)
        self.stop.set()
        await self.works


@pytest.mark.parametrize("etag", [POISON, "e"], ids=["of a key", "of an effect"])
def test_an_old_request_that_comes_again_after_a_newer_one_does_nothing(etag: str) -> None:
    async def main() -> None:
        lab = Lab()
        await lab.log.append(landed(0, etag=etag))
        parked = await lab.until_parked(1)
        for number, name in enumerate(("first", "second"), start=2):
            await lab.log.append(order(EventRequeued, parked, name))
            await lab.until_parked(number)
        await lab.log.append(order(EventRequeued, parked, "first"))
        await lab.end()
        assert len(lab.parked()) == 3

    run(main)


def test_parked_effects_however_many_do_not_keep_out_the_requests_that_free_them() -> None:
    async def main() -> None:
        lab = Lab()
        for number in range(3):
            await lab.log.append(landed(number))
        parked = await lab.until_parked(1)
        await lab.log.append(order(EventDiscarded, parked, "first"))
        assert (await lab.until_parked(2)).effect_id != parked.effect_id
        await lab.end()

    with mock.patch.object(task_loop, "OPEN_EFFECTS_MAX", 2):
        run(main)


def test_an_effect_that_one_step_opens_and_closes_leaves_its_lane_free() -> None:
    async def main() -> None:
        lab = Lab()
        await lab.log.append(landed(0))
        await lab.log.append(landed(1, role="I1"))  # before the worker has read the first
        await lab.log.append(landed(2))
        parked = await lab.until_parked(1)
        assert parked.parked_event_id == landed(2).envelope.event_id
        await lab.end()

    run(main)


class SlowFences(MemoryLog):
    """A log that takes its time to end what an earlier owner began."""

    def task(self, processor: str, topic: topics.Topic, partition: int) -> TaskSession:
        """A session whose fence takes five seconds."""
        session = super().task(processor, topic, partition)
        fence = session.fence

        async def slowly() -> None:
            await asyncio.sleep(5)
            await fence()

        session.fence = slowly  # type: ignore[method-assign]
        return session


def test_a_worker_that_leaves_takes_over_nothing_from_another_that_left_before() -> None:
    async def main() -> None:
        row, stop = tally(1), asyncio.Event()
        log = SlowFences([*topics.TOPICS, row.changelog], partitions=2, codec=CODEC)
        ports = Ports(FakeClock(), mail=RefusingMail())

        async def work(name: str) -> None:
            await Worker(log, CODEC, [row], ports, identity=Identity(name, "1")).run(stop)

        for sample in ("S0", "S1", "S2"):
            await log.append(landed(0, sample=sample))
        works = [asyncio.create_task(work("one"))]
        await asyncio.sleep(7)
        works.append(asyncio.create_task(work("two")))
        await asyncio.sleep(2.5)
        stop.set()  # the second is still being fenced when the first has left
        _, late = await asyncio.wait(works, timeout=SECONDS_MAX)
        assert not late

    run(main)


class Nobody:
    """An owner that waits for no outcome."""

    processor_name = "nobody"

    def deliver(self, outcome: Outcome) -> None:
        """Take it."""

    def fail(self, error: BaseException) -> None:
        """Hear of it."""
        raise error


async def _for_ever(_arguments: AboutFile, _attempt: Attempt) -> list[Event]:
    await asyncio.Event().wait()
    return []


def test_an_effect_that_is_dropped_before_its_first_step_gives_its_place_back() -> None:
    kind = Call("mail", arguments=AboutFile, emits=(), perform=_for_ever)
    cause = landed(0)
    arguments = AboutFile(sample_id="S0", name="n", event_id=cause.envelope.event_id, number=1)

    def effect(number: int) -> OpenEffect:
        return OpenEffect(
            effect_id=UUID(int=number), name="mail", lane=str(number), subject_key="S0",
            arguments=arguments.model_dump(mode="json"), cause=cause.envelope, offset=number,
            ordinal=0, recorded_at=BEGINNING, value_size_bytes=0, value_sha256="",
        )  # fmt: skip

    async def main() -> None:
        runs, owner = Runner(Ports(FakeClock())), Nobody()
        for number in range(3):
            runs.open(owner, effect(number), kind)
            runs.drop(owner)  # its task was made and has not begun
            await asyncio.sleep(1)
        runs.open(owner, effect(9), kind)
        assert [doing.effect.effect_id.int for doing in runs.doing()] == [9]
        await runs.close()

    with mock.patch.object(runner, "CALLS_RUNNING_MAX", 1):
        run(main)
