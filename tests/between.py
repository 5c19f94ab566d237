"""What may happen between a client and the API: refused, cut off, or done without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from tests.doors import Door
from tests.integration.test_api_server import served

T = TypeVar("T")


@dataclass
class Between:
    """Passes calls on to the app, and does to the next ones what a test wants."""

    app: FastAPI
    refuse: list[tuple[int, str]] = field(default_factory=list)  # status, Retry-After
    lose: int = 0  # answers of what was done
    cut_after: list[int] = field(default_factory=list)  # parts of an answer
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, or not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["path"], headers))
        if self.refuse:
            status, seconds = self.refuse.pop(0)
            await _say(send, status, seconds)
        elif self.lose:
            self.lose -= 1
            await self.app(scope, receive, _nowhere)
            await _say(send, 503, "0")
        elif self.cut_after:
            await self.app(scope, receive, _cut(send, self.cut_after.pop(0)))
        else:
            await self.app(scope, receive, send)

    def headers(self, path: str, name: str) -> list[str | None]:
        """What each call of an address said in a header."""
        return [headers.get(name) for _, there, headers in self.asked if there == path]


async def _nowhere(message: Message) -> None:
    """An answer that nobody hears."""


async def _say(send: Send, status: int, retry_after: str) -> None:
    headers = [(b"retry-after", retry_after.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _cut(send: Send, parts: int) -> Send:
    left = parts

    async def some(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.body":
            left -= 1
            if left < 0:
                raise ConnectionAbortedError("the connection is cut here")
        await send(message)

    return some


@asynccontextmanager
async def reached(door: Door) -> AsyncIterator[tuple[Between, str]]:
    """The app behind a port of this machine, with a way to meddle, and its address."""
    between = Between(door.app)
    async with served(replace(door, app=between)) as port:  # type: ignore[arg-type]
        yield between, f"http://127.0.0.1:{port}"


async def aside(work: Callable[[], T]) -> T:
    """What a program that blocks comes to, while the server goes on here."""
    async with asyncio.timeout(60):
        return await asyncio.to_thread(work)
