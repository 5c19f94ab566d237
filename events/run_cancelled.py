"""A run was ended because nobody wants it any more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Ordinal, Reason, RequestId, RunId


class RunCancelled(Event):
    """The job was stopped and its output does not count."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it was for")
    attempt: Ordinal | None = Field(
        None, description="the submission that was stopped; none before the first"
    )
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    reason: Reason = Field(description="why")
