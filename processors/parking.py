"""What is written when a processor cannot go on with a key or an effect: the bytes, and why."""

from __future__ import annotations

import contextlib
import hashlib

from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.errors import GenoflowError
from genoflow.events.event import Event, begin, follow
from genoflow.events.event_parked import EventParked
from genoflow.events.identity import derived_id
from genoflow.events.log.recorded import Position, Recorded
from genoflow.events.record_header import RecordHeader
from genoflow.processors.ledger import OpenEffect

# EventParked has to fit into one record of 1 MB with its trace and its headers.
VALUE_BYTES_MAX = 600_000
TRACE_CHARACTERS_MAX = 16_000  # the last calls; the first ones are ours and always the same
HEADERS_MAX = 32
HEADER_VALUE_BYTES_MAX = 1_024


def parked_record(
    producer: Producer,
    record: Recorded,
    named: int,
    by: Envelope | None,
    reason: str,
    error: Exception,
    trace: str,
) -> EventParked:
    """An event that could not be taken, called `named`; `by` asked for it to be tried again."""
    value = record.value or b""
    event: Event | None = None
    with contextlib.suppress(GenoflowError):
        event = record.event
    fact = EventParked(
        subject_key=record.key or "(no key)",
        processor=producer.service,
        processor_version=producer.version,
        input_topic=record.topic,
        partition=record.partition,
        offset=named,
        recorded_at=record.recorded_at,
        parked_event_id=event.envelope.event_id if event else None,
        parked_type=event.type() if event else None,
        error_class=type(error).__name__,
        error=_printable(reason),
        error_trace=_printable(trace[-TRACE_CHARACTERS_MAX:]),
        headers=tuple(
            RecordHeader(header=name[:100], value=content)
            for name, content in list(record.headers)[:HEADERS_MAX]
            if name and content is not None and len(content) <= HEADER_VALUE_BYTES_MAX
        ),
        value_size_bytes=len(value),
        value_sha256=hashlib.sha256(value).hexdigest(),
        value=value if len(value) <= VALUE_BYTES_MAX else None,
    )
    cause = by or (event.envelope if event else None)
    if cause is not None:
        return follow(cause, fact, by=producer, occurred_at=record.recorded_at)
    return begin(
        fact,
        occurred_at=record.recorded_at,
        actor=Actor(kind="service", id=producer.service),
        by=producer,
    )


def parked_effect(
    producer: Producer,
    place: Position,
    effect: OpenEffect,
    reason: str,
    error_class: str,
    trace: str,
) -> EventParked:
    """An effect that could not be done; its event was taken and is not decided again."""
    fact = EventParked(
        subject_key=effect.subject_key,
        processor=producer.service,
        processor_version=producer.version,
        input_topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        recorded_at=effect.recorded_at,
        parked_event_id=effect.cause.event_id,
        parked_type=effect.cause.type,
        effect_id=effect.effect_id,
        error_class=error_class or "Parked",
        error=_printable(reason) or "no reason was given",
        error_trace=_printable(trace[-TRACE_CHARACTERS_MAX:]),
        value_size_bytes=effect.value_size_bytes,
        value_sha256=effect.value_sha256,
    )
    parked = follow(effect.cause, fact, by=producer, effect_id=effect.effect_id)
    if not effect.requests:
        return parked
    # Parked once more after a request: another fact than the first, so its id takes the request in.
    name = derived_id(effect.requests[-1], producer.service, parked.type(), parked.key)
    return parked.enveloped(parked.envelope.model_copy(update={"event_id": name}))


def _printable(text: str) -> str:
    return text.replace("\x00", "\\0")
