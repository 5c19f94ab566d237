"""Follow the log from another system: typed, resumable, at least once, nothing missed.

    async with subscribe(address, name="lims", types=(QcPassed, QcFailed)) as deliveries:
        async for delivery in deliveries:
            await book(delivery.event)
            delivery.ack()

A subscriber with a name goes on where its last acknowledged delivery left off; several processes of
one name share the work. Without a name it begins where `start` says, and keeps its own positions.
What was not acknowledged is delivered again after a restart. A repeated id is dropped if it stands
within the last WINDOW_RECORDS records of its partition. Bytes that are no event are delivered as
well: `delivery.event` raises MalformedEvent, and the subscriber decides whether to acknowledge.

A broker forgets the place of a name that was idle for long (seven days by default; the embedded one
keeps it ten years). Then the name begins anew where `start` says: from the beginning everything
comes again, and from now on what came meanwhile is missed, so name the beginning if that counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar, cast

from genoflow.events import topics
from genoflow.events.errors import MalformedEvent, Refused
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.port import EventLog, GroupReader, Reader, Vector
from genoflow.events.log.recorded import Position, Recorded

E = TypeVar("E", bound=Event)
Start = Literal["beginning", "now"] | datetime | Vector
Place = tuple[str, int]

# A repetition follows an unknown outcome within seconds: 10,000 records of one partition are 100 s
# at 100 events a second, and 1 MB of ids.
WINDOW_RECORDS = 10_000
COMMIT_SECONDS = 0.5  # a kill repeats at most what was acknowledged in this time
POLL_SECONDS = 0.2


@dataclass(slots=True)
class Delivery(Generic[E]):
    """One event for this subscriber; acknowledge it when it need not come again."""

    record: Recorded
    _acks: _Acks

    @property
    def event(self) -> E:
        """The event, decoded now; MalformedEvent or UnknownSchema where it cannot be."""
        return cast("E", self.record.event)

    @property
    def position(self) -> Position:
        """Where it stands: with `start`, another reader can begin here."""
        return self.record.position

    @property
    def recorded_at(self) -> datetime:
        """When the log took it."""
        return self.record.recorded_at

    def ack(self) -> None:
        """It is done: it does not come again once the place has been kept (COMMIT_SECONDS)."""
        self._acks.done(self.record)


class _Acks:
    """The lowest offset of each partition that still has to be delivered again."""

    def __init__(self) -> None:
        self._open: dict[Place, OrderedDict[int, None]] = {}
        self._next: Vector = {}

    def passed(self, place: Place, offset: int) -> None:
        self._next[place] = offset + 1

    def opened(self, place: Place, offset: int) -> None:
        offsets = self._open.get(place)
        if offsets is None:
            offsets = self._open[place] = OrderedDict()
        offsets[offset] = None

    def done(self, record: Recorded) -> None:
        offsets = self._open.get((record.topic, record.partition))
        if offsets is not None:
            offsets.pop(record.offset, None)

    def reached(self, positions: Vector) -> None:
        self._next = positions

    def forget(self, place: Place) -> None:
        self._open.pop(place, None)

    def positions(self) -> Vector:
        """Where a restart has to begin: the first unacknowledged, else the next."""
        return {
            place: next(iter(self._open.get(place) or ()), offset)
            for place, offset in self._next.items()
        }


class _Window:
    """The ids of the last records of one partition, each with the offset it was first seen at."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, int] = OrderedDict()

    def repeats(self, record: Recorded) -> bool:
        first = self._seen.setdefault(_identity_of(record), record.offset)
        if len(self._seen) > WINDOW_RECORDS:
            self._seen.popitem(last=False)
        return first < record.offset


