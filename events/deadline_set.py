"""A subject waits until a moment."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Name, Reason, Utc


class DeadlineSet(OnSubject):
    """The clock appends DeadlinePassed at that moment, unless DeadlineCancelled comes before."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", discriminator=("processor", "deadline")
    )

    processor: Name = Field(description="who waits")
    deadline: Name = Field(
        description="among that processor's deadlines of the subject; setting it again moves it"
    )
    purpose: Reason = Field(description="what is waited for, for people")
    due_at: Utc = Field(description="when it passes")
