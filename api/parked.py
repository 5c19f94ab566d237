"""What a processor could not take, why, and what people decided about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import parked

ORDER = {"parked_at": datetime, "parked_id": UUID}

router = APIRouter(tags=["parked"], route_class=ReadingRoute)

ParkedOut = shape(
    parked.ParkingRow, "Parked", "One time that something was parked, and the answer to it.",
    state=(str, Field(examples=[parked.WAITS, parked.REQUEUED, parked.DISCARDED])),
    since=(datetime, Field(description="when it was answered, or else parked")),
    waits_for=(str | None, Field(examples=[parked.A_PERSON])),
    answer_id=(UUID | None, Field(description="the event of the answer")),
    answered_by=(str | None, ...), answered_as=(str | None, Field(description="in which role")),
    answer_reason=(str | None, ...),
    is_edited=(bool | None, Field(description="whether it was requeued with other bytes")),
)  # fmt: skip
ParkedPage = page_of(ParkedOut, "ParkedPage", "what was parked, the newest first")
Name = Annotated[str | None, Query(max_length=200)]
Subject = Annotated[str | None, Query(max_length=1_200, description="the key of what is parked")]


@router.get("/parked", summary="What was parked, page by page", response_model=ParkedPage)
@asks(Permission.PARKED_READ)
async def list_parked(
    reading: ReadingHere,
    state: Name = None,
    processor: Name = None,
    topic: Name = None,
    subject: Subject = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List what was parked by state, processor, topic or subject, the newest first."""
    found = await parked.list_parkings(
        reading.connection, state=state, processor=processor, input_topic=topic,
        subject_key=subject, after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@router.get("/parked/counts", summary="How much waits, was requeued, and was discarded")
@asks(Permission.PARKED_READ)
async def count_parked(
    reading: ReadingHere, processor: Name = None, topic: Name = None, subject: Subject = None
) -> dict[str, int]:
    """Count what was parked by its state."""
    return await parked.count_parkings(
        reading.connection, processor=processor, input_topic=topic, subject_key=subject,
        at=reading.at,
    )  # fmt: skip


@router.get(
    "/parked/{parked_id}",
    summary="One time that something was parked",
    response_model=ParkedOut,
    responses={404: {}},
)
@asks(Permission.PARKED_READ)
async def show_parked(reading: ReadingHere, parked_id: UUID) -> dict[str, Any]:
    """Tell what could not be taken, why, and what a person decided about it."""
    found = await parked.parking_of(reading.connection, parked_id, at=reading.at)
    if found is None:
        said = "is not known here; the id is that of its EventParked, as /v1/parked tells it"
        raise Refusal(404, f"parked {parked_id}: {said}")
    return told(found)
