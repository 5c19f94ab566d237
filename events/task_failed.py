"""One task of a run did not end well."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.failure import EVIDENCE_MAX, Evidence, FailureClass
from genoflow.events.task_news import TaskNews
from genoflow.events.task_resources import TaskResources
from genoflow.events.types import ExitCode, Name, Reason, Seconds, Text, Uri, Utc


class TaskFailed(TaskNews):
    """The task ended badly, and may be tried again by the engine.

    TaskCompleted is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.1",
        identity=("run_id", "attempt", "job_id", "task_id", "task_attempt"),
        terminal=True,
    )

    exit_code: ExitCode | None = Field(
        None, description="none where it ended by a signal or never began"
    )
    signal: Name | None = Field(None, description="such as SIGKILL")
    will_retry: bool = Field(description="whether the engine tries it again")
    reason: Reason = Field(description="what is known")
    error_tail: Text = Field("", description="the last lines that it wrote")
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
    failure_class: FailureClass | None = Field(
        None, description="data, pipeline, infrastructure or lab; none of before this was told"
    )
    failure_rule: Name | None = Field(None, description="by which rule, as docs/failures.md has it")
    evidence: Evidence = Field(
        (), max_length=EVIDENCE_MAX, description="what the rule went by, word for word"
    )
