"""Rows of a project are shown to an account."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import AccountId, ProjectId


class ProjectAccessGranted(Event):
    """From here on the account sees this project, as far as its roles go."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,),
        key="account_id",
        version="1.0",
        identity=("change_id",),
        terminal=True,
    )

    change_id: UUID = Field(description="this change of the account, as its own table names it")
    account_id: AccountId = Field(description="the account")
    project_id: ProjectId = Field(description="the project")
