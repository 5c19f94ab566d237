"""What has to follow from a topic: its records folded by the deciders alone.

No worker, no broker, no time, no faults: one pass over each partition, in the order of the log. A
key that is parked keeps its records until a request that names it lets them through. The outcomes
of effects are not computed here, they stand on the log; which effects there have to be, is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from genoflow.events.envelope import Envelope, Producer
from genoflow.events.errors import GenoflowError
from genoflow.events.event import Event, follow
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.identity import derived_id, external_id
from genoflow.events.log.recorded import Recorded
from genoflow.processors.decision import NOTHING, effect_id
from genoflow.processors.processor import Processor, Timer
from tests.simulation.world import CODEC

ANYBODY = Producer(service="-", version="-")
REQUESTS = (EventRequeued, EventDiscarded)


class Opened(NamedTuple):
    """An effect that has to be done."""

    effect_id: UUID
    name: str
    lane: str
    cause: UUID
    is_timer: bool


@dataclass(slots=True)
class _Waiting:
    named: int
    queue: list[Recorded]  # its head is what a person has to look at


@dataclass(slots=True)
class Expected:
    """What one partition of a processor's topic leads to."""

    facts: dict[UUID, Event] = field(default_factory=dict)
    said: dict[str, list[UUID]] = field(default_factory=dict)  # by key of the input, in order
    effects: dict[UUID, Opened] = field(default_factory=dict)  # in the order of their opening
    closed: set[UUID] = field(default_factory=set)
    parked: list[UUID] = field(default_factory=list)  # the ids of EventParked
    states: dict[bytes, Any] = field(default_factory=dict)
    waiting: dict[bytes, _Waiting] = field(default_factory=dict)


def expect(row: Processor, records: Iterable[Recorded]) -> Expected:
    """Fold one partition."""
    fold = _Fold(row)
    for record in records:
        fold.take(record)
    return fold.found


class _Fold:
    def __init__(self, row: Processor) -> None:
        self.found = Expected()
        self._row = row
        self._acted: set[UUID] = set()
        self._types = {kind.type() for kind in (*row.on, *row.folds)}
        self._timers = {effect.name for effect in row.effects if isinstance(effect, Timer)}

    def take(self, record: Recorded) -> None:
        """The next record of the partition."""
        key = record.key_bytes or b""
        kind = _kind(record)
        if kind in {request.type() for request in REQUESTS}:
            self._request(record, key)
        elif kind is None or kind in self._types:
            waiting = self.found.waiting.get(key)
            if waiting is not None:
                waiting.queue.append(record)
            elif not self._decide(record, key, None):
                self.found.waiting[key] = _Waiting(record.offset, [record])

    def _request(self, record: Recorded, key: bytes) -> None:
        request = record.event
        assert isinstance(request, REQUESTS)
        waiting, asked = self.found.waiting.get(key), request.envelope.event_id
        ours = request.processor == self._row.name and request.partition == record.partition
        if not ours or request.effect_id is not None or waiting is None:
            return
        if waiting.named != request.offset or asked in self._acted:
            return
        self._acted.add(asked)
        queue, named = waiting.queue, waiting.named
        if isinstance(request, EventDiscarded):
            queue = queue[1:]
        elif request.value is not None:
            queue = [_with_value(queue[0], request.value), *queue[1:]]
        del self.found.waiting[key]
        for place, queued in enumerate(queue):
            again = named if place == 0 and isinstance(request, EventRequeued) else queued.offset
            if not self._decide(queued, key, request.envelope, again):
                as_it_was = [waiting.queue[0]] if again == named else [queued]
                self.found.waiting[key] = _Waiting(again, [*as_it_was, *queue[place + 1 :]])
                return

    def _decide(
        self, record: Recorded, key: bytes, by: Envelope | None, named: int | None = None
    ) -> bool:
        """Whether the record could be taken; else that it was parked is noted."""
        row, event = self._row, None
        try:
            event = record.event
            if event.key.encode() != key:
                raise ValueError("under another key")  # noqa: TRY301 -- it parks like all others
            if type(event) not in (*row.on, *row.folds):
                return True
            state = self.found.states.get(key, row.state())
            decision = row.decide(state, event) if type(event) in row.on else NOTHING
            after = row.fold(state, event, record.offset)
        except (GenoflowError, ValueError):
            place = record.offset if named is None else named
            self.found.parked.append(self._parked_id(record, place, by or _envelope(event)))
            return False
        self.found.states[key] = row.state() if after is None else after
        self._note(event, decision)
        return True

    def _note(self, event: Event, decision: Any) -> None:
        found, cause = self.found, event.envelope
        by = ANYBODY.model_copy(update={"service": self._row.name})
        for said in decision.events:
            named = cause.actor if type(said) in self._row.in_its_name else None
            fact = follow(cause, said, by=by, actor=named)
            found.facts[fact.envelope.event_id] = fact
            found.said.setdefault(event.key, []).append(fact.envelope.event_id)
        for effect in decision.effects:
            name = effect_id(cause.event_id, self._row.name, effect.name, effect.discriminator)
            lane, timer = effect.lane or event.key, effect.name in self._timers
            found.effects[name] = Opened(name, effect.name, lane, cause.event_id, timer)
        found.closed.update(decision.closes)

    def _parked_id(self, record: Recorded, named: int, cause: Envelope | None) -> UUID:
        parts = (record.topic, str(record.partition), str(named), "None")
        if cause is None:
            return external_id("EventParked", self._row.name, *parts)
        return derived_id(cause.event_id, self._row.name, "EventParked", record.key, *parts)


def _envelope(event: Event | None) -> Envelope | None:
    return None if event is None else event.envelope


def _kind(record: Recorded) -> str | None:
    try:
        return record.type
    except GenoflowError:
        return None


def _with_value(record: Recorded, value: bytes) -> Recorded:
    return Recorded(
        record.topic, record.partition, record.offset, record.timestamp_ms,
        record.key_bytes, value, (), CODEC,
    )  # fmt: skip
