"""The outside world across a process boundary: workers ask, and what they did stays when they die.

The side of the driver serves the ports of one Outside; the side of a worker has the same ports and
asks for each call over a connection of its own, which is kept for the next one.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from genoflow.events.errors import Parked, Retry
from genoflow.processors.ports import (
    Hook,
    JobOrder,
    JobState,
    Letter,
    ObjectGone,
    ObjectHead,
    Undelivered,
)
from tests.whole.outside import Outside

LENGTH_BYTES = 4
SERVED = {
    "store": ("head", "get", "put", "copy", "put_if_absent"),
    "launcher": ("find", "launch", "cancel"),
    "mail": ("send",),
    "hooks": ("post",),
}


class Clock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Window:
    """Serves an Outside on a port of the loopback."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._server: asyncio.Server | None = None
        self._asking: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen wherever there is room."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Let go of everybody who asks, and end the jobs that still run."""
        assert self._server is not None
        self._server.close()
        for writer in self._asking:
            writer.close()
        await self._server.wait_closed()
        await self._outside.launcher.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asking.add(writer)
        try:
            while True:
                port, name, given = await _receive(reader)
                assert name in SERVED[port]
                _send(writer, await self._answer(port, name, given))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it was killed, or has gone
        finally:
            self._asking.discard(writer)
            writer.close()

    async def _answer(self, port: str, name: str, given: tuple[Any, ...]) -> tuple[str, Any]:
        try:
            return "done", await getattr(getattr(self._outside, port), name)(*given)
        except Undelivered as error:
            told = (str(error), error.reason_code, error.response_code)
            return "undelivered", (told, error.is_lasting)
        except ObjectGone as error:
            return "gone", str(error)


class Far:
    """Asks the window; one connection for each question that is under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, port: str, name: str, *given: Any) -> Any:
        """What the outside answers; what it raises is raised here."""
        try:
            if self._idle:
                reader, writer = self._idle.pop()
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            _send(writer, (port, name, given))
            kind, said = await _receive(reader)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Retry(f"the outside does not answer ({error}); try again") from error
        self._idle.append((reader, writer))
        if kind == "undelivered":
            told, is_lasting = said
            raise Undelivered(*told, is_lasting=is_lasting)
        if kind == "gone":
            raise ObjectGone(said)
        return said


def _send(writer: asyncio.StreamWriter, said: object) -> None:
    body = pickle.dumps(said)
    writer.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)


async def _receive(reader: asyncio.StreamReader) -> Any:
    size = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
    return pickle.loads(await reader.readexactly(size))


# -- the ports of a worker


class FarStore:
    """ObjectStore of the outside."""

    def __init__(self, far: Far) -> None:
        self._far = far

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        found = await self._far.ask("store", "put", bucket, key, body, dict(metadata))
        assert isinstance(found, ObjectHead)
        return found

    async def head(self, bucket: str, key: str) -> ObjectHead:
        found = await self._far.ask("store", "head", bucket, key)
        assert isinstance(found, ObjectHead)
        return found

    async def get(self, bucket: str, key: str) -> bytes | None:
        found = await self._far.ask("store", "get", bucket, key)
        assert found is None or isinstance(found, bytes)
        return found

    async def copy(
        self, bucket: str, key: str, version_id: str, to_key: str, metadata: Mapping[str, str]
    ) -> ObjectHead:
        given = (bucket, key, version_id, to_key, dict(metadata))
        found = await self._far.ask("store", "copy", *given)
        assert isinstance(found, ObjectHead)
        return found

    async def put_if_absent(self, bucket: str, key: str, body: bytes) -> bool:
        return bool(await self._far.ask("store", "put_if_absent", bucket, key, body))


class FarLauncher:
    """Launcher of the outside."""

    def __init__(self, far: Far) -> None:
        self._far = far

    async def find(self, effect_id: UUID) -> JobState:
        return JobState(await self._far.ask("launcher", "find", effect_id))

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        await self._far.ask("launcher", "launch", effect_id, order)

    async def cancel(self, effect_id: UUID) -> None:
        await self._far.ask("launcher", "cancel", effect_id)


class FarMail:
    """Mail of the outside."""

    def __init__(self, far: Far) -> None:
        self._far = far

    async def send(self, letter: Letter) -> None:
        await self._far.ask("mail", "send", letter)


class FarHooks:
    """Webhooks of the outside."""

    def __init__(self, far: Far) -> None:
        self._far = far

    async def post(self, hook: Hook, at: datetime) -> int:
        code = await self._far.ask("hooks", "post", hook, at)
        if not isinstance(code, int):
            raise Parked(f"hook {hook.webhook_id}: {code!r} is no code; mend the window")
        return code
