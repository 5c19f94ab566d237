"""Somebody has looked at samples, cases, runs or people."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import AccountId, Choices, Identifier, Part, Text, Utc

# A page of 1,000 rows shows some 3,000 ids: three events. One of them has 250 kB at the most.
READ_MAX = 1_000
ANSWERS_MAX = 10**9  # of one second: nobody serves so many


class SubjectRead(Part):
    """One subject that answers of one route have shown."""

    kind: Annotated[str, Choices("sample", "case", "run", "subject")] = Field(
        description="what it is; a subject is whom samples were taken of, by an opaque reference"
    )
    subject: Identifier = Field(description="its id")
    route: Text = Field(
        description="the route below /v1 that was asked, with names for what was filled in"
    )
    answers: int = Field(
        strict=True, ge=1, le=ANSWERS_MAX, description="how many answers of the route showed it"
    )


class SubjectsRead(Event):
    """What one caller was shown within a moment, whether it was asked for by its id or stood in a
    list. The actor is the person or the key.
    """

    about: ClassVar[About] = About(
        topics=(topics.ACCESS,),
        key="account_id",
        version="1.0",
        identity=("batch_id",),
        terminal=True,
    )

    batch_id: UUID = Field(description="this batch")
    account_id: AccountId = Field(description="the account that called, itself or through a key")
    began_at: Utc = Field(description="no answer of this batch is older")
    ended_at: Utc = Field(description="no answer of this batch is newer")
    reads: tuple[SubjectRead, ...] = Field(
        min_length=1, max_length=READ_MAX, description="what was shown, each route and id once"
    )
