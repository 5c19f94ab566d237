"""A run has another priority."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Ordinal, Priority, RunId


class RunPriorityChanged(Event):
    """Its job waits in another queue, or will be submitted there."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    attempt: Ordinal | None = Field(
        None, description="the submission that it is true of; none before the first"
    )
    priority: Priority = Field(description="urgent, routine or low: from now on")
    is_moved: bool = Field(
        description="whether a job that waited was moved; else one is submitted so"
    )
