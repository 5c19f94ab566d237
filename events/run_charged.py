"""What a run cost in a month counts for its project."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import MoneyUsd, Month, ProjectId, RunId


class RunCharged(Event):
    """It takes the place of what the same run and month was charged before, and names that sum."""

    about: ClassVar[About] = About(
        topics=(topics.BUDGET,),
        key="project_id",
        version="1.0",
        discriminator=("run_id", "month"),
    )

    project_id: ProjectId = Field(description="the project that the run was ordered for")
    run_id: RunId = Field(description="the run")
    month: Month = Field(description="the calendar month (UTC) in which its tasks ended")
    cost_usd: MoneyUsd | None = Field(
        None, description="billed, else estimated; none where no price was known"
    )
    is_billed: bool = Field(description="whether a bill says so")
    former_usd: MoneyUsd = Field(description="that counted of this run and month until now")
