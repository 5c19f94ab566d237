"""One task of a run is done."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.task_news import TaskNews
from genoflow.events.task_resources import TaskResources
from genoflow.events.types import ExitCode, Name, Seconds, Text, Uri, Utc


class TaskCompleted(TaskNews):
    """The task ended well or was taken from the cache; TaskFailed is the negative twin."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.1",
        identity=("run_id", "attempt", "job_id", "task_id", "task_attempt"),
        terminal=True,
    )

    exit_code: ExitCode = Field(description="as the task ended")
    is_cached: bool = Field(False, description="whether it was done by an earlier attempt")
    native_id: Name | None = Field(None, description="as the executor calls it")
    submitted_at: Utc | None = Field(None, description="when it began to wait")
    started_at: Utc | None = Field(None, description="when it began to work")
    completed_at: Utc | None = Field(None, description="when it ended")
    duration_seconds: Seconds | None = Field(None, description="from submission to end")
    work_seconds: Seconds | None = Field(None, description="from start to end")
    container: Text | None = Field(None, description="the image that it ran in")
    container_digest: Name | None = Field(None, description="by which that image is named")
    work_uri: Uri | None = Field(None, description="where it worked")
    log_uri: Uri | None = Field(None, description="what it wrote while it worked")
    resources: TaskResources | None = Field(None, description="what it asked for and used")
