"""The world around the workers: a log, an outside that fails, machines that start them again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.codec import HEADER_TYPE, Codec, header
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.errors import OutcomeUnknown, Retry, StateMismatch
from genoflow.events.event import Event
from genoflow.events.log.memory import Write
from genoflow.events.log.port import TaskSession
from genoflow.events.log.recorded import Recorded
from genoflow.events.registry import released
from genoflow.processors.job_outcome import JobOutcome, outcome_key
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import ByteAttempt, JobOrder, Letter, Ports, Progress
from genoflow.processors.processor import Bytes, Processor
from genoflow.processors.worker import PASSING, Identity, Worker
from tests.fakes import FakeClock, FakeLauncher, FakeMail, FakeStore
from tests.simulation.flow import flow, is_out_of_reach, is_refused, leaves_nothing, refuse
from tests.simulation.loop import PROCESS, Killed, Process, SimulatedLoop
from tests.simulation.quiet_log import QuietLog

PARTITIONS = 2
BUCKET = "raw"
OUTCOMES = "outcomes"
CODEC = Codec(released())  # shared by all worlds: it keeps compiled readers and nothing else
COMMIT_FAULTS = 0.02  # share of commits whose answer is lost, half of them after they happened
APPEND_FAULTS = 0.05
OUTSIDE_FAULTS = 0.08  # of each question to the store, the launcher and the mail server
SLOW_WRITES = 0.25
VERY_SLOW_WRITES = 0.01
SLOW_FENCES = 0.5


class SeenClock(FakeClock):
    """A clock that knows the latest time that it ever showed."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__(seconds=seconds)
        self.latest = super().now()

    def now(self) -> datetime:
        """The time, which may lie before what was shown earlier."""
        at = super().now()
        self.latest = max(self.latest, at)
        return at


class WorldLog(QuietLog):
    """The memory log behind a network: slow at times, its answers lost at times."""

    def __init__(self, world: World, changelogs: Sequence[topics.Topic]) -> None:
        super().__init__(
            world.loop,
            [*topics.TOPICS, *changelogs],
            partitions=PARTITIONS,
            codec=CODEC,
            now=world.clock.now,
            fault=world.log_fault,
        )
        self._world = world
        self.order: dict[tuple[str, int, int], int] = {}  # in which every record came to stand

    def task(self, processor: str, topic: topics.Topic, partition: int) -> TaskSession:
        """A session that is fenced after a while: a broker ends the old owner's business first."""
        session = super().task(processor, topic, partition)
        fence = session.fence

        async def fence_slowly() -> None:
            if self._world.has_faults and self._world.random.random() < SLOW_FENCES:
                await asyncio.sleep(self._world.random.random() * 8)
            await fence()

        session.fence = fence_slowly  # type: ignore[method-assign]
        return session

    def _put(self, write: Write, now_ms: int) -> int:
        offset = super()._put(write, now_ms)
        self.order[write.topic, write.partition, offset] = len(self.order)
        return offset

    async def write(
        self,
        operation: str,
        writes: Sequence[Write],
        *,
        marker: bool,
        permit: Callable[[], None] = lambda: None,
    ) -> list[int]:
        """Write as the memory log does, in the world's time."""
        world = self._world
        chance = world.random.random() if world.has_faults else 1.0
        if chance < SLOW_WRITES:
            slow = chance < VERY_SLOW_WRITES
            await asyncio.sleep(world.random.random() * (14 if slow else 0.3))
        for one in writes:
            if (header(one.raw.headers, HEADER_TYPE) or b"").endswith(b".DeadlinePassed"):
                world.see_passed(CODEC.decode(one.raw.value or b""))
        offsets = await super().write(operation, writes, marker=marker, permit=permit)
        if world.is_telling and operation != "append_raw":
            kinds = [_kind(one) for one in writes if not one.topic.startswith("gf.changelog")]
            world.say(f"{operation} {', '.join(kinds)}" if kinds else operation)
        return offsets


