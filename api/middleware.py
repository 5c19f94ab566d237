"""What surrounds every request, before anybody knows who calls."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from urllib.parse import quote
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genoflow.api.errors import REQUEST_ID
from genoflow.api.figures import NO_ROUTE
from genoflow.api.refusal import Refusal
from genoflow.api.tracing import HEADER as TRACE
from genoflow.api.tracing import Step

BODY_BYTES_MAX = 10_000_000  # 10 MB; files go to the object store, and JSON of ours has kilobytes
BODY_SECONDS_MAX = 30.0  # 10 MB in 30 s are 2.7 Mbit/s; what is slower only holds a place
FORM_BYTES_MAX = 100_000_000  # 100 MB; a form cannot be taken up again where it broke
FORM_SECONDS_MAX = 300.0  # the same 2.7 Mbit/s
PATH_CHARACTERS_MAX = 500  # of a line of the log
ALIAS = "/api/v1"
BASE = "/v1"
FORM = f"{BASE}/ingestion/upload"  # where a small file comes in one request, onto the disk
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")  # an id of a client that is a plain one
_log = logging.getLogger("genoflow.api.requests")


class Requests:
    """Gives each request its id, and one line of the log when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under an id: the client's, if it is a plain one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        request_id = given if GIVEN.fullmatch(given) else str(uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        begun, status = time.monotonic(), 500
        made = scope["app"].state.services  # an app that is mounted says it is the app
        step = scope["state"]["step"] = Step(headers.get(TRACE, ""), made.spans)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            took = time.monotonic() - begun
            route = scope["state"].get("route", NO_ROUTE)
            method = NO_ROUTE if route == NO_ROUTE else scope["method"]
            made.figures.answered(method, route, status, took)
            step.answered(method, route, status, request_id)
            line = (scope["method"], _path(scope), status, round(took * 1_000), request_id)
            _log.info("%s %s: %d in %d ms, request %s", *line)


class BodyLimit:
    """Refuses a body that is too long, or that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request whose body stays within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        bytes_max, seconds_max = _limits(scope)
        too_long = not told.isdecimal() or int(told) > bytes_max
        taken, ends_at, whole = 0, time.monotonic() + seconds_max, False

        async def bounded() -> Message:
            nonlocal taken, whole
            if whole:
                return await receive()  # the news that the client has gone may take its time
            if too_long:
                raise _too_long(bytes_max)
            try:
                async with asyncio.timeout(ends_at - time.monotonic()):
                    message = await receive()
            except TimeoutError as error:
                raise Refusal(
                    408, f"the body was not here within {seconds_max:.0f} s; send it again",
                    headers={"Connection": "close"},
                ) from error  # fmt: skip
            taken += len(message.get("body", b""))
            if taken > bytes_max:
                raise _too_long(bytes_max)
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, bounded, send)


def _limits(scope: Scope) -> tuple[int, float]:
    """How long a body may be, and how long it may take."""
    is_form = scope["method"] == "POST" and scope["path"] in (FORM, ALIAS + FORM.removeprefix(BASE))
    return (FORM_BYTES_MAX, FORM_SECONDS_MAX) if is_form else (BODY_BYTES_MAX, BODY_SECONDS_MAX)


def _too_long(bytes_max: int) -> Refusal:
    said = f"the body is longer than {bytes_max:,} bytes; send a file in parts"
    return Refusal(413, said, headers={"Connection": "close"})


class Alias:
    """Serves /api/v1/… as /v1/…, its only difference being the address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under the address that the routes know."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{ALIAS}/"):
            path = BASE + scope["path"].removeprefix(ALIAS)
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self._app(scope, receive, send)


def _path(scope: Scope) -> str:
    # As it came over the line, percent signs and all: it cannot end a line or steer a terminal.
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    return quote(raw, safe="/%:@!$&'()*+,;=~")[:PATH_CHARACTERS_MAX]
