"""Whoever owed what has not come was asked for it, and the source said what it has."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Choices,
    Count,
    Identifier,
    Line,
    Name,
    Ordinal,
    Reason,
    SubjectKey,
    TopicName,
    Utc,
)

BROUGHT = "brought"
NOTHING_NEW = "nothing new"
AWAY = "away"


class RepairTried(Event):
    """A source was asked for what an alert waits for; what it had stands on the log by now."""

    about: ClassVar[About] = About(
        topics=(topics.ALERT,), key="alert_id", version="1.0", discriminator=("number",)
    )

    alert_id: UUID = Field(description="the alert")
    number: Ordinal = Field(description="which try it is; 1 is the first")
    tries_max: Ordinal = Field(description="how many there are at most")
    stage: Name = Field(description="the stage that has not ended")
    item: Line | None = Field(None, description="what of its subject; none where it is the whole")
    subject_topic: TopicName = Field(description="the topic of what it is about")
    subject_key: SubjectKey = Field(description="what it is about")
    porch: Identifier = Field(description="whose source was asked")
    outcome: Annotated[str, Choices(BROUGHT, NOTHING_NEW, AWAY)] = Field(
        description="whether the source had facts about the subject that the log lacked"
    )
    place: Line | None = Field(None, description="where was looked; none where nothing answered")
    looked_at: Utc | None = Field(None, description="when that look began")
    is_shared: bool = Field(False, description="whether the look was made for another alert")
    facts: Count = Field(0, description="about the subject, which the log lacked and has now")
    types: tuple[Name, ...] = Field((), max_length=20, description="of which types they are")
    reason: Reason = Field(description="what the source said, in a sentence")
