"""What a person decides about something parked: try it again, or give it up."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.desks import Answer
from genoflow.api.guard import GuardedRoute, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.writing import ActingAs, Writing, WritingHere

REASON_CHARACTERS_MAX = 500

router = APIRouter(prefix="/parked", tags=["parked"], route_class=GuardedRoute)
Reason = Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS_MAX)]


class RequeueIn(BaseModel):
    """Why it will go through now, and with what in place of its own fields."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "the bucket is back"}]}
    )

    reason: Reason
    role: ActingAs = None
    payload: dict[str, Any] | None = Field(
        None, description="all fields of the mended event; what it is and whose stays"
    )


class DiscardIn(BaseModel):
    """Why it can be given up."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "the run was a test"}]}
    )

    reason: Reason
    role: ActingAs = None


class AnsweredOut(BaseModel):
    """What was decided; the worker takes it up within a second where one runs."""

    parked_id: UUID = Field(examples=["0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"])
    state: Literal["requeued", "discarded"]
    event_id: UUID = Field(description="of the decision")
    processor: str = Field(examples=["validate-files"])
    subject_key: str = Field(examples=["S7"])


@router.post(
    "/{parked_id}/requeue", summary="Try it again", response_model=AnsweredOut, responses={404: {}}
)
@asks(Permission.PARKED_DECIDE)
async def requeue(parked_id: UUID, how: RequeueIn, writing: WritingHere) -> AnsweredOut:
    """Try it once more, as it was or mended; then its key goes on in order.

    The same request again says nothing new. If it cannot be taken this time either, it is parked
    again, under an id of its own.
    """
    role = writing.role(Permission.PARKED_DECIDE, how.role)
    desk = writing.outside.desks.parked
    answer = await desk.requeued(parked_id, how.reason, role, how.payload)
    return await _said(writing, answer, "requeued")


@router.post(
    "/{parked_id}/discard", summary="Give it up", response_model=AnsweredOut, responses={404: {}}
)
@asks(Permission.PARKED_DECIDE)
async def discard(parked_id: UUID, how: DiscardIn, writing: WritingHere) -> AnsweredOut:
    """Give it up; its key goes on in order without it. It stays on the log."""
    role = writing.role(Permission.PARKED_DECIDE, how.role)
    answer = await writing.outside.desks.parked.discarded(parked_id, how.reason, role)
    return await _said(writing, answer, "discarded")


async def _said(
    writing: Writing, answer: Answer, state: Literal["requeued", "discarded"]
) -> AnsweredOut:
    if answer.is_new:
        await writing.say(answer.fact, answer.parked)
    return AnsweredOut(
        parked_id=answer.parked.envelope.event_id,
        state=state,
        event_id=answer.fact.external_id(),
        processor=answer.fact.processor,
        subject_key=answer.fact.subject_key,
    )