class Subscription(Generic[E]):
    """An open subscription: iterate it, acknowledge what it delivers."""

    def __init__(
        self,
        log: EventLog,
        *,
        name: str | None,
        types: Sequence[type[E]],
        subjects: Sequence[str] = (),
        start: Start = "beginning",
    ) -> None:
        if name is not None and start not in ("beginning", "now"):
            raise Refused(
                f"subscription {name}: a name keeps its own place, so it begins at 'beginning' or "
                f"'now'; leave the name out to begin at a time or at positions"
            )
        self._log = log
        self._name = name
        self._start = start
        self._types = frozenset(model.type() for model in types)
        self._subjects = frozenset(subject.encode() for subject in subjects)
        self._topics = _topics_of(types)
        self._acks = _Acks()
        self._windows: dict[Place, _Window] = {}
        self._reader: Reader | None = None
        self._kept: Vector = {}
        self._kept_at = 0.0

    async def __aenter__(self) -> Self:
        if self._name is not None:
            earliest = self._start != "now"
            self._reader = await self._log.group_reader(self._name, self._topics, earliest=earliest)
        else:
            start = await self._begin()
            self._reader = await self._log.reader(start)
            await self._prime(start)
        return self

    async def _begin(self) -> Vector:
        found: Vector = {}
        for topic in self._topics:
            if isinstance(self._start, datetime):
                found |= await self._log.offsets_at(topic, self._start)
            elif self._start == "now":
                found |= await self._log.ends(topic)
            else:
                found |= await self._log.starts(topic)
        if isinstance(self._start, dict):
            found |= {place: o for place, o in self._start.items() if place[0] in self._topics}
        return found

    async def _prime(self, start: Vector) -> None:
        """Learn the ids before the place where reading begins, so that a repetition is known."""
        begin: Vector = {}
        for topic in {topic for topic, _ in start}:
            begin |= await self._log.starts(topic)
        behind = {
            place: max(begin[place], offset - WINDOW_RECORDS) for place, offset in start.items()
        }
        for place in start:
            self._windows[place] = _Window()
            self._acks.forget(place)
        async for record in self._log.read(behind, start):
            self._windows[record.topic, record.partition].repeats(record)

    async def __aiter__(self) -> AsyncIterator[Delivery[E]]:
        if self._reader is None:
            raise RuntimeError("open the subscription with `async with` before iterating it")
        reader, types, subjects, acks = self._reader, self._types, self._subjects, self._acks
        while True:
            found = await reader.poll(POLL_SECONDS)
            if isinstance(reader, GroupReader) and (assigned := reader.take_assigned()):
                await self._prime(assigned)
            # Taken from the end, so that a record and its event are let go once they are delivered.
            found.reverse()
            while found:
                record = found.pop()
                place, offset = (record.topic, record.partition), record.offset
                acks.passed(place, offset)
                if self._windows[place].repeats(record):
                    continue
                if subjects and record.key_bytes not in subjects:
                    continue
                if types and not _is_one_of(record, types):
                    continue
                acks.opened(place, offset)
                yield Delivery(record, acks)
                if time.monotonic() - self._kept_at >= COMMIT_SECONDS:
                    await self.keep()
            acks.reached(reader.positions())
            if time.monotonic() - self._kept_at >= COMMIT_SECONDS:
                await self.keep()

    def positions(self) -> Vector:
        """Where a restart begins: keep it yourself if the subscription has no name."""
        return self._acks.positions()

    async def keep(self) -> None:
        """Keep the place of what was acknowledged, under the name, now."""
        positions = self._acks.positions()
        if isinstance(self._reader, GroupReader) and positions != self._kept:
            await self._reader.commit(positions)
            self._kept = positions
        self._kept_at = time.monotonic()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reader is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self.keep()
            await self._reader.close()


def _identity_of(record: Recorded) -> str:
    # Bytes that are no event are no repetition either: they are delivered, and their event raises.
    try:
        return record.event_id
    except MalformedEvent:
        return str(record.position)


def _is_one_of(record: Recorded, types: frozenset[str]) -> bool:
    try:
        return record.type in types
    except MalformedEvent:
        return True  # what it is, nobody can say: leaving it out would hide it


def _topics_of(types: Sequence[type[Event]]) -> list[str]:
    anywhere = [topic.name for topic in topics.TOPICS]
    if not types or any(not model.about.topics for model in types):
        return anywhere
    wanted = {topic.name for model in types for topic in model.about.topics}
    return [name for name in anywhere if name in wanted]


@contextlib.asynccontextmanager
async def subscribe(
    address: str,
    *,
    name: str | None = None,
    types: Sequence[type[E]] = (),
    subjects: Sequence[str] = (),
    start: Start = "beginning",
    prefix: str = "",
) -> AsyncIterator[Subscription[E]]:
    """A subscription on the log at this address, with a connection of its own."""
    async with (
        KafkaLog(address, prefix=prefix, partitions=None) as log,
        Subscription(log, name=name, types=types, subjects=subjects, start=start) as opened,
    ):
        yield opened
