"""A run's process ended."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import ExitCode, Name, Ordinal, RunId, Seconds, Text


class RunExited(Event):
    """How the process ended: no verdict, for RunSucceeded and RunFailed need the manifest."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "attempt", "job_id")
    )

    run_id: RunId = Field(description="the run")
    attempt: Ordinal = Field(description="which submission")
    job_id: Name = Field(description="as the launcher calls it")
    exit_code: ExitCode | None = Field(None, description="none where it ended by a signal")
    signal: Name | None = Field(None, description="such as SIGKILL")
    duration_seconds: Seconds | None = Field(None, description="from start to end")
    error_tail: Text = Field("", description="the last lines that it wrote")
