"""A project has spent a share of its budget for runs of a month."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import MoneyUsd, Month, Percent, ProjectId


class BudgetReached(Event):
    """Said once for each share of a month's budget, whatever bills take back; no run is stopped."""

    about: ClassVar[About] = About(
        topics=(topics.BUDGET,),
        key="project_id",
        version="1.0",
        discriminator=("month", "percent"),
    )

    project_id: ProjectId = Field(description="the project")
    month: Month = Field(description="the calendar month (UTC)")
    percent: Percent = Field(description="the share that is reached")
    spent_usd: MoneyUsd = Field(description="billed, and estimated where bills are not known")
    month_usd: MoneyUsd = Field(description="the budget of the month")
    budget_event_id: UUID = Field(description="of the BudgetSet that says so")
