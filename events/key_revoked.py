"""A program may no longer speak for an account."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import AccountId, Reason


class KeyRevoked(Event):
    """From here on the API key opens nothing."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,),
        key="account_id",
        version="1.0",
        identity=("key_id",),
        terminal=True,
    )

    key_id: UUID = Field(description="the key, as its own table names it")
    account_id: AccountId = Field(description="the account that it spoke for")
    reason: Reason = Field(description="why, such as that it was found in a mail")
