"""A tower over a recorded log, played through time: it may be away, and die in its writing."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from genoflow.events import topics
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import Key, Value, read_key, read_value, write_value
from genoflow.processors.watchtower.watch import Watch
from tests.examples import someone

Place = tuple[str, int]


class Dead(Exception):
    """The tower died here."""


class Changelog:
    """Values as the table's topic has them: what a partition was sent comes in order, or not."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self._sent: dict[int, list[tuple[bytes, bytes | None]]] = defaultdict(list)

    def write(self, key: Key, value: Value | None) -> None:
        """Send this value."""
        written = None if value is None else write_value(value, 1)
        self._sent[key.partition].append((key.written(), written))

    def arrive(self, lost: Random | None = None) -> None:
        """Everything arrives that was sent; of each partition a part, where its sender died."""
        for sent in self._sent.values():
            upto = len(sent) if lost is None else lost.randrange(len(sent) + 1)
            for name, written in sent[:upto]:
                if written is None:
                    self.kept.pop(name, None)
                else:
                    self.kept[name] = written
        self._sent.clear()

    def restored(self) -> list[tuple[Key, Value]]:
        """What a successor finds."""
        found = [(read_key(name), written) for name, written in self.kept.items()]
        return [(key, read_value(key, written)) for key, written in found]


class Lab:
    """A log and a tower that reads it."""

    def __init__(self, rules: AlertRulesPublished, *, seed: int = 1, deaths: float = 0.0) -> None:
        self.said: list[Event] = []
        self.deaths = 0  # that happened
        self.changelog = Changelog()
        self._rules, self._deaths, self._chance = rules, deaths, Random(seed)
        self._log: dict[Place, list[Recorded]] = defaultdict(list)
        self._ends: dict[Place, int] = {}  # how far time has come
        self.watch = self._tower()

    @property
    def tower(self) -> Tower:
        """What it knows."""
        return self.watch.tower

    def _tower(self) -> Watch:
        watch = Watch(self._append, someone(), self.changelog)
        watch.rule_by(self._rules)
        watch.begin_again(self.changelog.restored())
        return watch

    async def _append(self, events: Iterable[Event]) -> None:
        if self._chance.random() < self._deaths:
            raise Dead
        self.said += events

    async def play(
        self, events: Sequence[Event], *, every: timedelta = timedelta(hours=8), partitions: int = 4
    ) -> None:
        """Let time go by over these events; the tower looks so often, and once at the end."""
        records = await logged(events, partitions)
        for record in records:
            self._log[record.topic, record.partition].append(record)
        at, end = records[0].recorded_at, records[-1].recorded_at + timedelta(days=3)
        while at < end:
            at = min(at + every, end)
            self._ends = {
                place: bisect_right(known, at, key=lambda one: one.recorded_at)
                for place, known in self._log.items()
            }
            await self._round(at.timestamp())

    async def _round(self, now: float) -> None:
        while True:
            try:
                await self._catch_up()
                await self.watch.look(now)
                self._written()
            except Dead:
                self.deaths += 1
                self.changelog.arrive(lost=self._chance)
                self.watch = self._tower()
            else:
                return

    async def _catch_up(self) -> None:
        places = list(self._ends)
        self._chance.shuffle(places)
        known = self.tower.positions()
        for place in places:
            waiting = self._log[place][known.get(place, 0) : self._ends[place]]
            while waiting:
                size = self._chance.randrange(1, 40)
                await self.watch.take(waiting[:size])
                self._written()
                waiting = waiting[size:]

    def _written(self) -> None:
        if self._chance.random() < self._deaths:
            raise Dead
        self.changelog.arrive()

    def told(self) -> dict[Any, Any]:
        """What was said, each once by its id; the same id twice has to be the same fact."""
        found: dict[Any, Any] = {}
        for one in self.said:
            fact = (one.type(), one.payload(), one.envelope.occurred_at)
            assert found.setdefault(one.envelope.event_id, fact) == fact
        return found


async def logged(events: Sequence[Event], partitions: int = 4) -> list[Recorded]:
    """The records of these events, each taken when it happens, in that order."""
    moments = iter([event.envelope.occurred_at for event in events])
    log = MemoryLog(partitions=partitions, now=lambda: next(moments))
    for event in events:
        await log.append(event)
    records = [record for topic in topics.TOPICS async for record in log.read_topic(topic.name)]
    return sorted(records, key=lambda one: one.recorded_at)
