"""An account may no longer do what a role may do."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import AccountId, Name, Reason


class RoleRevoked(Event):
    """From here on the account holds the role no more; who revoked it is the actor."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,),
        key="account_id",
        version="1.0",
        identity=("change_id",),
        terminal=True,
    )

    change_id: UUID = Field(description="this change of the account, as its own table names it")
    account_id: AccountId = Field(description="the account")
    role: Name = Field(description="the role, such as clinician")
    reason: Reason = Field(description="why, such as that the account was disabled")
