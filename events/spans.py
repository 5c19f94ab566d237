"""Steps of an event's way as spans of OpenTelemetry, under ids that anybody computes again.

    trace id    that of the envelope's `traceparent`; without one, the digits of the correlation id
    span id     the last 16 digits of an id: of an event, of an effect, of what is derived from them
    parent      of an outcome its effect; else the cause; of a beginning the span in `traceparent`

So nothing is kept for a trace, and a second delivery, another worker and a replay name the same
span. What is not sampled, by the last two digits of `traceparent`, is no span. Whoever takes spans
is behind `Spans`: without it a step costs one look whether it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from genoflow.events import topics
from genoflow.events.envelope import Envelope
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.identity import derived_id
from genoflow.events.log.recorded import Position

Value = str | int | Sequence[str]
Kind = Literal["internal", "server", "producer", "consumer"]
SPAN_BITS = (1 << 64) - 1
# Their subjects are accounts: a trace goes to people who need not know who did what.
UNNAMED = frozenset({topics.ACCESS.name, topics.GOVERNANCE.name})
ROWS = "project"  # who makes rows of events, as `genoflow project` is called


class Context(NamedTuple):
    """Where a span stands: in which trace, under which name."""

    trace_id: int
    span_id: int


@dataclass(frozen=True, slots=True)
class Span:
    """One step, from when to when; times in nanoseconds since 1970."""

    service: str  # the processor or porch that did it, as the flow names it
    name: str
    context: Context
    parent_id: int | None
    began_ns: int
    ended_ns: int
    kind: Kind = "internal"
    attributes: Mapping[str, Value] = field(default_factory=dict)
    links: tuple[Context, ...] = ()
    fault: str = ""  # which error ended it


class Spans(Protocol):
    """Where spans go. It is never waited for, and what it cannot take is counted."""

    sent: int
    dropped: int

    def now_ns(self) -> int:
        """The time on the clock that spans are told with."""

    def put(self, span: Span) -> None:
        """Take one span, or drop it."""


def context_of(envelope: Envelope) -> Context:
    """Where the span of this event stands."""
    given = envelope.traceparent
    trace_id = int(given[3:35], 16) if given else envelope.correlation_id.int
    return Context(trace_id, _digits(envelope.event_id))


def is_sampled(envelope: Envelope) -> bool:
    """Whether anybody wants spans of its story; where nothing is said, yes."""
    return envelope.traceparent is None or bool(int(envelope.traceparent[-2:], 16) & 1)


def tell_appended(
    spans: Spans, events: Sequence[Event], began_ns: int, place: Position | None = None
) -> None:
    """Tell a span of each of these events, which stand on the log now."""
    ended_ns = spans.now_ns()
    for event in events:
        envelope = event.envelope
        if is_sampled(envelope):
            spans.put(
                Span(
                    service=envelope.producer.service,
                    name=event.type(),
                    context=context_of(envelope),
                    parent_id=_parent(event),
                    began_ns=began_ns,
                    ended_ns=ended_ns,
                    kind="producer",
                    attributes=_about(event, envelope, place),
                    fault=event.error_class if isinstance(event, EventParked) else "",
                )
            )


def tell_effect(
    spans: Spans,
    processor: str,
    effect_id: UUID,
    name: str,
    cause: Envelope,
    began_ns: int,
    *,
    number: int | None = None,
    fault: str = "",
) -> None:
    """Tell an effect: from the fact that opened it to its end, or one try of it by its number."""
    if not is_sampled(cause):
        return
    context, parent = Context(context_of(cause).trace_id, _digits(effect_id)), cause.event_id
    attributes: dict[str, Value] = {"genoflow.effect.id": str(effect_id)}
    if number is not None:
        parent = effect_id
        tried = derived_id(effect_id, processor, "try", name, str(number))
        context = Context(context.trace_id, _digits(tried))
        attributes["genoflow.effect.try"] = number
    spans.put(
        Span(
            service=processor,
            name=name if number is None else f"{name} try",
            context=context,
            parent_id=_digits(parent),
            began_ns=began_ns,
            ended_ns=spans.now_ns(),
            attributes=attributes,
            fault=fault,
        )
    )


def tell_rows(
    spans: Spans, event: Event, place: Position, models: Sequence[str], began_ns: int
) -> None:
    """Tell that the rows of these read models know an event, which stands at this place."""
    envelope = event.envelope
    if is_sampled(envelope):
        taken = derived_id(envelope.event_id, ROWS, event.type(), event.key, *models)
        context = context_of(envelope)
        spans.put(
            Span(
                service=ROWS,
                name=f"rows of {event.type()}",
                context=Context(context.trace_id, _digits(taken)),
                parent_id=context.span_id,
                began_ns=began_ns,
                ended_ns=spans.now_ns(),
                kind="consumer",
                attributes=_about(event, envelope, place) | {"genoflow.read_models": tuple(models)},
            )
        )


def _digits(name: UUID) -> int:
    return name.int & SPAN_BITS  # never 0: two of them are the variant's


def _parent(event: Event) -> int | None:
    envelope = event.envelope
    # What is parked leaves its effect open, which is told when it is closed, if ever.
    if envelope.effect_id is not None and not isinstance(event, EventParked):
        return _digits(envelope.effect_id)
    if envelope.causation_id is not None:
        return _digits(envelope.causation_id)
    return int(envelope.traceparent[36:52], 16) if envelope.traceparent else None


def _about(event: Event, envelope: Envelope, place: Position | None) -> dict[str, Value]:
    about: dict[str, Value] = {
        "messaging.system": "kafka",
        "messaging.destination.name": event.topic,
        "genoflow.event.id": str(envelope.event_id),
        "genoflow.event.type": event.type(),
        "genoflow.correlation.id": str(envelope.correlation_id),
    }
    told_of = event.input_topic if isinstance(event, EventParked) else event.topic
    if told_of not in UNNAMED:
        about["genoflow.subject"] = event.key
    if place is not None:
        about["messaging.destination.partition.id"] = str(place.partition)
        about["messaging.kafka.offset"] = place.offset
    return about
