"""What the log says that a processor decided: its events by their cause, and traces of its effects.

Of an event only a digest is kept, 630 bytes in all, so that a million of them take 0.6 GB; what
differs is read again. An effect leaves a trace where its outcome said something, where it was
parked, or where it is open on the changelog.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from genoflow.deploy.parked_rehearsal import read_task_ledger
from genoflow.events import topics
from genoflow.events.codec import HEADER_SOURCE, header
from genoflow.events.errors import MalformedEvent, Retry, UnknownSchema
from genoflow.events.event_parked import EventParked
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Position, Recorded
from genoflow.processors.ledger import Ledger, OpenEffect
from genoflow.processors.processor import Processor

SETTLE_SECONDS_MAX = 30.0  # one of ours is over after 10 s, and the broker looks every 10 s
SETTLE_PAUSE_SECONDS = 0.05
ANSWERED = tuple(
    topic for topic in topics.TOPICS if topic not in (topics.GOVERNANCE, topics.ACCESS)
)
Plain = dict[str, Any]
# Of a profile these are only repeated in verdicts: another profile changes them in all of them.
ECHOES = frozenset({
    "profile_version", "profile_sha256", "required_min", "required_max", "warn_min", "warn_max",
})  # fmt: skip


@dataclass(slots=True)
class Said:
    """An event that stands on the log, and whether the replay said the same."""

    event_id: UUID
    type: str
    key: str
    digest: bytes
    place: Position
    is_matched: bool = False

    @property
    def topic(self) -> str:
        """Where it stands."""
        return self.place.topic


@dataclass(slots=True)
class Trace:
    """An effect of which the log knows, and whether the replay opened it."""

    cause: UUID
    key: str
    told_by: str  # the type of its outcome, or how else it is known
    place: Position
    open: OpenEffect | None = None
    is_matched: bool = False


@dataclass(slots=True)
class Share:
    """One partition of what the processor reads: how it was taken, and how far."""

    ledger: Ledger
    start: int
    stop: int


@dataclass(slots=True)
class Told:
    """Everything that is recorded of one processor."""

    shares: dict[int, Share] = field(default_factory=dict)
    by_cause: dict[UUID, list[Said]] = field(default_factory=dict)
    effects: dict[UUID, Trace] = field(default_factory=dict)
    events: int = 0


class Digests:
    """Digests of what events say; what only repeats a replaced profile is left out of them."""

    def __init__(self, *, without_echoes: bool = False) -> None:
        self._without = ECHOES if without_echoes else frozenset[str]()

    def bare(self, value: Any) -> Any:
        """The value without what is not compared."""
        if not self._without:
            return value
        if isinstance(value, Mapping):
            return {k: self.bare(v) for k, v in value.items() if k not in self._without}
        if isinstance(value, list | tuple):
            return [self.bare(one) for one in value]
        return value

    def of(self, topic: str, key: str, kind: str, payload: Plain) -> bytes:
        """What an event says, in 16 bytes."""
        text = json.dumps([topic, key, kind, self.bare(payload)], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


async def read_told(log: EventLog, row: Processor, digests: Digests) -> Told:
    """All that stands on the log of a processor, up to where it has worked as of now."""
    told = Told()
    for number in range(await log.partitions(row.reads.name)):
        ledger, position = await read_task_ledger(log, row, number)
        if position is None or ledger.stamp is None:
            continue
        told.shares[number] = Share(ledger, ledger.stamp.start, position)
    # Behind the positions: every answer to what was taken stands by then.
    for topic in ANSWERED:
        starts, ends = await log.starts(topic.name), await _settled(log, topic.name)
        async with aclosing(log.read(starts, ends)) as records:
            async for record in records:
                _take(told, row.name.encode(), record, digests)
    for number, share in told.shares.items():
        for effect in share.ledger.effects.values():
            _put_open(told, row, number, effect)
    return told


async def _settled(log: EventLog, topic: str) -> Vector:
    """The ends of a topic, as soon as no transaction is open that was so a moment ago.

    A position may be seen before the answers that were committed with it: each partition has a
    marker of its own.
    """
    wanted = {
        place: held.offset + held.records for place, held in (await log.withheld(topic)).items()
    }
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        ends = await log.ends(topic)
        late = [place for place, offset in wanted.items() if ends[place] < offset]
        if not late:
            return ends
        if time.monotonic() > deadline:
            name, number = late[0]
            raise Retry(
                f"{name}[{number}]@{ends[name, number]}: a transaction has had no end for "
                f"{SETTLE_SECONDS_MAX:.0f} s, so what is behind it cannot be read; "
                f"`genoflow workers` shows since when"
            )
        await asyncio.sleep(SETTLE_PAUSE_SECONDS)


def _put_open(told: Told, row: Processor, number: int, effect: OpenEffect) -> None:
    place = Position(row.reads.name, number, effect.offset)
    cause = effect.cause.event_id
    trace = Trace(cause, effect.subject_key, f"open: {effect.name}", place, open=effect)
    told.effects[effect.effect_id] = trace


def _take(told: Told, name: bytes, record: Recorded, digests: Digests) -> None:
    if header(record.headers, HEADER_SOURCE) != name:
        return
    try:
        event = record.event
    except MalformedEvent:
        return  # damaged since: what cannot be read is compared with nothing
    except UnknownSchema as error:
        raise UnknownSchema(f"{record.position}: {error}") from error
    envelope = event.envelope
    cause, effect = envelope.causation_id, envelope.effect_id
    if cause is None:
        return
    if effect is not None:
        is_parked = isinstance(event, EventParked)
        by = "an effect that was parked" if is_parked else event.type()
        told.effects.setdefault(effect, Trace(cause, record.key, by, record.position))
    elif not isinstance(event, EventParked):
        said = told.by_cause.setdefault(cause, [])
        if any(one.event_id == envelope.event_id for one in said):
            return
        kind = sys.intern(event.type())
        digest = digests.of(record.topic, record.key, kind, event.payload())
        said.append(Said(envelope.event_id, kind, record.key, digest, record.position))
        told.events += 1


async def payloads(log: EventLog, places: Iterable[Position]) -> dict[Position, Plain]:
    """What stands at these places, read in one pass over each partition."""
    wanted: dict[tuple[str, int], set[int]] = {}
    for place in places:
        wanted.setdefault((place.topic, place.partition), set()).add(place.offset)
    start: Vector = {of: min(offsets) for of, offsets in wanted.items()}
    stop: Vector = {of: max(offsets) + 1 for of, offsets in wanted.items()}
    found: dict[Position, Plain] = {}
    async with aclosing(log.read(start, stop)) as records:
        async for record in records:
            if record.offset in wanted[record.topic, record.partition]:
                found[record.position] = record.event.payload()
    return found
