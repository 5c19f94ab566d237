"""The porch of the API: what comes through it names nobody, and stands on the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from genoflow.events.codec import HEADER_ID, Codec, header
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Position, Raw
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.step import Request

# What was appended together is seen milliseconds later; five seconds are a broker in trouble, and
# then the answer comes without a place.
SEEN_SECONDS_MAX = 5.0


class LogPorch:
    """Porch over the log."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str]) -> None:
        self._log = log
        self._guard = PrivacyGuard(person_patterns)

    def check(self, fact: Event) -> None:
        """IdentifierFound where it names a person, before anything else is done about it."""
        self._guard.check(fact)

    async def append(self, fact: Event) -> Position:
        """Append it durably and say where it stands; IdentifierFound where it names a person."""
        self._guard.check(fact)
        if isinstance(fact, EventRequeued | EventDiscarded):
            return await stand(self._log, self._log.codec, fact)
        return await self._log.append(fact)

    async def append_together(self, facts: Sequence[Event]) -> Sequence[Position]:
        """Append all of them or none, and say where they stand, as far as it is seen by then."""
        for fact in facts:
            self._guard.check(fact)
        if len(facts) <= 1:
            return [await self._log.append(fact) for fact in facts]
        start = await self._ends(facts)
        await self._log.append_atomically(facts)
        return await self._seen({str(fact.envelope.event_id) for fact in facts}, start)

    async def _ends(self, facts: Sequence[Event]) -> Vector:
        found: Vector = {}
        for topic in {fact.topic for fact in facts}:
            count, ends = await self._log.partitions(topic), await self._log.ends(topic)
            keys = {fact.key.encode() for fact in facts if fact.topic == topic}
            found |= {(topic, n): ends[topic, n] for n in {partition_of(k, count) for k in keys}}
        return found

    async def _seen(self, missing: set[str], start: Vector) -> Sequence[Position]:
        places: list[Position] = []
        deadline = asyncio.get_running_loop().time() + SEEN_SECONDS_MAX
        async with await self._log.reader(start) as reader:
            while missing and asyncio.get_running_loop().time() < deadline:
                for record in await reader.poll(timeout_seconds=0.2):
                    name = (header(record.headers, HEADER_ID) or b"").decode(errors="replace")
                    if name in missing:
                        missing.discard(name)
                        places.append(record.position)
        return places


async def stand(log: EventLog, codec: Codec, request: Request) -> Position:
    """Append it where the task listens, also if another program had misplaced the key."""
    key, topic = request.key.encode(), request.topic
    if partition_of(key, await log.partitions(topic)) == request.partition:
        return await log.append(request)
    value, headers = codec.encode(request)
    raw = Raw(key, value, headers, 0)
    [offset] = await log.append_raw(topic, request.partition, [raw])
    return Position(topic, request.partition, offset)
