"""A Postgres of a scenario's own, which may be killed, and comes back with what it had promised."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from genoflow.deploy.local.files import free_port, make_directory
from genoflow.deploy.local.process import Leashed
from genoflow.deploy.local.servers.postgres import Postgres
from genoflow.deploy.local.service import NotReady

START_SECONDS_MAX = 60.0  # 2 s on a quiet machine; after a kill it reads its write-ahead log
PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Database:
    """The server, and the process while it runs."""

    home: Path
    _port: int = 0
    _server: Postgres | None = None
    _process: Leashed | None = None

    @property
    def address(self) -> str:
        """Where it answers, with its password."""
        assert self._server is not None
        return self._server.address((self._port,))

    async def start(self) -> None:
        """Make its files where they are missing, start it, and wait until it answers."""
        if self._server is None:
            make_directory(self.home)
            self.home.chmod(0o711)
            self._server, self._port = Postgres(self.home), free_port()
            await self._server.fetch(lambda *_: None)
        await self._server.prepare()
        descriptor = os.open(
            self.home / "postgres.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
        )
        try:
            self._process = await Leashed.start(self._server.launch((self._port,)), descriptor)
        finally:
            os.close(descriptor)
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                await self._server.probe(self.address)
            except NotReady:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            self._process = None
