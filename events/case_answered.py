"""A run of a case has published its results."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Ordinal, RunId


class CaseAnswered(Event):
    """The case hears of it in its own order, in which its runs take each other's place."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", discriminator=("run_id",)
    )

    case_id: CaseId = Field(description="the case")
    run_id: RunId = Field(description="the run whose results were published")
    case_revision: Ordinal = Field(description="the revision of the case that it answers")
    published_event_id: UUID = Field(description="the ResultsPublished")
    supersedes_run_id: RunId | None = Field(None, description="the run whose results these replace")
