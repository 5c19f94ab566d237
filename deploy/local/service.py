"""What the supervisor knows about a server: how to get it, prepare it, start it and ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from genoflow.deploy.local.process import Launch
from genoflow.events.errors import StackFault

Report = Callable[[str], None]
PROBE_SECONDS_MAX = 5.0  # one question to a server on this machine, which may be very busy
HTTP_HEAD_BYTES_MAX = 64  # the status line is all that a probe reads


class NotReady(Exception):
    """The server does not answer yet, or not as it should; the text says which."""


class Service(Protocol):
    """A server of the stack, as far as starting, asking and stopping it goes."""

    name: str
    port_count: int

    async def fetch(self, report: Report, /) -> None:
        """Make sure that its programs are here."""

    async def prepare(self) -> None:
        """Make its data directory, whole or not at all; never touch one that was used."""

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute for it to listen on these ports."""

    def address(self, ports: tuple[int, ...]) -> str:
        """Return what a client connects to."""

    async def probe(self, address: str) -> None:
        """Ask it something real, and raise NotReady where it does not answer."""


def check_directory(path: Path, mark: str, kind: str) -> bool:
    """Say whether a data directory is there, and refuse one that is something else."""
    if not path.exists():
        return False
    if (path / mark).exists():
        return True
    if any(path.iterdir()):
        raise StackFault(
            f"{path}: holds files but no {mark}, so it is no data directory of {kind}; "
            "nothing was changed: move it away, or restore what is missing"
        )
    path.rmdir()
    return False


async def http_status(address: str, path: str) -> int:
    """Return the status of one GET, or raise NotReady."""
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rstrip("/").partition(":")
    number = int(port) if port else (443 if scheme == "https" else 80)
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            reader, writer = await asyncio.open_connection(
                host, number, ssl=True if scheme == "https" else None
            )
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {rest}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                head = await reader.read(HTTP_HEAD_BYTES_MAX)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise NotReady(f"{address}: {error or 'no answer'}") from error
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise NotReady(f"{address}: does not speak HTTP")
    return int(words[1])
