"""A project may spend so much on runs in a month."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import MoneyUsd, Month, Name, Percent, ProjectId, Reason, RequestId


class BudgetSet(Event):
    """It holds from a month on, until another or BudgetLifted takes its place; it stops no run."""

    about: ClassVar[About] = About(
        topics=(topics.BUDGET,),
        key="project_id",
        version="1.0",
        identity=("project_id", "request_id"),
    )

    project_id: ProjectId = Field(description="the project")
    from_month: Month = Field(description="the first calendar month (UTC) that it is for")
    month_usd: MoneyUsd = Field(description="that runs may cost in each month")
    warn_percent: tuple[Percent, ...] = Field(
        min_length=1, max_length=10, description="the shares that are told of when they are reached"
    )
    role: Name = Field(description="in which role the person set it")
    reason: Reason = Field(description="why, for whoever asks later")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
