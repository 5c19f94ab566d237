"""A moment came that a subject waited for."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Name, Reason, Utc


class DeadlinePassed(OnSubject):
    """The clock says that a deadline is over; it says so once."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", identity=("deadline_id",)
    )

    deadline_id: UUID = Field(description="the event id of the DeadlineSet")
    processor: Name = Field(description="who waits")
    deadline: Name = Field(description="among that processor's deadlines of the subject")
    purpose: Reason = Field(description="what was waited for, for people")
    due_at: Utc = Field(description="when it was due")
