"""A launcher took a run."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Name, Ordinal, RunId, Uri


class RunSubmitted(Event):
    """The launcher has the job under this name; before it submits again it looks for that name."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", discriminator=("attempt",)
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    attempt: Ordinal = Field(description="our submissions, not the launcher's own retries")
    launcher: Name = Field(description="where it runs")
    job_name: Name = Field(description="gf-<run id>-<attempt>")
    job_id: Name = Field(description="as the launcher calls it")
    queue: Name | None = Field(None, description="where it waits")
    work_uri: Uri | None = Field(None, description="where it works")
    found_already: bool = Field(
        False, description="whether the job was there from an earlier, interrupted try"
    )
