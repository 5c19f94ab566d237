"""Something needs a person to look at it.

A rule of the lab found it. Its id is made from what it is about, so that whoever finds it again
says the same fact.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.alert_figure import AlertFigure
from genoflow.events.alert_step import AlertStep
from genoflow.events.event import About, Event
from genoflow.events.types import (
    AlertKind,
    DocumentId,
    Identifier,
    Line,
    Name,
    Reason,
    Severity,
    SubjectKey,
    TopicName,
    Utc,
    Version,
)


class AlertRaised(Event):
    """A rule was broken; it lasts until AlertResolved, and AlertAcknowledged ends its ladder."""

    about: ClassVar[About] = About(
        topics=(topics.ALERT,), key="alert_id", version="1.1", identity=("alert_id",)
    )

    alert_id: UUID = Field(description="made from what it is about: found again, it is the same")
    rule: Identifier = Field(description="the rule that was broken")
    rules_version: Version = Field(description="of the document that has the rule")
    rules_document_id: DocumentId | None = Field(None, description="that document")
    kind: AlertKind = Field(description="of the rule")
    severity: Severity = Field(description="how bad it is, as the rule has it")
    group: Line = Field(description="what is alerted together, such as stage=validated")
    part_of: UUID | None = Field(
        None, description="the alert that leads its group; a part tells nobody"
    )
    subject_topic: TopicName | None = Field(
        None, description="the topic of what it is about; none where it is of many subjects"
    )
    subject_key: SubjectKey | None = Field(None, description="what it is about")
    headline: Line = Field(description="what is so: ids, numbers and codes, never a free text")
    figures: tuple[AlertFigure, ...] = Field(
        (), max_length=20, description="what was measured, and its limits"
    )
    stage: Name | None = Field(None, description="late, missing: the stage that has not ended")
    item: Line | None = Field(None, description="what of its subject; none where it is the whole")
    owed_by: Identifier | None = Field(None, description="who owes what has not come")
    expected_type: Name | None = Field(None, description="the event that was to come")
    expected_from: Utc | None = Field(None, description="since when it is waited for")
    due_at: Utc | None = Field(None, description="until when it was to come")
    last_event_id: UUID | None = Field(None, description="what was seen last")
    last_type: Name | None = Field(None, description="its type")
    last_at: Utc | None = Field(None, description="when it was true")
    tell_at: Utc = Field(description="when people may first be told; quiet hours are worked in")
    ladder: tuple[AlertStep, ...] = Field(
        (), max_length=10, description="who is told when; empty: those who subscribed, once"
    )
    hint: Reason | None = Field(None, description="what to do, as the rule has it")
