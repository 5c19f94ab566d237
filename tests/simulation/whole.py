"""The whole flow in the simulator: every row of it, a small cohort, and workers that die.

The rows are those of FLOW, whatever they are. Time is virtual, every await is a step, and a worker
that is killed does nothing more. What stands in the end is judged beside a run without faults.

    python -m tests.simulation.whole SEED …
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any
from unittest import mock

from genoflow.events import topics
from genoflow.events.errors import OutcomeUnknown, Retry
from genoflow.events.event import Event
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log import memory_work
from genoflow.events.log.changelog import Folding
from genoflow.processors import task_loop, worker
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ledger import OpenEffect, read_ledger
from genoflow.processors.processor import Kind, Processor
from genoflow.processors.reach import POINTS
from genoflow.processors.worker import PASSING, Identity, Worker
from tests.fakes import FakeClock
from tests.faults.verdict import Schemas
from tests.partition import CODEC
from tests.simulation import loop as simulated
from tests.simulation.loop import Killed, Process, SimulatedLoop
from tests.simulation.quiet_log import QuietLog
from tests.simulation.run import quiet_words
from tests.whole.cohort import Cohort, make, reported
from tests.whole.compute import InPlace, computing
from tests.whole.outside import Outside
from tests.whole.verdict import Fact, fact_of, judge, plain

SCHEMAS = Schemas()
LOOK_SECONDS = 3.0
QUIET_SECONDS = 30.0  # virtual: a session, all pauses of an effect, and the wait of a receiver
SECONDS_MAX = 3_600.0  # virtual
KILLS_MAX = 4
STEPS_OF_A_LIFE = 2_000  # a cohort of three takes about twice as many
COHORTS = 25  # runs without faults are played once for each
SAMPLES = 3
DOMAIN = tuple(topic.name for topic in topics.TOPICS if topic.name != topics.WORKERS.name)
OUTSIDE_FAULTS = 0.01  # of each question to the store, the launcher and the receivers
COMMIT_FAULTS = 0.001
# Thirty rows wait most of the time: what is done only because time passes is done seldom.
SELDOM: Mapping[Any, Mapping[str, float]] = {
    worker: {"POLL_SECONDS": 15.0, "STATUS_SECONDS": 3_600.0},
    memory_work: {"BEAT_SECONDS": 4.0},
    simulated: {"STEPS_MAX": 100_000_000},  # a big cohort has no limit but its virtual time
}
SMALL: Mapping[Any, Mapping[str, float]] = {
    task_loop: {"BATCH_RECORDS_MAX": 2, "INBOX_RECORDS_MAX": 3, "OPEN_EFFECTS_MAX": 5},
}


@dataclass(slots=True)
class Played:
    """What came of a run."""

    facts: list[Fact] = field(default_factory=list)
    open_effects: list[str] = field(default_factory=list)
    lives: int = 0
    kills: int = 0
    steps: int = 0
    sent_again: int = 0
    begun: Counter[Any] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)  # the points at which it was killed
    broken: list[str] = field(default_factory=list)


@contextlib.contextmanager
def limits(*, small: bool) -> Iterator[None]:
    """The limits of a worker under simulation; small ones are met even by a small cohort."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet_words())
        for module, values in {**SELDOM, **(SMALL if small else {})}.items():
            for name, value in values.items():
                stack.enter_context(mock.patch.object(module, name, value))
        yield


@lru_cache(maxsize=COHORTS)
def calm(cohort_seed: int) -> Mapping[str, Counter[str]]:
    """What is said of every key in a run without faults."""
    return plain(play(make(cohort_seed, SAMPLES, SAMPLES)).facts)


def play(cohort: Cohort, seed: int = 0, *, faults: bool = False) -> Played:
    """One run of a cohort, to its end."""
    with limits(small=seed % 4 == 1):
        return Whole(cohort, seed, faults=faults).run()


