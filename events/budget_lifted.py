"""A project has no budget for runs any more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Month, Name, ProjectId, Reason, RequestId


class BudgetLifted(Event):
    """From a month on nothing is measured against a sum; BudgetSet is the twin."""

    about: ClassVar[About] = About(
        topics=(topics.BUDGET,),
        key="project_id",
        version="1.0",
        identity=("project_id", "request_id"),
    )

    project_id: ProjectId = Field(description="the project")
    from_month: Month = Field(description="the first calendar month (UTC) without one")
    role: Name = Field(description="in which role the person lifted it")
    reason: Reason = Field(description="why, for whoever asks later")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
