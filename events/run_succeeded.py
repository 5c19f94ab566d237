"""A run is over and left all that it owed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Bucket,
    CaseId,
    Count,
    Name,
    ObjectKey,
    Ordinal,
    RunId,
    Seconds,
    Sha256,
)


class RunSucceeded(Event):
    """The output manifest lists every expected output; RunFailed is the negative twin."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", discriminator=("attempt",)
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    attempt: Ordinal = Field(description="which submission")
    job_id: Name = Field(description="the job that held the claim")
    bucket: Bucket = Field(description="where the manifest is")
    manifest_key: ObjectKey = Field(description="its key there")
    manifest_sha256: Sha256 = Field(description="of its bytes")
    outputs: Count = Field(description="files that it lists")
    tasks_completed: Count = Field(description="tasks that ended well")
    tasks_cached: Count = Field(0, description="of them, those taken from an earlier attempt")
    tasks_failed: Count = Field(0, description="tasks that failed and were made good")
    duration_seconds: Seconds | None = Field(None, description="from start to end")
