"""A bill says what a run cost."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Count, MoneyUsd, Month, Name, RunId, Sha256


class RunCostRecorded(Event):
    """What one bill has of one run and month; a later one of the same source takes its place."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        identity=("run_id", "source", "month", "document_sha256"),
        terminal=True,
    )

    run_id: RunId = Field(description="the run")
    source: Name = Field(description="whose bill it is, such as aws-cur")
    month: Month = Field(description="that was billed, such as 2026-03")
    cost_usd: MoneyUsd = Field(description="of all its lines that name the run")
    lines: Count = Field(description="how many these are")
    document_sha256: Sha256 = Field(description="of the bill's bytes")
