"""A person looks after an alert."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Name, Reason


class AlertAcknowledged(Event):
    """Nobody else is told from here on; the first of an alert counts, and the envelope says who."""

    about: ClassVar[About] = About(
        topics=(topics.ALERT,), key="alert_id", version="1.0", identity=("alert_id",)
    )

    alert_id: UUID = Field(description="the alert")
    role: Name | None = Field(None, description="in which role the person said so")
    reason: Reason = Field(description="what is done about it, for whoever asks later")
