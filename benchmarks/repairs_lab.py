"""A lab that loses events, in simulated time: what happens in it, and who notices and repairs."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.envelope import Producer
from genoflow.events.errors import Retry
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Vector
from genoflow.events.run_exited import RunExited
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_started import TaskStarted
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.intake.looks import Looks
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.run_source import Jobs, RunSource
from genoflow.processors.intake.store_source import StoreSource
from genoflow.processors.intake.task_news import TASK_NEWS
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import Attempt, JobState, Ports
from genoflow.processors.repair_sources import REPAIR_SOURCES, Wanted, ask, away
from genoflow.processors.sources import Answer, Question
from genoflow.processors.watchtower.kept import Key, Value
from genoflow.processors.watchtower.watch import Watch
from tests.examples import bare_example, someone
from tests.fakes import FakeClock, FakeLauncher, FakeStore
from tests.partition import Partition
from tests.shelves import FakeShelves, message, porch_over

BEGINS = datetime(2026, 3, 1, tzinfo=UTC)
LOSS = 0.1
DAYS = 3.0  # over which subjects begin
HOURS_MAX = 24 * (DAYS + 7)  # what is waited for then nobody brings
TAIL = 2.0  # of Pareto's law: the mean is twice the least, the variance is endless
AWAY_FROM, AWAY_UNTIL = 3.0, 4.0  # hours of each day at which the store does not answer
LOOK = timedelta(minutes=1)
PAUSES_SECONDS = (1, 2, 4, 8, 15)  # of the worker's runner
# Seconds that each takes at least.
LEAST = {"land": 1_200.0, "start": 60.0, "task": 600.0}
LIMITS = {
    "quantile": 0.99, "margin": 3.0, "floor_seconds": 900.0, "ceiling_seconds": 86_400.0,
    "observations_min": 50, "severity": "warning", "group_by": "stage",
}  # fmt: skip
STAGES = ("land", "start", "task", "run")

Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lost:
    """An event that did not come, and the wait that it would have ended."""

    event_id: UUID
    subject: str
    stage: str
    item: str
    at: datetime


class _Nowhere:
    def write(self, key: Key, value: Value | None) -> None:
        """Keep nothing: nobody dies here."""


def rules() -> AlertRulesPublished:
    """What is late, by stage."""
    said = tuple(
        AlertRule(rule=f"{kind}-{stage}", kind=kind, stage=stage, **LIMITS)
        for stage, kind in zip(STAGES, ("missing", "late", "late", "missing"), strict=True)
    )
    return AlertRulesPublished(
        document_id="alerts", version="1", title="What is late", rules=said,
        content_sha256="0" * 64,
    )  # fmt: skip


class Lab:
    """Everything that happens, in the order of a simulated clock."""

    def __init__(
        self,
        seed: int,
        subjects: int,
        folder: Path,
        *,
        story: Callable[[Lab, int], Deed],
        repairs: bool = True,
        hours_max: float = HOURS_MAX,
    ) -> None:
        self.random = random.Random(seed)
        self.subjects = subjects
        self._repairs, self._hours_max = repairs, hours_max
        self.story = partial(story, self)  # how a subject begins
        self.clock = FakeClock(BEGINS)
        self.log = MemoryLog(partitions=2, now=self.clock.now)
        self.shelves = FakeShelves(FakeClock(BEGINS), self._fault)
        self.store = FakeStore(self.clock)
        self.jobs: dict[UUID, JobState] = {}
        self.folder = folder
        self._porch = porch_over(self.log, self.shelves, self.clock)
        self._deeds: list[tuple[datetime, int, Deed]] = []
        self._count = itertools.count()
        self._watch = Watch(self._alert, someone(), _Nowhere())
        self._watch.rule_by(rules())
        self._at: Vector = {}
        self._repair = Partition(REPAIR_SOURCES)
        self._timer = Partition(PROCESSORS["clock-alert"])
        self._busy: set[UUID] = set()
        self.ports = Ports(self.clock, sources=self._sources())
        # What is compared in the end.
        self.lost: dict[UUID, Lost] = {}
        self.told = 0
        self.on_log: dict[UUID, datetime] = {}
        self.brought: set[UUID] = set()
        self.alerts: dict[UUID, tuple[Event, datetime]] = {}  # and when each was said
        self.said: list[Event] = []
        self.resolved = 0
        self.crawls = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.log.close()

    @property
    def hours(self) -> float:
        """How long all of it took, by the simulated clock."""
        return (self.clock.now() - BEGINS).total_seconds() / 3_600

    def _fault(self, operation: str) -> None:
        hour = (self.clock.now() - BEGINS).total_seconds() / 3_600 % 24
        if AWAY_FROM <= hour < AWAY_UNTIL:
            raise Retry(f"{operation}: the store does not answer")

    def _sources(self) -> Sources:
        launcher = FakeLauncher(self.store, "work", lambda _: None)
        launcher.find = self._find  # type: ignore[method-assign]
        jobs = Jobs(
            launcher, "local", self.store, "work", lambda run_id, _: (self.folder / str(run_id),)
        )
        runs = RunSource(
            self.log, LogSubjects(self.log), jobs, Looks(self.log, self.clock), clock=self.clock,
            by=Producer(service=TASK_NEWS, version="0"),
        )  # fmt: skip
        porch = porch_over(self.log, self.shelves, self.clock)
        crawl = StoreSource(porch, self.shelves, Looks(self.log, self.clock), "raw", "in/")
        return Sources(self, crawl, runs)

    async def _find(self, effect_id: UUID) -> JobState:
        return self.jobs.get(effect_id, JobState.UNKNOWN)

    # -- time

    def at(self, moment: datetime, deed: Deed) -> None:
        """Do this then."""
        heapq.heappush(self._deeds, (moment, next(self._count), deed))

    async def play(self) -> None:
        """Let everything happen, and look each minute as long as somebody waits for something."""
        for number in range(self.subjects):
            begins = BEGINS + timedelta(days=self.random.random() * DAYS)
            self.at(begins, self.story(number))
        self.at(BEGINS + LOOK, self._look)
        while self._deeds:
            moment, _, deed = heapq.heappop(self._deeds)
            now = self.clock.now()
            self.clock.jump((moment - now).total_seconds())
            self.shelves.clock.jump((moment - self.shelves.clock.now()).total_seconds())
            await deed()
            await self._follow()

    def length(self, stage: str) -> timedelta:
        """How long something takes: seldom very long."""
        return timedelta(seconds=LEAST[stage] * self.random.paretovariate(TAIL))

    # -- the tower, and what follows from its alerts

    async def _look(self) -> None:
        await self._watch.look(self.clock.now().timestamp())
        waits = any(
            stage in STAGES for _, one in self._watch.tower.subjects() for stage, _ in one.waits
        )
        if self._deeds or (waits and self.hours < self._hours_max):
            self.at(self.clock.now() + LOOK, self._look)

    async def _follow(self) -> None:
        """Have the tower take what is new of samples and runs."""
        for topic in (topics.SAMPLE.name, topics.RUN.name):
            ends = await self.log.ends(topic)
            if all(self._at.get(place) == end for place, end in ends.items()):
                continue
            known = {place: self._at[place] for place in ends if place in self._at}
            start = known or await self.log.starts(topic)
            records = [record async for record in self.log.read(start, ends)]
            self._at |= ends
            for record in records:
                self.on_log.setdefault(UUID(str(record.event_id)), self.clock.now())
                if record.type == RunExited.type():
                    self._exited(record.event)
            await self._watch.take(records)

    async def _alert(self, events: Iterable[Event]) -> None:
        found = list(events)
        for event in found:
            await self.log.append(event)
            self.alerts.setdefault(event.envelope.event_id, (event, self.clock.now()))
        self.resolved += sum(isinstance(one, AlertResolved) for one in found)
        if self._repairs:
            self._repair.put(*found)
            await self._work()

    async def _work(self) -> None:
        """What the decider says stands on the log; its effects and deadlines are taken up."""
        said = self._repair.work()
        await self._commit(said)
        for effect in self._repair.open_effects:
            if effect.effect_id not in self._busy:
                self._busy.add(effect.effect_id)
                self.at(self.clock.now(), partial(self._ask, effect, 0))

    async def _commit(self, said: Iterable[Event]) -> None:
        for event in said:
            await self.log.append(event)
            self.said.append(event)
            if isinstance(event, DeadlineSet):
                self._timer.put(event)
                self._timer.work()
        for effect in self._timer.open_effects:
            if effect.effect_id not in self._busy:
                self._busy.add(effect.effect_id)
                due_at = datetime.fromisoformat(str(effect.arguments["due_at"]))
                self.at(due_at, partial(self._passed, effect))

    async def _passed(self, effect: OpenEffect) -> None:
        until = effect.arguments
        kind = PROCESSORS["clock-alert"].effects[0]
        said = kind.passed(kind.arguments(**until))  # type: ignore[union-attr]
        passed = self._timer.finish(effect.effect_id, *said, occurred_at=self.clock.now())
        assert all(isinstance(one, DeadlinePassed) for one in passed)
        await self._commit(passed)
        self._repair.put(*passed)
        await self._work()

    async def _ask(self, effect: OpenEffect, pauses: int) -> None:
        """One try of the effect, as a worker does it: again while the source is away."""
        wanted = Wanted(**effect.arguments)
        try:
            said = await ask(wanted, Attempt(effect.effect_id, 1, self.ports, lambda *_: None))
        except Retry as error:
            if pauses < len(PAUSES_SECONDS):
                later = self.clock.now() + timedelta(seconds=PAUSES_SECONDS[pauses])
                self.at(later, partial(self._ask, effect, pauses + 1))
                return
            said = away(wanted, str(error))
        await self._commit(
            self._repair.finish(effect.effect_id, *said, occurred_at=self.clock.now())
        )
        await self._work()

    # -- what is told and what gets lost

    async def tell(self, event: Event) -> None:
        """Append it: our own rows lose nothing."""
        await self.log.append(event)

    def loses(self, event_id: UUID, subject: str, stage: str, item: str) -> bool:
        """Whether this event is one of those that do not come."""
        self.told += 1
        if self.random.random() >= LOSS:
            return False
        self.lost[event_id] = Lost(event_id, subject, stage, item, self.clock.now())
        return True

    async def hear(self, place: Place, number: int) -> None:
        """The store's message comes, and comes again while the store is away."""
        try:
            await self._porch.take([message(place, number)])
        except Retry:
            self.at(self.clock.now() + LOOK, partial(self.hear, place, number))

    def _exited(self, event: Event) -> None:
        """What collect-results says of it, a little later."""
        assert isinstance(event, RunExited)
        fact = bare_example(RunSucceeded).model_copy(
            update={"run_id": event.run_id, "attempt": event.attempt, "job_id": event.job_id}
        )
        at = self.clock.now() + timedelta(seconds=5)
        by = Producer(service="collect-results", version="0")
        self.at(at, lambda: self.tell(event.follow(fact, by=by, occurred_at=at)))


class Sources:
    """The sources of the lab; what they bring is noted."""

    def __init__(self, lab: Lab, crawl: StoreSource, runs: RunSource) -> None:
        self._lab = lab
        self._crawl = crawl
        self._runs = runs

    async def ask(self, question: Question) -> Answer:
        """What the source of this porch has."""
        source = self._runs if question.porch == TASK_NEWS else self._crawl
        answer = await source.ask(question)
        self._lab.crawls += source is self._crawl and not answer.is_shared
        begins = (TaskStarted,)  # told with its end
        self._lab.brought |= {
            one.envelope.event_id for one in answer.brought if not isinstance(one, begins)
        }
        return answer
