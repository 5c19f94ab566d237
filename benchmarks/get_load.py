"""The load of the GET benchmark: connections that each ask again as soon as they are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

CONNECTIONS = 64
ANSWER_SECONDS_MAX = 120.0


class _Asking(asyncio.Protocol):
    """One connection, kept alive: it asks the next of all requests until there is none."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._had = bytearray()
        self._ends_at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._had += data
        if not self._ends_at:
            head = self._had.find(b"\r\n\r\n")
            if head < 0:
                return
            length = self._had.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
            self._ends_at = head + 4 + int(length)
        if len(self._had) >= self._ends_at:
            self._load.answered(bytes(self._had[9:12]))
            self._had.clear()
            self._ends_at = 0
            self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.lost()

    def _ask(self) -> None:
        request = self._load.next()
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)


class Load:
    """All requests of a run, and what came of them."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.statuses: Counter[bytes] = Counter()
        self._requests = requests
        self._asked = 0
        self._open = CONNECTIONS
        self._over = asyncio.Event()

    def next(self) -> bytes | None:
        """The next request, for whichever connection is free."""
        if self._asked == len(self._requests):
            return None
        self._asked += 1
        return self._requests[self._asked - 1]

    def answered(self, status: bytes) -> None:
        """Count one answer."""
        self.statuses[status] += 1

    def lost(self) -> None:
        """One connection less; without any, the run is over."""
        self._open -= 1
        if not self._open:
            self._over.set()

    async def run(self, port: int) -> float:
        """Ask all of them; answers a second."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            for _ in range(CONNECTIONS):
                await loop.create_connection(lambda: _Asking(self), "127.0.0.1", port)
            await self._over.wait()
        took = loop.time() - began
        if self.statuses != {b"200": len(self._requests)}:
            raise AssertionError(f"not every answer is 200: {dict(self.statuses)}")
        return len(self._requests) / took
