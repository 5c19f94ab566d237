"""What every question has in common: known filters only, pages, positions, and an ETag.

An answer says in `GenoFlow-Position` which part of the log it knows. A question with
`min_position` waits until the rows have come that far: hand it the position of a write, and the
answer knows what was written.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from genoflow.api.guard import WRITES, GuardedRoute, SeesOnly, ServicesHere, caller_of, services_of
from genoflow.api.refusal import Refusal
from genoflow.events.log.port import Vector
from genoflow.projections.as_of import position_at
from genoflow.projections.known import known_position
from genoflow.projections.store import Connection
from genoflow.projections.vectors import WORD_CHARACTERS_MAX, covers, from_word, to_word
from genoflow.projections.within import Within, within

POSITION = "GenoFlow-Position"
WAIT_SECONDS_MAX = 2.0  # a row follows its event within 100 ms; later it is said to be late
PAUSE_SECONDS = 0.02
PAGE_DEFAULT = 50
PAGE_MAX = 1_000
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _written(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _WRITTEN.match(value)):
        return value
    raise ValueError("is no time in words; give one such as 2026-03-01T10:00:00Z")


# A time as a person writes it. A bare number could be seconds, milliseconds or a typing error.
Moment = Annotated[datetime, BeforeValidator(_written)]


class _Reads(APIRoute):
    """Refuses filters that are not known, and lets a client keep an answer that did not change."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        known = _filters(self.dependant)

        async def reading(request: Request) -> Response:
            unknown = sorted(set(request.query_params) - known)
            if unknown:
                said = f"is no filter here; there are {', '.join(sorted(known)) or 'none'}"
                raise Refusal(
                    422, f"{unknown[0]}: {said}",
                    details={"field": unknown[0], "rejected_value": None},
                )  # fmt: skip
            response = await handler(request)
            if request.method == "GET" and response.status_code == 200:
                noted(request, getattr(response, "body", b""))
            return _tagged(request, response)

        return reading


class ReadingRoute(GuardedRoute, _Reads):
    """A question behind the door."""

    def _described(self, options: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
        told = super()._described(options)
        if not WRITES.isdisjoint(options.get("methods") or ()) or _is_stream(options):
            return told
        kept = {"headers": _HEADERS, **told.get(200, {})}
        unchanged = {"description": "the answer that If-None-Match names is still right"}
        return {**told, 200: kept, 304: unchanged}


def _is_stream(options: dict[str, Any]) -> bool:
    kind = options.get("response_class")
    return isinstance(kind, type) and issubclass(kind, StreamingResponse)


def _header(about: str, example: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string"}, "example": example}


_HEADERS = {
    "ETag": _header("names this answer", '"0f343b0931126a20f133d67c2b018a3b"'),
    POSITION: _header("which part of the log the answer knows", "AQQBAgM"),
}


def noted(request: Request, body: bytes) -> None:
    """Note which subjects this answer shows to whom, before it leaves; a Refusal where that fails.

    An answer that is a stream has no body: its route notes each part.
    """
    services_of(request).reads.note(caller_of(request), request.scope["route"].path_format, body)


def _filters(asked: Dependant) -> set[str]:
    below = [_filters(one) for one in asked.dependencies]
    return {field.alias for field in asked.query_params}.union(*below)


def _tagged(request: Request, response: Response) -> Response:
    body = getattr(response, "body", b"")
    if response.status_code != 200 or not body:
        return response
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    kept = {"ETag": tag, "Cache-Control": "private, no-cache"}
    asked = [one.strip().removeprefix("W/") for one in
             request.headers.get("if-none-match", "").split(",")]  # fmt: skip
    if tag in asked:
        position = response.headers.get(POSITION)
        return Response(None, 304, kept | ({POSITION: position} if position else {}))
    response.headers.update(kept)
    return response


@dataclass(frozen=True, slots=True)
class Reading:
    """A connection whose rows do not change while it is asked, and the position that they have."""

    connection: Connection
    position: Vector
    at: Vector | None  # where rows are asked for as they were; None for now; Within for a partner
    everywhere: Vector | None = None  # the same without bounds, where a route sets its own

    @property
    def is_partial(self) -> bool:
        """Whether rows of some projects alone are shown."""
        return isinstance(self.at, Within)


async def _reading(
    services: ServicesHere,
    response: Response,
    sees_only: SeesOnly,
    min_position: Annotated[
        str | None,
        Query(
            max_length=WORD_CHARACTERS_MAX, examples=["AQQBAgM"],
            description="wait until the answer knows what stood on the log at this position",
        ),
    ] = None,
    as_of: Annotated[
        Moment | None,
        Query(description="as the log was at this recorded time: the same answer for ever"),
    ] = None,
    at_position: Annotated[
        str | None,
        Query(max_length=WORD_CHARACTERS_MAX, description="as the log was at this position"),
    ] = None,
) -> AsyncIterator[Reading]:  # fmt: skip
    wanted = from_word(min_position) if min_position is not None else {}
    at = from_word(at_position) if at_position is not None else None
    if as_of is not None and at is not None:
        raise Refusal(422, "as_of and at_position name two times; leave one of them out")
    async with services.pool.acquire() as connection:
        if wanted:
            await wait_until_known(connection, wanted)
        if as_of is not None:
            at = await position_at(connection, with_zone("as_of", as_of))
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            position = await known_position(connection)
            response.headers[POSITION] = to_word(position)
            shown = at if sees_only is None else await within(connection, sees_only, at)
            yield Reading(connection, position, shown, at)


def with_zone(name: str, moment: datetime) -> datetime:
    """The same time in UTC; a Refusal where it could be one of many, or is none in UTC."""
    if moment.utcoffset() is None:
        raise _no_time(name, moment, "has no time zone; give it as UTC, such as")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise _no_time(name, moment, "is no time in UTC; give one such as") from error


def _no_time(name: str, moment: datetime, said: str) -> Refusal:
    return Refusal(
        422, f"{name}: {said} 2026-03-01T10:00:00Z",
        details={"field": name, "rejected_value": moment.isoformat()},
    )  # fmt: skip


async def wait_until_known(connection: Connection, wanted: Vector) -> None:
    """Return when the rows have come so far; a Refusal of 503 where that takes too long."""
    for _ in range(int(WAIT_SECONDS_MAX / PAUSE_SECONDS)):
        if covers(await known_position(connection), wanted):
            return
        await asyncio.sleep(PAUSE_SECONDS)
    raise Refusal(
        503, "the rows have not come as far as min_position; ask again, or without it",
        code="BEHIND", headers={"Retry-After": "1"},
    )  # fmt: skip


# Its connection is given back before the answer is sent: a client that reads slowly holds none.
ReadingHere = Annotated[Reading, Depends(_reading, scope="function")]
After = Annotated[
    str | None,
    Query(max_length=4_000, description="the `next` of the page before, as it came"),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="how many at most")]
