"""Reads the event of a record, and says where it stands when it cannot be read."""

from __future__ import annotations

from pydantic import ValidationError

from genoflow.events.errors import GenoflowError, MalformedEvent, UnknownSchema
from genoflow.events.event import Event, explain
from genoflow.events.log.recorded import Recorded


def event_of(record: Recorded) -> Event:
    """The event of a record; MalformedEvent where it is none, or about another key."""
    try:
        event = record.event
    except UnknownSchema as error:
        raise UnknownSchema(f"{record.position}: {error}") from error
    if event.key.encode() != record.key_bytes:
        raise MalformedEvent(
            f"{event.type()} is about {event.key!r} and stands under the key {record.key!r}; "
            f"requeue it with the bytes of the right subject, or discard it"
        )
    return event


def line_of(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, ValidationError):
        text = explain(error.title, error)
    elif isinstance(error, GenoflowError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
    return "; ".join(text.splitlines())
