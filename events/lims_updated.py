"""The lab's information system knows of a fact."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Name


class LimsUpdated(OnSubject):
    """It took what was sent, or had it already; LimsUpdateFailed is the negative twin."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", discriminator=("source_event_id",),
        terminal=True,
    )  # fmt: skip

    source_event_id: UUID = Field(description="the fact")
    source_type: Name = Field(description="what it was")
    found_already: bool = Field(description="it knew of it before it was sent this time")
