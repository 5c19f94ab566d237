"""Looks at a place that many ask for: one at a time, one in a while, and shared by whoever asks.

A thousand alerts of one bucket lead to one crawl of it, and a thousand late tasks of one run to one
reading of its trace. What a look brought is told to everybody who asks within the pause. A worker
that begins knows from the log when places were looked at last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genoflow.events import topics
from genoflow.events.errors import MalformedEvent
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.repair_tried import RepairTried
from genoflow.processors.ports import Clock
from genoflow.processors.sources import Answer, Question

# Half of the pause before the second try, so each try of an alert has a look of its own.
PAUSE = timedelta(minutes=5)

PLACES_KEPT_MAX = 1_000  # before those that are no longer fresh are forgotten; 100 bytes each


@dataclass(frozen=True, slots=True)
class Found:
    """What a look has appended, by subject, and what else it saw."""

    brought: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    reason: str = "another worker looked there a short while ago"


@dataclass(frozen=True, slots=True)
class Look:
    """When a look at a place began, and what came of it."""

    began_at: datetime
    found: Found
    is_shared: bool


class Looks:
    """The looks of one process, and from the log those of others that are over."""

    def __init__(self, log: EventLog, clock: Clock, pause: timedelta = PAUSE) -> None:
        self._log = log
        self._clock = clock
        self._pause = pause
        self._newest: dict[str, tuple[datetime, asyncio.Task[Found]]] = {}
        self._told: dict[str, datetime] = {}
        self._at: Vector = {}
        self._one = asyncio.Lock()

    async def at(self, place: str, look: Callable[[], Awaitable[Found]]) -> Look:
        """The newest look at a place, made now unless there is one that is fresh enough."""
        async with self._one:
            known = self._fresh(place)
            is_shared = known is not None
            if known is None:
                await self._catch_up()
                now = self._clock.now()
                told_at = self._told.get(place)
                if told_at is not None and now - self._pause < told_at <= now:
                    return Look(told_at, Found(), is_shared=True)
                # A task of its own: whoever asked first may be given up, and others wait.
                known = now, asyncio.ensure_future(look())
                self._forget(now)
                self._newest[place] = known
        began_at, task = known
        return Look(began_at, await asyncio.shield(task), is_shared)

    async def answer(
        self, question: Question, place: str, look: Callable[[], Awaitable[Found]]
    ) -> Answer:
        """What the newest look at a place has told of the subject that the question is about."""
        newest = await self.at(place, look)
        brought = tuple(newest.found.brought.get(question.key, ()))
        return Answer(place, newest.began_at, brought, newest.found.reason, newest.is_shared)

    def _fresh(self, place: str) -> tuple[datetime, asyncio.Task[Found]] | None:
        known = self._newest.get(place)
        if known is None:
            return None
        began_at, task = known
        if not task.done():
            return known
        has_failed = task.cancelled() or task.exception() is not None
        return None if has_failed or self._clock.now() >= began_at + self._pause else known

    def _forget(self, now: datetime) -> None:
        before = now - self._pause
        if len(self._newest) >= PLACES_KEPT_MAX:
            self._newest = {
                place: (at, task)
                for place, (at, task) in self._newest.items()
                if at > before or not task.done()
            }
        if len(self._told) >= PLACES_KEPT_MAX:
            self._told = {place: at for place, at in self._told.items() if at > before}

    async def _catch_up(self) -> None:
        """Know of the looks that stand on the log, made by whomever."""
        ends = await self._log.ends(topics.ALERT.name)
        start = self._at or await self._log.starts(topics.ALERT.name)
        async with aclosing(self._log.read(start, ends)) as records:
            async for record in records:
                if record.type != RepairTried.type():
                    continue
                try:
                    event = record.event
                except MalformedEvent:
                    continue  # each processor of the topic parks it; it tells us nothing
                assert isinstance(event, RepairTried)
                if event.place is not None and event.looked_at is not None:
                    before = self._told.get(event.place, event.looked_at)
                    self._told[event.place] = max(before, event.looked_at)
        self._at = ends
