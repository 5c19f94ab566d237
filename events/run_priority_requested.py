"""A run is to have another priority."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Priority, Reason, RunId


class RunPriorityRequested(Event):
    """What a person wants of its case, handed to its newest run.

    RunPriorityChanged or RunPriorityKept answers it; submissions after this one have it anyway.
    """

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    priority: Priority = Field(description="urgent, routine or low: from now on")
    reason: Reason = Field(description="why, in the words of whoever wants it")
