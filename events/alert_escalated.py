"""People are told of an alert."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Identifier,
    Line,
    Ordinal,
    Seconds,
    Severity,
    SubjectKey,
    SubscriptionId,
    TopicName,
)


class AlertEscalated(Event):
    """A step of its ladder was reached, the first one too; it holds what the telling needs."""

    about: ClassVar[About] = About(
        topics=(topics.ALERT,), key="alert_id", version="1.0", discriminator=("step",)
    )

    alert_id: UUID = Field(description="the alert")
    step: Ordinal = Field(description="1 is the first")
    steps: Ordinal = Field(description="how many there are")
    subscription_ids: tuple[SubscriptionId, ...] = Field(
        max_length=100, description="who is told, beside those who subscribed to this type"
    )
    waited_seconds: Seconds = Field(description="since the alert was raised")
    rule: Identifier = Field(description="the rule that was broken")
    severity: Severity = Field(description="as the alert has it")
    headline: Line = Field(description="as the alert has it")
    subject_topic: TopicName | None = Field(None, description="as the alert has it")
    subject_key: SubjectKey | None = Field(None, description="as the alert has it")