def logged(cohort: Cohort) -> list[Event]:
    """All that stands on the log in the end of a run without faults, topic by topic."""
    with limits(small=False):
        whole = Whole(cohort, 0, faults=False)
        whole.run()
    return whole.events()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed."""

    seed: int
    broken: tuple[str, ...]
    kills: int
    facts: int
    passed: frozenset[str]


def simulate_whole(seed: int) -> Result:
    """Play a seed under faults, and judge it beside the same cohort without any."""
    number = seed % COHORTS
    cohort = make(number, SAMPLES, SAMPLES)
    try:
        played = play(cohort, seed, faults=True)
    except Exception as error:  # noqa: BLE001 -- whatever ends a run is a finding, with its seed
        return Result(
            seed, (f"a run has an end: {type(error).__name__}: {error}",), 0, 0, frozenset()
        )
    finding = judge(cohort, played.facts, calm(number))
    broken = (*finding.examples, *played.open_effects, *played.broken)
    return Result(seed, broken, played.kills, len(played.facts), frozenset(played.passed))


class Whole:
    """One run of the whole flow over one cohort."""

    def __init__(self, cohort: Cohort, seed: int, *, faults: bool, partitions: int = 1) -> None:
        self._loop = SimulatedLoop(seed, in_order=seed % 2 == 0)  # type: ignore[abstract]
        self._cohort = cohort
        self._random = random.Random(f"whole {seed}")
        self._faults = faults
        self._kills = self._random.randint(1, KILLS_MAX) if faults else 0
        self._rows = computing(PROCESSORS.values(), cohort)
        self._clock = FakeClock(seconds=self._loop.time)
        self._partitions = partitions
        self._log = QuietLog(
            self._loop,
            [*topics.TOPICS, *(row.changelog for row in self._rows)], partitions=partitions,
            codec=CODEC, now=self._clock.now, fault=self._log_fault,
        )  # fmt: skip
        self._outside = self._loop.build(
            lambda: Outside(cohort, self._clock, fault=self._outside_fault)
        )
        self._stop = asyncio.Event()
        self._gone = asyncio.Event()
        self._armed: str | None = None
        self._over = False
        self.played = Played()

    def run(self) -> Played:
        """Play it to rest."""
        self._loop.run_until_complete(self._whole())
        self.played.steps = self._loop.steps
        return self.played

    def events(self) -> list[Event]:
        """All that stands on the log, topic by topic."""
        return [
            record.event
            for name in DOMAIN
            for number in range(self._partitions)
            for record in self._log.partition(name, number).records
        ]

    async def _whole(self) -> None:
        lives = asyncio.ensure_future(self._lives())
        porch = asyncio.ensure_future(self._porch())
        person = asyncio.ensure_future(self._person())
        await porch
        await self._quiet(lives)
        person.cancel()
        self._over = True
        self._stop.set()
        await lives
        self._look()

    # -- those around it

    async def _porch(self) -> None:
        for event in reported(self._cohort, self._clock.now()):
            if self._faults and self._random.random() < 0.1:
                await asyncio.sleep(self._random.random() * 3)
            await self._log.append_atomically([event])

    async def _person(self) -> None:
        seen = [0] * self._partitions
        while True:
            for number in range(self._partitions):
                records = self._log.partition(topics.SAMPLE.name, number).records
                for record in records[seen[number] :]:
                    if record.type == FileRejected.type():
                        event = record.event
                        assert isinstance(event, FileRejected)
                        await self._log.append_atomically([self._outside.send_again(event)])
                seen[number] = len(records)
            await asyncio.sleep(1.0)

    async def _quiet(self, lives: asyncio.Future[None]) -> None:
        size, since = (0, 0), self._loop.time()
        while self._loop.time() - since < QUIET_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            if lives.done():
                lives.result()
            if size != (size := self._size()):
                since = self._loop.time()
            assert self._loop.time() < SECONDS_MAX, "it does not come to rest"

    def _size(self) -> tuple[int, int]:
        """What grows as long as anything happens: the log, and the lives of the worker."""
        records = sum(
            len(self._log.partition(name, number).records)
            for name in DOMAIN
            for number in range(self._partitions)
        )
        return records, self.played.lives

    # -- the worker

    async def _lives(self) -> None:
        while not self._over:
            self.played.lives += 1
            process = self._loop.process(f"worker {self.played.lives}")
            self._gone = asyncio.Event()
            self._arm(process)
            worker = Worker(
                self._log, CODEC, self._rows, self._outside.ports,
                identity=Identity(process.name, "1"), children=InPlace(self._cohort),
                reach=partial(self._reached, process),
            )  # fmt: skip
            task = self._loop.spawn(process, worker.run(self._stop))
            gone = asyncio.ensure_future(self._gone.wait())
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            self._loop.kill(process)
            gone.cancel()
            error = task.exception() if task.done() else None
            if error is not None and not isinstance(error, PASSING):
                raise error

    def _arm(self, process: Process) -> None:
        """The next death of the worker, if it still has one before it."""
        self._armed = None
        if self.played.kills >= self._kills:
            return
        process.fuse = self._random.randint(1, STEPS_OF_A_LIFE)
        if self._random.random() < 0.5:
            process.burnt = partial(self._end, process)
        else:
            point = self._random.choice(POINTS)
            process.burnt = partial(setattr, self, "_armed", point)

    def _reached(self, process: Process, point: str) -> None:
        if self._armed == point:
            self._armed = None
            self.played.passed.add(point)
            self._end(process)
            raise Killed

    def _end(self, process: Process) -> None:
        self.played.kills += 1
        self._loop.kill(process)
        self._gone.set()

    # -- what fails

    def _log_fault(self, operation: str, happened: bool) -> None:
        if self._faults and operation == "commit" and self._random.random() < COMMIT_FAULTS:
            raise OutcomeUnknown("the answer of a commit was lost; start again")

    def _outside_fault(self, operation: str) -> None:
        if self._faults and self._random.random() < OUTSIDE_FAULTS:
            raise Retry(f"{operation}: no answer; try again")

    # -- what stands in the end

    def _look(self) -> None:
        self.played.facts = [
            fact_of(SCHEMAS, name, record.key, number, record.offset, record.value or b"")
            for name in DOMAIN
            for number in range(self._partitions)
            for record in self._log.partition(name, number).records
        ]
        self.played.begun = self._outside.launcher.begun
        self.played.sent_again = self._outside.sent_again()
        for row in self._rows:
            for number in range(self._partitions):
                self.played.open_effects += [
                    f"{row.name}: {effect.name} of {effect.subject_key}"
                    for effect in self._open(row, number)
                    if not _waits(row, effect)
                ]

    def _open(self, row: Processor, number: int) -> list[OpenEffect]:
        name = row.changelog.name
        folding = Folding(f"{name}[{number}]")
        records = self._log.partition(name, number).records
        folding.take([(record.key_bytes or b"", record.value) for record in records])
        restored = folding.restored()
        end = self._log.partition(row.reads.name, number).end
        if end and restored.position != end:
            self.played.broken.append(f"{row.name} is at {restored.position} of {end}")
        return list(read_ledger(name, restored.state).effects.values())


def _waits(row: Processor, effect: OpenEffect) -> bool:
    return any(one.name == effect.name and one.kind is Kind.TIMER for one in row.effects)


if __name__ == "__main__":
    results = [simulate_whole(int(seed)) for seed in sys.argv[1:]]
    for result in results:
        print(f"seed {result.seed}: {result.facts} facts, {result.kills} kills")
        print("\n".join(result.broken))
    sys.exit(any(result.broken for result in results))
