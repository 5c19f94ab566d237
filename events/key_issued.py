"""A program may speak for an account."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import AccountId, Name, Utc


class KeyIssued(Event):
    """An API key was made: its name and its bounds, never the key."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,),
        key="account_id",
        version="1.0",
        identity=("key_id",),
        terminal=True,
    )

    key_id: UUID = Field(description="the key, as its own table names it")
    account_id: AccountId = Field(description="the account that it speaks for")
    scopes: tuple[Name, ...] = Field(
        min_length=1, max_length=100, description="the permissions that it is bounded to"
    )
    expires_at: Utc = Field(description="when it ends by itself")
