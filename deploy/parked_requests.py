"""What a person decides about something parked, as events on its subject's own topic.

The id of a request comes from what was parked and what is to be done with it, so a command that is
repeated appends the same fact, and a worker acts on it once.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, TypeVar
from uuid import uuid5

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from genoflow.deploy.parked import Parking
from genoflow.events.codec import Codec
from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.errors import MalformedEvent, Refused
from genoflow.events.event import Event, begin
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.log.recorded import Recorded
from genoflow.events.types import READING
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.step import Request

R = TypeVar("R", EventRequeued, EventDiscarded)
FIXED = ("event_id", "type", "subject")  # an edit mends a fact; it does not make another one


def requeue(parking: Parking, person: str, reason: str, value: bytes | None = None) -> Request:
    """Let it be tried again, with these bytes in its place where there are some."""
    return _enveloped(parking, requeued(parking, reason, value), person)


def discard(parking: Parking, person: str, reason: str) -> Request:
    """Give it up: the key goes on without it."""
    return _enveloped(parking, discarded(parking, reason), person)


def requeued(
    parking: Parking, reason: str, value: bytes | None = None, role: str | None = None
) -> EventRequeued:
    """The same request without who states it."""
    action = "requeue" if value is None else f"requeue {hashlib.sha256(value).hexdigest()}"
    return EventRequeued(**_about(parking, action), reason=reason, value=value, role=role)


def discarded(parking: Parking, reason: str, role: str | None = None) -> EventDiscarded:
    """The same request without who states it."""
    return EventDiscarded(**_about(parking, "discard"), reason=reason, role=role)


def _about(parking: Parking, action: str) -> dict[str, Any]:
    address = parking.address
    return {
        "subject_topic": address.topic,
        "subject_key": parking.fact.subject_key,
        "processor": address.processor,
        "partition": address.partition,
        "offset": address.offset,
        "effect_id": address.effect_id,
        "parked_event_id": parking.fact.parked_event_id,
        "request_id": str(uuid5(parking.event_id, action)),
    }


def _enveloped(parking: Parking, fact: R, person: str) -> R:
    cause = parking.fact.envelope
    return begin(
        fact,
        occurred_at=datetime.now(UTC),
        actor=Actor(kind="person", id=person),
        by=Producer(service="genoflow-cli", version=version("genoflow")),
        correlation_id=cause.correlation_id,
        causation_id=cause.event_id,
        traceparent=cause.traceparent,
    )


# -- editing


@dataclass(frozen=True, slots=True)
class Editable:
    """An event on its way to be mended; its fields may break any rule of its model."""

    model: type[Event]
    envelope: Envelope
    payload: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """The event as a person edits it: what it is, which may not change, and its fields."""
        return {
            "event_id": str(self.envelope.event_id),
            "type": self.model.type(),
            "subject": self.envelope.subject,
            "payload": self.payload,
        }


def require_event(parking: Parking) -> None:
    """Refused where an effect is parked: its event was taken, and is not taken again."""
    if parking.is_effect:
        raise Refused(
            f"{parking.event_id}: an effect is parked, and what it is done with comes from its "
            f"event, which was taken; mend what it failed on and requeue it, or discard it and "
            f"append a right event"
        )


def editable(record: Recorded, codec: Codec) -> Editable:
    """What can be mended; Refused where Avro cannot read the bytes."""
    try:
        return _of_event(record.event)
    except MalformedEvent:
        return _of_bytes(record, codec)


def _of_event(event: Event) -> Editable:
    return Editable(type(event), event.envelope, event.payload())


def _of_bytes(record: Recorded, codec: Codec) -> Editable:
    try:
        values = codec.values(record.value or b"")
        envelope = Envelope.model_validate(values.pop("envelope"), context={READING: True})
    except (MalformedEvent, ValidationError) as error:
        raise Refused(
            f"{record.position}: these bytes cannot be read as an event in its envelope ({error}), "
            f"so there is no field to edit; discard it, and append the event that was meant"
        ) from error
    model = codec.registry.model(codec.edition_of(record.value or b"").type)
    return Editable(model, envelope, to_jsonable_python(values, bytes_mode="base64"))


def parse_document(text: str, place: str) -> dict[str, Any]:
    """The edited document; Refused where it is none."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"{place}: is no JSON ({error}); nothing was requeued") from error
    if not isinstance(document, dict) or set(document) != {*FIXED, "payload"}:
        raise Refused(
            f"{place}: has to be an object of event_id, type, subject and payload; "
            f"`genoflow parked edit ID --to-file FILE` writes one"
        )
    if not isinstance(document["payload"], dict):
        raise Refused(f"{place}: its payload has to be an object with the fields of the event")
    return document


def edited(
    original: Editable, parking: Parking, document: dict[str, Any], codec: Codec,
    guard: PrivacyGuard,
) -> bytes:  # fmt: skip
    """The bytes of the mended event; Refused where it is another fact, or none."""
    before = original.document()
    for name in FIXED:
        if document[name] != before[name]:
            raise Refused(
                f"{name}: is {before[name]} and cannot become {document[name]}; an edit mends a "
                f"fact, append another one with `genoflow events append`"
            )
    fact = original.model(**document["payload"])
    topic, subject = parking.address.topic, parking.fact.subject_key
    if (fact.topic, fact.key) != (topic, subject):
        raise Refused(
            f"{fact.type()}: its payload is about {fact.key!r} on {fact.topic}, and it is parked "
            f"under {subject!r} on {topic}; make it about that, or discard it and append another"
        )
    guard.check(fact)
    changes = {"schema_version": fact.about.version, "type": fact.type()}
    value, _ = codec.encode(fact.enveloped(original.envelope.model_copy(update=changes)))
    try:
        codec.decode(value)  # it stands without a seal, so each reader checks it whole
    except MalformedEvent as error:
        raise Refused(f"{fact.type()}: no reader would take it ({error})") from error
    return value


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What an edit changes, line by line."""
    old, new = (json.dumps(one, indent=2, sort_keys=True).splitlines() for one in (before, after))
    return list(difflib.unified_diff(old, new, "parked", "edited", lineterm="", n=1))
