"""Events from JSON lines, all of them checked before one is written.

    {"type": "FileLanded", "occurred_at": "2026-03-01T10:00:00Z",
     "actor": {"kind": "person", "id": "a.b"}, "payload": {"bucket": …}}

The id of each event comes from what identifies it outside, so a file that is appended twice is
one file for every reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from importlib.metadata import version
from typing import Any
from uuid import UUID

from pydantic import Field, ValidationError

from genoflow.events.codec import Codec
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import InvalidEvent, Refused
from genoflow.events.event import Event, begin, explain
from genoflow.events.types import Name, Part, Utc
from genoflow.processors.intake.privacy import IdentifierFound, PrivacyGuard

LINES_MAX = 100_000  # 100 MB of events of 1 kB, held until the last one is checked
FAULTS_SHOWN_MAX = 20  # about one screen


class _Line(Part):
    type: Name
    payload: dict[str, Any]
    occurred_at: Utc
    actor: Actor
    correlation_id: UUID | None = Field(None)
    causation_id: UUID | None = Field(None)


def parse_events(lines: Iterable[str], name: str, codec: Codec, guard: PrivacyGuard) -> list[Event]:
    """The events of these lines; Refused names every line and field that is wrong."""
    events: list[Event] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if len(events) >= LINES_MAX:
            raise Refused(f"{name}: more than {LINES_MAX:,} events; append it in parts")
        try:
            events.append(_parse(line, codec, guard))
        except (InvalidEvent, IdentifierFound) as error:
            faults += [f"{name} line {number}: {text}" for text in str(error).splitlines()]
    if faults:
        more = len(faults) - FAULTS_SHOWN_MAX
        shown = [*faults[:FAULTS_SHOWN_MAX], *([f"and {more:,} more"] if more > 0 else [])]
        raise Refused("\n".join([*shown, "nothing was appended; mend these lines and try again"]))
    return events


def _parse(text: str, codec: Codec, guard: PrivacyGuard) -> Event:
    try:
        line = _Line.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise InvalidEvent(f"is no JSON ({error})") from error
    except ValidationError as error:
        raise InvalidEvent(explain("event", error)) from error
    model = codec.registry.models.get(line.type)
    if model is None:
        raise InvalidEvent(f"event.type: {line.type!r} is no event; docs/events.md lists them")
    fact = model(**line.payload)
    guard.check(fact)
    try:
        event = begin(
            fact, occurred_at=line.occurred_at.astimezone(UTC), actor=line.actor, by=_producer(),
            correlation_id=line.correlation_id, causation_id=line.causation_id,
        )  # fmt: skip
    except ValidationError as error:
        raise InvalidEvent(explain(line.type, error)) from error
    codec.encode(event)
    return event


def _producer() -> Producer:
    return Producer(service="genoflow-cli", version=version("genoflow"))
