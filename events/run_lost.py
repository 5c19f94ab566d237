"""A launcher no longer knows a job."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Name, Ordinal, Reason, RunId, Utc


class RunLost(Event):
    """The job vanished without an outcome; RunFailed or a new RunSubmitted follows."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "attempt", "job_id")
    )

    run_id: RunId = Field(description="the run")
    attempt: Ordinal = Field(description="which submission")
    launcher: Name = Field(description="who was asked")
    job_id: Name = Field(description="as the launcher called it")
    last_news_at: Utc | None = Field(None, description="when it was last heard of")
    reason: Reason = Field(description="what the launcher answered")