def _kind(one: Write) -> str:
    name = (header(one.raw.headers, HEADER_TYPE) or b"?").rpartition(b".")[2].decode()
    return f"{name} {(one.raw.key or b'').decode()} -> {one.topic}[{one.partition}]"


class WorldMail(FakeMail):
    """A mail server that refuses some addresses until they are mended."""

    mended: set[UUID]

    async def send(self, letter: Letter) -> None:
        """Take responsibility for it, or say why not."""
        if is_out_of_reach(letter.message_id):
            raise Retry(f"letter {letter.message_id}: no answer; try again")
        if is_refused(letter.message_id) and letter.message_id not in self.mended:
            raise refuse(letter)
        await super().send(letter)


class WorldLauncher(FakeLauncher):
    """A launcher that tells when a job begins."""

    begins: Callable[[JobOrder], None]

    async def _run(self, effect_id: UUID, job: Any) -> None:
        self.begins(job.order)
        await super()._run(effect_id, job)


class Children:
    """Effects on bytes, done in place after a while."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def perform(
        self, processor: str, effect: OpenEffect, kind: Bytes, number: int, progress: Progress
    ) -> Sequence[Event]:
        """Do one effect."""
        await asyncio.sleep(self._world.random.random() * 3)
        attempt = ByteAttempt(effect.effect_id, number, self._world.store, progress)
        return kind.perform(kind.arguments(**effect.arguments), attempt)


class Machine:
    """Where one worker runs, and is started again however it ended."""

    def __init__(self, world: World, number: int) -> None:
        self.process: Process
        self.stop = asyncio.Event()
        self.armed: tuple[str, Callable[[], None]] | None = None
        self._world = world
        self._number = number
        self._lives = 0
        self._gone = asyncio.Event()

    async def run(self) -> None:
        """Start a worker, wait until it is gone, start the next."""
        while True:
            await self._one_life()
            await asyncio.sleep(self._world.random.random() * 3)

    async def _one_life(self) -> None:
        world, self._lives = self._world, self._lives + 1
        release = world.release
        self.process = world.loop.process(f"worker-{self._number}.{self._lives}")
        self.stop, self._gone, self.armed = asyncio.Event(), asyncio.Event(), None
        worker = Worker(
            world.log,
            CODEC,
            world.worker_rows(release),
            Ports(world.clock, world.store, world.launcher, world.mail, OUTCOMES),
            identity=Identity(self.process.name, str(release)),
            children=Children(world),
            reach=partial(self._reached, self.process),
        )
        world.say(f"{self.process} starts, release {release}")
        task = world.loop.spawn(self.process, worker.run(self.stop))
        gone = asyncio.ensure_future(self._gone.wait())
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        world.loop.kill(self.process)  # a worker that ended in an error leaves by os._exit
        gone.cancel()
        if task.done():
            self._judge(task.exception(), release)

    def _judge(self, error: BaseException | None, release: int) -> None:
        self._world.say(f"{self.process} ended: {error or 'drained'}")
        self._world.passed.add(f"ended: {type(error).__name__ if error else 'drained'}")
        outdated = isinstance(error, StateMismatch) and release < self._world.release
        if error is not None and not isinstance(error, PASSING) and not outdated:
            self._world.broken.append(f"no worker ends for good: {type(error).__name__}: {error}")

    def _reached(self, process: Process, point: str) -> None:
        self._world.passed.add(point)
        if self.armed is not None and process is self.process and self.armed[0] == point:
            action, self.armed = self.armed[1], None
            self._world.say(f"{process} reaches {point}")
            action()
            if process.is_dead:
                raise Killed

    def kill(self) -> None:
        """End its worker as kill -9 does."""
        self._world.say(f"{self.process} is killed")
        self._world.loop.kill(self.process)
        self._gone.set()

    def stop_for(self, seconds: float) -> None:
        """Let its worker stand still, as SIGSTOP does."""
        self._world.say(f"{self.process} is stopped for {seconds:.0f} s")
        self._world.loop.stop_process(self.process, seconds)


class World:
    """Everything that one run is made of."""

    def __init__(self, seed: int, loop: SimulatedLoop, *, faults: bool, telling: bool) -> None:
        self.seed = seed
        self.loop = loop
        self.random = random.Random(f"world {seed}")
        self.has_faults = faults
        self.is_telling = telling
        self.told: list[str] = []
        self.broken: list[str] = []
        self.passed: set[str] = set()  # what happened in this run, by name
        self.is_wide = self.random.random() < 0.3
        self.release = 1
        self.clock = SeenClock(loop.time)
        self.log = WorldLog(self, [row.changelog for row in self.rows()])
        self.store = FakeStore(self.clock, self._outside_fault)
        self.mail = WorldMail(self._outside_fault)
        self.mail.mended = set()
        self.jobs: list[tuple[float, str, str]] = []  # when, begun or ended, of which file
        self.launcher = WorldLauncher(
            self.store, OUTCOMES, self._job_ends, self._job_seconds, self._outside_fault
        )
        self.launcher.begins = self._job_begins
        self.machines = [Machine(self, number) for number in range(self.random.choice((2, 2, 3)))]

    def rows(self) -> tuple[Processor, ...]:
        """The flow of the release that is deployed now."""
        return flow(self.release, wide=self.is_wide)

    def worker_rows(self, release: int) -> tuple[Processor, ...]:
        """The flow that a worker of this release runs."""
        return flow(release, wide=self.is_wide)

    def say(self, text: str) -> None:
        """Keep a line of the story, where somebody is going to read it."""
        if self.is_telling:
            self.told.append(f"{self.loop.time():9.3f} {PROCESS.get().name:12} {text}")

    # -- what fails

    def log_fault(self, operation: str, happened: bool) -> None:
        """Lose the answer of a commit or an append, before or after it happened."""
        share = {"commit": COMMIT_FAULTS, "append": APPEND_FAULTS}.get(operation, 0.0)
        if self.has_faults and self.random.random() < share / 2:
            self.say(f"{operation} in doubt, happened: {happened}")
            self.passed.add(f"{operation} in doubt, happened: {happened}")
            raise OutcomeUnknown(f"the answer of a {operation} was lost; look at the log")

    def _outside_fault(self, operation: str) -> None:
        if self.has_faults and self.random.random() < OUTSIDE_FAULTS:
            raise Retry(f"{operation}: no answer; try again")

    def _job_seconds(self, _effect_id: UUID) -> float:
        return self.random.random() * 8

    def _job_begins(self, order: JobOrder) -> None:
        self.jobs.append((self.loop.time(), "begun", order.document.decode()))

    def _job_ends(self, order: JobOrder) -> JobOutcome | None:
        self.jobs.append((self.loop.time(), "ended", order.document.decode()))
        return None if leaves_nothing(order.document) else JobOutcome(exit_code=0)

    def mend(self, effect_id: UUID) -> None:
        """Do what a person does before an effect is tried again."""
        self.mail.mended.add(effect_id)
        key = outcome_key(effect_id)
        if effect_id in self.launcher.jobs and (OUTCOMES, key) not in self.store.versions:
            self.store.keep(OUTCOMES, key, JobOutcome(exit_code=0).to_bytes(), {})

    def see_passed(self, event: Event) -> None:
        """A deadline passes when a clock has shown its time, and not before."""
        assert isinstance(event, DeadlinePassed)
        if event.due_at > self.clock.latest:
            self.broken.append(f"no deadline passes early: {event.key} was due at {event.due_at}")

    def records(self) -> Iterator[tuple[str, int, Recorded]]:
        """Every record of every topic, changelogs too."""
        names = [*(topic.name for topic in topics.TOPICS), *(r.changelog.name for r in self.rows())]
        for name in names:
            for number in range(PARTITIONS):
                for record in self.log.partition(name, number).records:
                    yield name, number, record
