"""What is under way of a run keeps the priority that it has."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Choices, Ordinal, Priority, Reason, RunId


class RunPriorityKept(Event):
    """Nothing was moved, and why; a later submission has the priority that was asked for."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0", terminal=True)

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    attempt: Ordinal | None = Field(
        None, description="the submission that keeps it; none before the first"
    )
    priority: Priority = Field(description="the one that was asked for")
    reason_code: Annotated[str, Choices("begun", "over", "no queue", "same")] = Field(
        description="begun: it has a host; over: it has ended; no queue; same: as before"
    )
    reason: Reason = Field(description="in words")
