"""A moment is no longer waited for."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Name, Reason


class DeadlineCancelled(OnSubject):
    """What was waited for has come, or is not wanted; the deadline will not pass."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", discriminator=("deadline_id",)
    )

    deadline_id: UUID = Field(description="the event id of the DeadlineSet")
    processor: Name = Field(description="who waited")
    deadline: Name = Field(description="among that processor's deadlines of the subject")
    reason: Reason = Field(description="why")
