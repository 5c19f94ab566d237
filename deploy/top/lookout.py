"""Reads what `genoflow top` shows: the log alone, and of each topic only what came since.

A look that fails keeps what was read before; the next one goes on from there, over a new
connection. Where a topic holds less than was read, it is another one, and reading begins anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from genoflow.deploy.event_lines import event_of
from genoflow.deploy.story import wanted
from genoflow.deploy.top.show import Seen
from genoflow.deploy.tower_shown import SOURCES, TowerTable
from genoflow.deploy.worker_status import read_standing
from genoflow.events import topics
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.errors import LogUnavailable
from genoflow.events.log.filters import Filter
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Recorded
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.watchtower.fold import Tower
from genoflow.projections.alerts import USES, Alert, AlertRow

POLL_SECONDS = 0.2
# A client that has lost its broker waits in silence; a broker that is there answers each fetch.
STILL_SECONDS_MAX = 15.0
FIRST_SECONDS_MAX = 5.0  # to look at one record of each partition that the tower has not
RATE = timedelta(minutes=5)
RULES = Filter(frozenset({AlertRulesPublished.type()}))

Take = Callable[[Recorded], None]
Place = tuple[str, int]


class Followed:
    """One topic, from its start to its end as of now, and then what came since."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._next: Vector = {}

    async def is_another(self, log: EventLog) -> bool:
        """Whether the topic holds less than was read of it: it was made anew."""
        ends = await log.ends(self._topic)
        return any(ends.get(place, 0) < at for place, at in self._next.items())

    async def take_new(self, log: EventLog, take: Take) -> None:
        """Give what is new, in order; what was given before a failure is given once more."""
        ends = await log.ends(self._topic)
        starts = self._next or await log.starts(self._topic)
        left = {place: at for place, at in starts.items() if at < ends[place]}
        if left:
            await _read(log, left, ends, take)
        self._next = ends


async def _read(log: EventLog, start: Vector, ends: Vector, take: Take) -> None:
    """As `EventLog.read`, but a broker that goes away is an error and no silence."""
    moved, here = time.monotonic(), dict(start)
    async with await log.reader(start) as reader:
        while any(here[place] < ends[place] for place in start):
            for record in await reader.poll(POLL_SECONDS):
                if record.offset < ends[record.topic, record.partition]:
                    take(record)
            before, here = here, reader.positions()
            if here != before:
                moved = time.monotonic()
            elif time.monotonic() - moved > STILL_SECONDS_MAX:
                raise LogUnavailable(
                    f"{', '.join(sorted({topic for topic, _ in start}))}: nothing came for "
                    f"{STILL_SECONDS_MAX:g} s; the broker is away or busy, try again"
                )


class Untaken:
    """The oldest record of the log that the tower has not taken: as old as its table is late."""

    def __init__(self) -> None:
        self._first: dict[Place, tuple[int, datetime]] = {}  # the record behind what is taken
        self._nothing: Vector = {}  # up to here a partition holds nothing but ends of transactions

    async def oldest(self, log: EventLog, tower: Tower, ends: Vector) -> datetime | None:
        """When the log took it; None where the tower has all that there is."""
        taken = tower.positions()
        behind = {place: taken.get(place, 0) for place, end in ends.items()}
        behind = {
            place: at for place, at in behind.items()
            if max(at, self._nothing.get(place, 0)) < ends[place]
        }  # fmt: skip
        known = {
            place: first for place, first in self._first.items()
            if place in behind and first[0] >= behind[place]
        }  # fmt: skip
        self._first = known
        asked = {place: at for place, at in behind.items() if place not in known}
        if asked:
            await self._ask(log, asked, ends)
        return min((at for _, at in self._first.values()), default=None)

    async def _ask(self, log: EventLog, asked: Vector, ends: Vector) -> None:
        left = set(asked)
        until = time.monotonic() + FIRST_SECONDS_MAX
        async with await log.reader(asked) as reader:
            while left and time.monotonic() < until:
                for record in await reader.poll(POLL_SECONDS):
                    place = (record.topic, record.partition)
                    if place in left:
                        left.remove(place)
                        self._first[place] = (record.offset, record.recorded_at)
                here = reader.positions()
                for place in [one for one in left if here[one] >= ends[one]]:
                    left.remove(place)
                    self._nothing[place] = ends[place]


class Lookout:
    """What was read so far, to be read on at each look."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._table, self._untaken = TowerTable(), Untaken()
        self._alerts: dict[str, Alert] = {}
        self._rules: dict[str, AlertRulesPublished] = {}
        self._followed: tuple[tuple[Followed, Take], ...] = (
            (Followed(topics.TOWER.name), self._table.take),
            (Followed(topics.ALERT.name), self._alert),
            (Followed(topics.CATALOG.name), self._rule),
        )

    def _alert(self, record: Recorded) -> None:
        event = event_of(record)
        if event is not None and type(event) in USES:
            self._alerts.setdefault(event.key, Alert()).take(event)

    def _rule(self, record: Recorded) -> None:
        event = event_of(record) if wanted(record, RULES) else None
        if isinstance(event, AlertRulesPublished):
            self._rules[event.document_id] = event

    @property
    def alerts(self) -> list[AlertRow]:
        """Every alert that was ever raised."""
        return [one.row for one in self._alerts.values() if one.row is not None]

    async def look(self, log: EventLog, now: datetime) -> Seen:
        """What there is to be seen now."""
        if any([await followed.is_another(log) for followed, _ in self._followed]):
            self._begin()
        for followed, take in self._followed:
            await followed.take_new(log, take)
        tower = self._table.tower()
        ends: Vector = {}
        grew = 0
        for name in SOURCES:
            mine = await log.ends(name)
            before = await log.offsets_at(name, now - RATE)
            grew += sum(max(0, end - before.get(place, end)) for place, end in mine.items())
            ends |= mine
            await asyncio.sleep(0)
        return Seen(
            tower=tower,
            standing=await read_standing(log, PROCESSORS.values(), now),
            alerts=self.alerts,
            rules=tuple(self._rules.values()),
            ends_at=await self._untaken.oldest(log, tower, ends),
            records_per_minute=round(grew / (RATE.total_seconds() / 60), 1),
        )
