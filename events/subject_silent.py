"""Nothing was heard of a subject for too long."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Name, Seconds, Utc


class SubjectSilent(OnSubject):
    """The last news is older than what is usual; it is said once, until there is news again."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", discriminator=("last_event_id",), terminal=True
    )

    last_event_id: UUID = Field(description="the last news")
    last_type: Name = Field(description="what it was")
    last_at: Utc = Field(description="when it was true")
    usual_seconds: Seconds = Field(description="within how long news was expected")
