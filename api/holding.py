"""Legal holds: as long as one stands on a sample, nothing of it is deleted."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import GuardedRoute, RequestName, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.writing import ActingAs, WritingHere

router = APIRouter(route_class=GuardedRoute)
HoldId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", min_length=1, max_length=100,
        description="the number of a case at law, or a word", examples=["case-2031-7"],
    ),
]  # fmt: skip
Reason = Annotated[str, Field(min_length=1, max_length=500, description="why")]


class HoldIn(BaseModel):
    """What is to be kept, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"hold_id": "case-2031-7", "reason": "asked for by a court"}]
        },
    )

    hold_id: HoldId
    reason: Reason
    role: ActingAs = None


class ReleaseIn(BaseModel):
    """Why it is over."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "the case is closed"}]}
    )

    reason: Reason
    role: ActingAs = None


class HoldOut(BaseModel):
    """A hold as it was placed or released."""

    event_id: UUID = Field(description="of the decision")
    sample_id: str = Field(examples=["S7"])
    hold_id: str = Field(examples=["case-2031-7"])
    stands: bool = Field(description="whether it stands now")


@router.post(
    "/samples/{sample_id}/holds", summary="Place a legal hold", tags=["samples"],
    response_model=HoldOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.HOLDS_WRITE)
async def place_hold(
    sample_id: str, wish: HoldIn, called: RequestName, writing: WritingHere
) -> HoldOut:
    """Keep every file of this sample, and of runs that took it, whatever the rules say.

    A hold of this name that stands already is answered as it is.
    """
    decided = writing.decided(Permission.HOLDS_WRITE, wish.reason, wish.role, called, "hold")
    fact = await writing.outside.desks.holds.place(sample_id, wish.hold_id, decided, writing.put)
    return HoldOut(
        event_id=fact.envelope.event_id, sample_id=fact.sample_id, hold_id=fact.hold_id, stands=True
    )


@router.post(
    "/samples/{sample_id}/holds/{hold_id}/release", summary="Release a legal hold",
    tags=["samples"], response_model=HoldOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.HOLDS_WRITE)
async def release_hold(
    sample_id: str, hold_id: str, wish: ReleaseIn, called: RequestName, writing: WritingHere
) -> HoldOut:
    """Let the rules of retention count again, unless another hold stands."""
    decided = writing.decided(Permission.HOLDS_WRITE, wish.reason, wish.role, called, "release")
    fact = await writing.outside.desks.holds.release(sample_id, hold_id, decided, writing.put)
    return HoldOut(
        event_id=fact.envelope.event_id, sample_id=fact.sample_id, hold_id=hold_id, stands=False
    )
