"""What every piece of news about one task of a run says."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.event import Event
from genoflow.events.types import Name, Ordinal, RunId, SampleId, Small


class TaskNews(Event):
    """Which task of which run it is, the same after a restart of the engine."""

    run_id: RunId = Field(description="the run")
    attempt: Ordinal = Field(description="which submission of the run")
    job_id: Name = Field(description="the launcher's job; only the holder of the claim is heard")
    task_id: Name = Field(description="the engine's hash of the task: the same when it resumes")
    task_attempt: Ordinal = Field(description="the engine's own tries of the task")
    task_number: Small | None = Field(None, description="the engine's count in this session")
    process: Name = Field(description="the step of the pipeline")
    task_name: Name = Field(description="as the engine shows it")
    sample_id: SampleId | None = Field(None, description="where it works on one sample")
