"""A run need not wait for the archive any more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Count, RunId


class RunInputsRestored(Event):
    """Every file that lay in an archive can be read; the run is submitted."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    files: Count = Field(description="how many had lain in an archive")
