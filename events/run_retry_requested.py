"""A person wants a run that failed to go on from where it failed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Ordinal, Reason, RequestId, RunId


class RunRetryRequested(Event):
    """Another submission of the same request: with its editions, and with what was done so far.

    RerunRequested asks for another run instead, with the newest editions and from the beginning.
    """

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    attempt: Ordinal = Field(description="the submission that is asked for: one after the last")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    reason: Reason = Field(description="what was mended, or why it is worth another try")
