"""The lab's information system did not take a fact."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Name, Reason, Small


class LimsUpdateFailed(OnSubject):
    """It said no for good: another try would be answered the same. LimsUpdated is the twin."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", discriminator=("source_event_id",),
        terminal=True,
    )  # fmt: skip

    source_event_id: UUID = Field(description="the fact")
    source_type: Name = Field(description="what it was")
    reason: Reason = Field(description="what it said, and what can be done")
    response_code: Small | None = Field(None, description="its code, where it gave one")
