"""A trial: one row, a history that stands on the log, a worker that is ended wherever a test says.

It runs on the simulator's loop, so time is virtual, every await is a step, and a worker that is
killed does nothing more, not even a `finally`. Whoever is killed is started again. The history is
worked off first; then the clock jumps, and what waits for a moment passes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import OutcomeUnknown
from genoflow.events.event import Event
from genoflow.events.log.changelog import Folding
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.decision import Arguments
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ledger import Ledger, OpenEffect, read_ledger
from genoflow.processors.ports import ByteAttempt, Ports, Progress
from genoflow.processors.processor import Bytes, Processor
from genoflow.processors.worker import PASSING, Identity, Worker
from tests.fakes import FakeClock, FakeLauncher, FakeMail, FakeStore
from tests.histories import pretending
from tests.partition import CODEC
from tests.simulation.loop import Killed, Process, SimulatedLoop
from tests.simulation.run import small_limits
from tests.spec import Plain, canonical

PARTITIONS = 2
OUTCOMES = "outcomes"
LOOK_SECONDS = 2.0
QUIET_SECONDS_MAX = 600.0  # virtual: sessions that end and tries that are used up are within 60
DECADES_SECONDS = 20 * 366 * 86_400.0
NO_FUSE = 10**9


@dataclass(frozen=True, slots=True)
class Ending:
    """Where the worker is ended: at the nth time that something happens in its process."""

    what: str  # `step`, the name of a point, or `commit before` and `commit after`
    nth: int
    kills: bool = True  # else the answer of the commit is lost


@dataclass(slots=True)
class Tried:
    """What came of a trial."""

    facts: list[Plain] = field(default_factory=list)
    effects: Counter[UUID] = field(default_factory=Counter)  # outcomes on the log, by effect
    parked: list[str] = field(default_factory=list)
    lives: int = 0
    happened: Counter[str] = field(default_factory=Counter)  # everything that it could end at

    def sorted_facts(self) -> list[Plain]:
        """The facts in an order of their own; which came first is not compared across keys."""
        return sorted(self.facts, key=lambda fact: (fact["topic"], fact["key"], fact["id"]))


class Trial:
    """One run of one row."""

    def __init__(
        self,
        row: Processor,
        events: Sequence[Event],
        endings: Sequence[Ending] = (),
        *,
        later: Sequence[Event] = (),
    ) -> None:
        self._loop = SimulatedLoop(1, in_order=True)  # type: ignore[abstract]  # no I/O in it
        self._events = events
        self._later = later  # comes when everything else has come to rest
        self._endings = list(endings)
        self._tried = Tried()
        self._rows = self.rows(row)
        self._clock = FakeClock(seconds=self._loop.time)
        self._log = MemoryLog(
            [*topics.TOPICS, *(one.changelog for one in self._rows)], partitions=PARTITIONS,
            codec=CODEC, now=self._clock.now, fault=self._fault,
        )  # fmt: skip
        self._store = FakeStore(self._clock)
        self._process: Process
        self._gone = asyncio.Event()
        self._stop = asyncio.Event()
        self._over = False

    def rows(self, row: Processor) -> tuple[Processor, ...]:
        """What the worker works at: the row, with its effects pretended."""
        return (pretending(row, self._effect),)

    def ports(self) -> Ports:
        """What its effects are done with."""
        launcher = FakeLauncher(self._store, OUTCOMES, lambda _order: JobOutcome(exit_code=0))
        return Ports(self._clock, self._store, launcher, FakeMail(), OUTCOMES)

    def run(self) -> Tried:
        """Run it to rest."""
        with small_limits():
            self._loop.run_until_complete(self._whole())
        return self._tried

    async def _whole(self) -> None:
        await self._log.append_atomically(list(self._events))
        lives = asyncio.ensure_future(self._lives())
        await self._quiet(timers=False)
        self._clock.jump(DECADES_SECONDS)
        await self._quiet(timers=True)
        await self._log.append_atomically(list(self._later))
        await self._quiet(timers=True)
        self._over = True
        self._stop.set()
        await lives
        self._look()

    # -- the worker

    async def _lives(self) -> None:
        ports = self.ports()
        while not self._over:
            self._tried.lives += 1
            self._process = process = self._loop.process(f"worker {self._tried.lives}")
            self._gone = asyncio.Event()
            steps = [ending for ending in self._endings if ending.what == "step"]
            self._endings = [ending for ending in self._endings if ending.what != "step"]
            fuse = steps[0].nth if steps else NO_FUSE
            process.fuse, process.burnt = fuse, partial(self._end, process)
            worker = Worker(
                self._log, CODEC, self._rows, ports, identity=Identity(process.name, "1"),
                children=_Children(self._store), reach=partial(self._happens, process),
            )  # fmt: skip
            task = self._loop.spawn(process, worker.run(self._stop))
            gone = asyncio.ensure_future(self._gone.wait())
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            self._tried.happened["step"] += fuse - process.fuse
            self._loop.kill(process)
            gone.cancel()
            error = task.exception() if task.done() else None
            if error is not None and not isinstance(error, PASSING):
                raise error

    def _fault(self, operation: str, happened: bool) -> None:
        if operation == "commit":
            self._happens(self._process, f"commit {'after' if happened else 'before'}")

    def _happens(self, process: Process, what: str) -> None:
        """Note it, and end the worker where it is to end now."""
        self._tried.happened[what] += 1
        for ending in self._endings:
            if ending.what == what and ending.nth == self._tried.happened[what]:
                self._endings.remove(ending)
                if not ending.kills:
                    raise OutcomeUnknown("the answer was lost; start again")
                self._end(process)
                raise Killed

    def _end(self, process: Process) -> None:
        self._loop.kill(process)
        self._gone.set()

    # -- what stands on the log

    def _ledger(self, row: Processor, number: int) -> tuple[Ledger, int | None]:
        name = row.changelog.name
        folding = Folding(f"{name}[{number}]")
        records = self._log.partition(name, number).records
        folding.take([(record.key_bytes or b"", record.value) for record in records])
        restored = folding.restored()
        return read_ledger(name, restored.state), restored.position

    def _effect(self, told: Any) -> OpenEffect:
        found = [
            effect
            for row in self._rows
            for number in range(PARTITIONS)
            for effect in self._ledger(row, number)[0].effects.values()
            if told == effect.effect_id or _plain(told) == effect.arguments
        ]
        return found[0]

    async def _quiet(self, *, timers: bool) -> None:
        until = self._loop.time() + QUIET_SECONDS_MAX
        while reason := self._unrest(timers=timers):
            assert self._loop.time() < until, f"it does not come to rest: {reason}"
            await asyncio.sleep(LOOK_SECONDS)

    def _unrest(self, *, timers: bool) -> str:
        return next(filter(None, (self._unrest_of(row, timers) for row in self._rows)), "")

    def _unrest_of(self, row: Processor, timers: bool) -> str:
        waiting = {effect.name for effect in row.effects if effect.kind == "timer"}
        for number in range(PARTITIONS):
            end = self._log.partition(row.reads.name, number).end
            ledger, position = self._ledger(row, number)
            if end and position != end:
                return f"partition {number} is at {position} of {end}"
            for effect in ledger.effects.values():
                if timers or effect.name not in waiting:
                    return f"the effect {effect.name} is open; parked: {effect.parked}"
        return ""

    def _look(self) -> None:
        for record in self._records():
            if record.topic == topics.PARKED.name:
                self._tried.parked.append(record.event.payload()["error"])
            elif record.event.envelope.producer.service in {row.name for row in self._rows}:
                self._tried.facts.append(canonical(record.event, with_id=True))
                effect = record.event.envelope.effect_id
                if effect is not None:
                    self._tried.effects[effect] += 1

    def _records(self) -> list[Recorded]:
        return [
            record
            for topic in topics.TOPICS
            for number in range(PARTITIONS)
            for record in self._log.partition(topic.name, number).records
        ]


def _plain(told: Any) -> Any:
    return told.model_dump(mode="json") if isinstance(told, Arguments) else None


class _Children:
    """Effects on bytes, done in place after a while."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def perform(
        self, processor: str, effect: OpenEffect, kind: Bytes, number: int, progress: Progress
    ) -> Sequence[Event]:
        """Do one effect."""
        await asyncio.sleep(1)
        attempt = ByteAttempt(effect.effect_id, number, self._store, progress)
        return kind.perform(kind.arguments(**effect.arguments), attempt)
