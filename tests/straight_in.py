"""A request straight into an ASGI app: no socket, and a stream is left after its first words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

ANSWER_SECONDS_MAX = 40.0  # a write may take 30
STREAM = "text/event-stream"
Fields = Iterable[tuple[str, str]]


@dataclass
class Answer:
    """What came back, and what the app raised behind it."""

    status: int = 0
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    raised: str = ""
    is_cut: bool = False


async def straight_in(
    app: ASGIApp, method: str, raw_path: str, query: str, headers: Fields, body: bytes
) -> Answer:
    """What the app answers; a server would have read the same from the line."""
    answer, gone, is_sent = Answer(), asyncio.Event(), False
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": method, "scheme": "http", "path": unquote(raw_path), "root_path": "",
        "raw_path": raw_path.encode(), "query_string": query.encode(),
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        "client": ("203.0.113.7", 40_000), "server": ("lab", 80), "state": {},
    }  # fmt: skip

    async def receive() -> Message:
        nonlocal is_sent
        if is_sent:
            await gone.wait()
            return {"type": "http.disconnect"}
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            for name, value in message["headers"]:
                answer.headers.setdefault(name.decode().lower(), []).append(value.decode("latin-1"))
            return
        answer.body += message.get("body", b"")
        if answer.body and answer.headers.get("content-type", [""])[0].startswith(STREAM):
            answer.is_cut = True
            gone.set()

    begun = time.monotonic()
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 -- told, whatever it is: the finding names it
        answer.raised = f"{type(error).__name__}: {error}"[:300]
    answer.seconds = time.monotonic() - begun
    return answer
