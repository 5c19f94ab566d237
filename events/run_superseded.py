"""A later run of the same case takes this one's place."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Choices, Reason, RunId


class RunSuperseded(Event):
    """This run's results do not count any more; those of the later run do."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run that no longer counts")
    case_id: CaseId = Field(description="the case")
    superseded_by_run_id: RunId = Field(description="the run that does")
    reason_code: Annotated[
        str, Choices("top-up", "relabelled", "sheet amended", "new pipeline", "asked for")
    ] = Field(description="which kind of reason")
    reason: Reason = Field(description="in words")
