"""An alert is over."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, Name, Reason

OVER, PERSON = "over", "person"


class AlertResolved(Event):
    """What was wrong has ended, or a person says so; the first of an alert counts."""

    about: ClassVar[About] = About(
        topics=(topics.ALERT,), key="alert_id", version="1.0", identity=("alert_id",)
    )

    alert_id: UUID = Field(description="the alert")
    manner: Annotated[str, Choices(OVER, PERSON)] = Field(
        description="over: the log shows it; person: somebody said so"
    )
    role: Name | None = Field(None, description="in which role a person said so")
    reason: Reason = Field(description="why it is over")
    resolving_event_id: UUID | None = Field(None, description="the event that ended it")
