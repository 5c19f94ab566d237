"""A run began to work."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Name, Ordinal, RunId


class RunStarted(Event):
    """The job that holds the claim says that it is working."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "attempt", "job_id")
    )

    run_id: RunId = Field(description="the run")
    attempt: Ordinal = Field(description="which submission")
    job_id: Name = Field(description="as the launcher calls it")
    engine: Name = Field(description="such as nextflow")
    engine_version: Name = Field(description="its release")
    session_id: Name | None = Field(
        None, description="the engine's own name for it, by which it resumes"
    )
    resumed: bool = Field(False, description="whether it goes on from finished tasks")
