"""Somebody begins to replay recorded decisions."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import DocumentId, Name, Utc, Version


class ReplayStarted(Event):
    """What is compared with the log: a decider, of which code, and by which profile."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,),
        key="stream",
        version="1.0",
        identity=("replay_id",),
        terminal=True,
    )

    stream: Name = Field(description="the processor whose decisions are replayed")
    replay_id: UUID = Field(description="this replay")
    revision: Name | None = Field(None, description="the commit that decides; none for this code")
    since: Utc | None = Field(None, description="compared from here on; none for everything")
    profile: DocumentId | None = Field(None, description="the QC profile that is tried")
    profile_version: Version | None = Field(None, description="its version")
