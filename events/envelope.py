"""What every fact carries beside itself: who, when, because of what (CloudEvents' attributes)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from genoflow.events.types import Choices, Name, Part, SubjectKey, Utc

TraceParent = Annotated[
    str, StringConstraints(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]
ActorId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Actor(Part):
    """Who or what made it true, and on whose behalf."""

    kind: Annotated[str, Choices("person", "service", "instrument")] = Field(
        description="person, service or instrument"
    )
    id: ActorId = Field(description="an account, a service or a serial number: never a name")
    on_behalf_of: ActorId | None = Field(None, description="the account that it acts for")


class Producer(Part):
    """Which program wrote the event."""

    service: Name = Field(description="the processor or porch")
    version: Name = Field(description="its release")
    revision: Name = Field("unknown", description="its code revision")


class Envelope(Part):
    """The outside of an event; the same record opens the body of every type."""

    event_id: UUID = Field(description="the same fact has the same id, whoever reports it")
    type: Name = Field(description="the name of the event")
    schema_version: Annotated[
        str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+$", max_length=20)
    ] = Field(description="MAJOR.MINOR of the schema it was written with")
    subject: SubjectKey = Field(description="what it is about: the key on its topic")
    occurred_at: Utc = Field(description="when it was true; when it was recorded, the log says")
    correlation_id: UUID = Field(description="the same for all that follows from one beginning")
    causation_id: UUID | None = Field(None, description="the event that it follows from")
    actor: Actor = Field(description="who or what, on whose behalf")
    producer: Producer = Field(description="which program")
    traceparent: TraceParent | None = Field(None, description="W3C trace context")
    effect_id: UUID | None = Field(None, description="the effect whose outcome it is")
