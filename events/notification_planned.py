"""Who is told of an event was settled."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.recipient import Recipient
from genoflow.events.types import Name, ProjectId, Reason


class NotificationPlanned(OnSubject):
    """The subscriptions that matched when it was asked, even none; later ones are not told."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.1", discriminator=("source_event_id",)
    )

    source_event_id: UUID = Field(description="the event that they are told of")
    source_type: Name = Field(description="its type")
    project_id: ProjectId | None = Field(None, description="the project, where the event has one")
    headline: Reason = Field(
        description="one line for people, without a direct identifier of a person"
    )
    recipients: tuple[Recipient, ...] = Field(max_length=1_000, description="even none")
