"""Server-sent events that go on when their connection ends, from behind the last one that came."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx2
from pydantic import ValidationError

from genoflow.api.client.answers import Head, adapter_of, with_head
from genoflow.api.client.call import LAST_EVENT_ID, Call
from genoflow.api.client.errors import ApiError, Unavailable, Unreachable, Unreadable
from genoflow.api.client.steps import PAUSE_SECONDS_MAX, pause
from genoflow.api.client.wire import AsyncWire, Wire

T = TypeVar("T")
EVENT_BYTES_MAX = 10_000_000  # an event of ours has kilobytes; more than this is no stream of ours
# With four tries each and up to 3.2 s between them: half a minute, as long as a restart takes.
LOSSES_MAX = 10
POSITION = "position"  # the filter that says where a stream begins
# Not as str.splitlines has it: a text in an event may hold U+2028, which ends no line here.
_LINE_ENDS = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Message:
    """One block of a stream."""

    id: str | None
    data: str | None  # None where it only moves the place
    retry_seconds: float | None


class Blocks:
    """Takes bytes as they come, however they are cut, and gives whole blocks."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """The blocks that these bytes complete."""
        self._rest += chunk
        if len(self._rest) + sum(map(len, self._lines)) > EVENT_BYTES_MAX:
            raise Unreadable(f"an event of the stream has more than {EVENT_BYTES_MAX:,} bytes; "
                             f"look at the address of this client")  # fmt: skip
        # The second half of a line's end may be still on its way.
        held = b"\r" if self._rest.endswith(b"\r") else b""
        *lines, rest = _LINE_ENDS.split(self._rest.removesuffix(held))
        self._rest = rest + held
        for line in lines:
            if line:
                self._lines.append(line)
            elif self._lines:
                yield _message(self._lines)
                self._lines = []


def _message(lines: list[bytes]) -> Message:
    found: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.decode(errors="replace").partition(":")
        found.setdefault(name, []).append(value.removeprefix(" "))
    data, ids, retry = found.get("data"), found.get("id"), found.get("retry", [""])[-1]
    return Message(
        ids[-1] if ids and "\0" not in ids[-1] else None,
        None if data is None else "\n".join(data),
        int(retry) / 1_000 if retry.isascii() and retry.isdecimal() and len(retry) < 7 else None,
    )


class _Place(Generic[T]):
    """How far a stream is, and how often it failed since it said something."""

    def __init__(self, call: Call, row: type[T]) -> None:
        self._call, self._row = call, row
        self._failures = 0
        self._pause_seconds = 1.0

    def call(self) -> Call:
        """What asks for all that comes behind the last event."""
        return self._call

    def taken(self, message: Message) -> list[T]:
        """The event in a block, if there is one; the place moves behind it."""
        self._failures = 0
        if message.retry_seconds is not None:
            self._pause_seconds = min(message.retry_seconds, PAUSE_SECONDS_MAX)
        if message.id is not None:
            query = {name: one for name, one in self._call.query.items() if name != POSITION}
            headers = {**self._call.headers, LAST_EVENT_ID: message.id}
            self._call = replace(self._call, query=query, headers=headers)
        if message.data is None:
            return []
        try:
            event = adapter_of(self._row).validate_json(message.data)
        except ValidationError as error:
            raise Unreadable(f"{self._call.path}: an event is of another shape than this client "
                             f"knows; take the client of the API's version") from error  # fmt: skip
        return [with_head(event, Head(200, message.id))]

    def pause_after(self, error: Exception | None) -> float:
        """For how long to wait before going on; the error itself where it came too often."""
        if error is None:
            return self._pause_seconds
        self._failures += 1
        if self._failures >= LOSSES_MAX:
            if isinstance(error, ApiError):
                raise error
            raise Unreachable(
                f"{self._call.path}: the stream broke {LOSSES_MAX} times without a word "
                f"({type(error).__name__}: {error}); follow it again from the last position",
                request_id="unknown", idempotency_key=None,
            ) from error  # fmt: skip
        return max(self._pause_seconds, pause(self._failures))


BROKEN = (httpx2.TransportError, Unreachable, Unavailable)


class Stream(AbstractContextManager["Stream[T]"], Generic[T]):
    """Events as they come, without an end; leaving the block closes the connection."""

    def __init__(self, wire: Wire, call: Call, row: type[T]) -> None:
        self._wire, self._place = wire, _Place(call, row)
        self._events = self._walk()

    def __iter__(self) -> Iterator[T]:
        return self._events

    def __next__(self) -> T:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        where: TracebackType | None,
    ) -> None:  # fmt: skip
        self._events.close()

    def _walk(self) -> Generator[T, None, None]:
        while True:
            lost: Exception | None = None
            blocks = Blocks()
            try:
                with self._wire.opened(self._place.call()) as chunks:
                    for chunk in chunks:
                        for message in blocks.feed(chunk):
                            yield from self._place.taken(message)
            except BROKEN as error:
                lost = error
            self._wire.wait(self._place.pause_after(lost))


class AsyncStream(AbstractAsyncContextManager["AsyncStream[T]"], Generic[T]):
    """Events as they come, without an end; leaving the block closes the connection."""

    def __init__(self, wire: AsyncWire, call: Call, row: type[T]) -> None:
        self._wire, self._place = wire, _Place(call, row)
        self._events = self._walk()

    def __aiter__(self) -> AsyncIterator[T]:
        return self._events

    async def __anext__(self) -> T:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        where: TracebackType | None,
    ) -> None:  # fmt: skip
        await self._events.aclose()

    async def _walk(self) -> AsyncGenerator[T, None]:
        while True:
            lost: Exception | None = None
            blocks = Blocks()
            try:
                async with self._wire.opened(self._place.call()) as chunks:
                    async for chunk in chunks:
                        for message in blocks.feed(chunk):
                            for event in self._place.taken(message):
                                yield event
            except BROKEN as error:
                lost = error
            await self._wire.wait(self._place.pause_after(lost))
