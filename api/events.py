"""Events as they were recorded: page by page, one by one, as a stream, and along their causes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from genoflow.api.guard import ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import (
    PAGE_DEFAULT,
    Limit,
    Moment,
    ReadingHere,
    ReadingRoute,
    noted,
    with_zone,
)
from genoflow.api.refusal import Refusal
from genoflow.api.services import Services
from genoflow.events import topics
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Position
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.projections.event_search import KeptEvent, Wanted, event_of, follow, positions, search
from genoflow.projections.lineage import lineage_of
from genoflow.projections.vectors import WORD_CHARACTERS_MAX, from_word, to_word

STREAMS_MAX = 200  # of one process: each asks four times a second, and most of them find nothing
STREAM_SECONDS_MAX = 900.0  # as long as an access token is valid; clients come back by themselves
LOOK_SECONDS = 0.25
QUIET_SECONDS_MAX = 15.0  # proxies end what is silent for 30 to 60 s
VALUES_MAX = 100  # of one filter
PLACE = re.compile(r"(gf\.[a-z0-9.-]{1,190})\[([0-9]{1,5})\]@([0-9]{1,18})")
A_PLACE = f"{topics.SAMPLE.name}[3]@1201"
AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"

router = APIRouter(tags=["events"], route_class=ReadingRoute)


class ActorOut(BaseModel):
    """Who did it."""

    kind: str = Field(examples=["person"])
    id: str = Field(examples=["a.b"])


class ProducerOut(BaseModel):
    """Which program said so."""

    service: str = Field(examples=["judge-reads"])
    version: str = Field(examples=["0.1.0"])


class EventOut(BaseModel):
    """One fact with its envelope, and its place on the log."""

    event_id: UUID = Field(examples=[AN_ID])
    type: str = Field(examples=["QcPassed"])
    subject: str = Field(examples=["SIM-A"])
    occurred_at: datetime = Field(description="when it was true")
    recorded_at: datetime = Field(description="when the log took it")
    correlation_id: UUID = Field(description="the story that it belongs to")
    causation_id: UUID | None = Field(description="the event that it follows from")
    actor: ActorOut
    producer: ProducerOut
    topic: str = Field(examples=[topics.SAMPLE.name])
    partition: int
    offset: int
    payload: dict[str, Any] = Field(examples=[{"sample_id": "SIM-A", "round": 1}])


class EventsOut(BaseModel):
    """A page of events."""

    events: list[EventOut]
    next: str | None = Field(
        description="hand it to `after` for the next page; null at the end", examples=[A_PLACE]
    )


class LineageOut(BaseModel):
    """An event between its causes and its consequences."""

    event: EventOut
    causes: list[EventOut] = Field(description="what it follows from, the first one first")
    consequences: list[EventOut] = Field(description="what followed from it, as it was recorded")
    is_cut: bool = Field(description="whether more followed than are shown")


# Whose address it is and who administers learns it from the subscription itself.
WITHHELD: Mapping[str, tuple[str, ...]] = {SubscriptionCreated.type(): ("target", "secret_names")}


def told(event: KeptEvent) -> EventOut:
    """An event as the API tells it; an address in it is null."""
    hidden = dict.fromkeys(WITHHELD.get(event.type, ()))
    return EventOut(
        event_id=event.event_id, type=event.type, subject=event.subject,
        occurred_at=event.occurred_at, recorded_at=event.recorded_at,
        correlation_id=event.correlation_id, causation_id=event.causation_id,
        actor=ActorOut(kind=event.actor_kind, id=event.actor_id),
        producer=ProducerOut(service=event.producer, version=event.producer_version),
        topic=event.topic, partition=event.partition, offset=event.offset,
        payload={**event.payload, **hidden},
    )  # fmt: skip


Values = Annotated[list[Annotated[str, Field(max_length=1_200)]], Query(max_length=VALUES_MAX)]


async def wanted_of(
    type: Values = [],  # noqa: A002, B006 -- as clients call it; FastAPI copies it
    subject: Values = [],  # noqa: B006
    topic: Values = [],  # noqa: B006
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
    actor: Annotated[str | None, Query(max_length=200)] = None,
    producer: Annotated[str | None, Query(max_length=200)] = None,
    recorded_from: Moment | None = None,
    recorded_before: Moment | None = None,
) -> Wanted:
    """The filters of a question; of a filter that is named twice, one value has to hold."""
    return Wanted(
        tuple(type), tuple(subject), tuple(topic), correlation_id, causation_id, actor, producer,
        _zoned("recorded_from", recorded_from), _zoned("recorded_before", recorded_before),
    )  # fmt: skip


def _zoned(name: str, moment: datetime | None) -> datetime | None:
    return None if moment is None else with_zone(name, moment)


WantedHere = Annotated[Wanted, Depends(wanted_of)]


@router.get("/events", summary="Events, page by page")
@asks(Permission.EVENTS_READ)
async def list_events(
    reading: ReadingHere,
    wanted: WantedHere,
    after: Annotated[
        str | None, Query(description="the `next` of the page before", examples=[A_PLACE])
    ] = None,
    limit: Limit = PAGE_DEFAULT,
    newest_first: bool = False,
) -> EventsOut:
    """Find events in the order in which they were recorded; a walk to the end misses none."""
    found = await search(
        reading.connection, wanted, after=None if after is None else _place(after), limit=limit,
        newest_first=newest_first,
    )  # fmt: skip
    following = str(found[-1].place) if len(found) == limit else None
    return EventsOut(events=[told(one) for one in found], next=following)


def _place(word: str) -> Position:
    found = PLACE.fullmatch(word)
    if found is None:
        raise Refusal(
            422, "after: is no place on the log; hand back the `next` of a page as it came",
            details={"field": "after", "rejected_value": word[:100]},
        )  # fmt: skip
    return Position(found[1], int(found[2]), int(found[3]))


@router.get(
    "/events/stream",
    summary="Events as they come",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "x-item": {"$ref": "#/components/schemas/EventOut"},
                }
            }
        }
    },
)
@asks(Permission.EVENTS_READ)
async def stream_events(
    request: Request,
    services: ServicesHere,
    wanted: WantedHere,
    position: Annotated[
        str | None,
        Query(max_length=WORD_CHARACTERS_MAX, description="begin there; else with what comes now"),
    ] = None,
    last_event_id: Annotated[str | None, Header(max_length=WORD_CHARACTERS_MAX)] = None,
) -> StreamingResponse:
    """Follow events as server-sent events.

    The id of each is the position behind it: a client that comes back with `Last-Event-ID` misses
    none. A stream ends after 15 minutes; clients come back by themselves.
    """
    if getattr(request.app.state, "streams", 0) >= STREAMS_MAX:
        said = "too many streams are open here; ask again"
        raise Refusal(503, said, headers={"Retry-After": "5"})
    word = last_event_id or position
    async with services.pool.acquire() as connection:
        here = await positions(connection) if word is None else from_word(word)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    lines = _lines(request, services, wanted, here)
    return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


@contextmanager
def _counted(request: Request) -> Iterator[None]:
    state = request.app.state
    state.streams = getattr(state, "streams", 0) + 1
    try:
        yield
    finally:
        state.streams -= 1


async def _lines(
    request: Request, services: Services, wanted: Wanted, here: Vector
) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    ends_at, quiet_since = clock() + STREAM_SECONDS_MAX, clock()
    with _counted(request):
        yield f"retry: 1000\nid: {to_word(here)}\n\n"
        while clock() < ends_at and not await request.is_disconnected():
            async with services.pool.acquire() as connection:
                found, after = await follow(connection, here, wanted)
            for event in found:
                here = {**here, (event.topic, event.partition): event.offset + 1}
                data = told(event).model_dump_json()
                try:
                    noted(request, data.encode())
                except Refusal:
                    return  # its answer has begun; the client comes back, and is refused then
                yield f"id: {to_word(here)}\nevent: {event.type}\ndata: {data}\n\n"
                quiet_since = clock()
            if after != here:
                yield f"id: {to_word(after)}\n\n"  # moves what the client hands back, tells nothing
            if after == here and not found:
                if clock() - quiet_since > QUIET_SECONDS_MAX:
                    yield ": nothing new\n\n"
                    quiet_since = clock()
                await asyncio.sleep(LOOK_SECONDS)
            here = after


@router.get("/events/{event_id}", summary="One event", responses={404: {}})
@asks(Permission.EVENTS_READ)
async def show_event(reading: ReadingHere, event_id: UUID) -> EventOut:
    """Show one event with its envelope: who, when, because of what."""
    found = await event_of(reading.connection, event_id)
    if found is None:
        raise _unknown(event_id)
    return told(found)


@router.get("/lineage/{event_id}", summary="Causes and consequences", responses={404: {}})
@asks(Permission.EVENTS_READ)
async def show_lineage(reading: ReadingHere, event_id: UUID, limit: Limit = 1_000) -> LineageOut:
    """Tell what an event follows from up to the first cause, and all that followed from it."""
    found = await lineage_of(reading.connection, event_id, limit=limit)
    if found is None:
        raise _unknown(event_id)
    return LineageOut(
        event=told(found.event),
        causes=[told(one) for one in found.causes],
        consequences=[told(one) for one in found.consequences],
        is_cut=found.is_cut,
    )


def _unknown(event_id: UUID) -> Refusal:
    return Refusal(404, f"event {event_id}: is not known here; an event is there moments after it")
