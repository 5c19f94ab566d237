"""Programs of our own that a stack can keep beside its servers: read models, API and tower."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from http import HTTPStatus

import asyncpg

from genoflow.deploy.addresses import resolve
from genoflow.deploy.local.process import Launch
from genoflow.deploy.local.service import PROBE_SECONDS_MAX, NotReady, Report, http_status
from genoflow.deploy.settings import Settings
from genoflow.events.errors import StackFault

COMMAND = (sys.executable, "-m", "genoflow.deploy.cli")


@dataclass(slots=True)
class ReadModels:
    """`genoflow project`: what feeds the read models."""

    settings: Settings
    name: str = "read-models"
    port_count: int = 0

    async def fetch(self, _report: Report) -> None:
        """Nothing to fetch: it is a part of this package."""

    async def prepare(self) -> None:
        """Nothing to prepare: its rows are in Postgres."""

    def launch(self, _ports: tuple[int, ...]) -> Launch:
        """Say what to execute."""
        return Launch((*COMMAND, "project"))

    def address(self, _ports: tuple[int, ...]) -> str:
        """Return nothing: nobody connects to it."""
        return ""

    async def probe(self, _address: str) -> None:
        """Ask Postgres whether a runner holds the lock of all read models."""
        from genoflow.projections.models import MODELS  # noqa: PLC0415 -- few stacks feed them
        from genoflow.projections.runner import is_fed  # noqa: PLC0415

        try:
            url = resolve(self.settings, needed=("postgres",)).postgres
            connection = await asyncpg.connect(url, timeout=PROBE_SECONDS_MAX)
            try:
                fed = await is_fed(connection, MODELS)
            finally:
                await connection.close()
        except (StackFault, OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise NotReady(f"Postgres: {type(error).__name__}") from error
        if not fed:
            raise NotReady("no runner feeds the read models yet")


@dataclass(slots=True)
class Api:
    """`genoflow serve`: the HTTP API."""

    name: str = "api"
    port_count: int = 1

    async def fetch(self, _report: Report) -> None:
        """Nothing to fetch: it is a part of this package."""

    async def prepare(self) -> None:
        """Nothing to prepare: it makes its tables itself."""

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute."""
        return Launch((*COMMAND, "serve", "--host", "127.0.0.1", "--port", str(ports[0])))

    def address(self, ports: tuple[int, ...]) -> str:
        """Return its base address."""
        return f"http://127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask for its health."""
        if (status := await http_status(address, "/health")) != HTTPStatus.OK:
            raise NotReady(f"{address}: GET /health answers {status}")


@dataclass(slots=True)
class Watchtower:
    """`genoflow tower`: what counts, and says what is late or missing."""

    name: str = "tower"
    port_count: int = 1

    async def fetch(self, _report: Report) -> None:
        """Nothing to fetch: it is a part of this package."""

    async def prepare(self) -> None:
        """Nothing to prepare: its table is on the log."""

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute."""
        where = {"GENOFLOW_METRICS": f"127.0.0.1:{ports[0]}"}
        return Launch((*COMMAND, "tower"), environment=where)

    def address(self, ports: tuple[int, ...]) -> str:
        """Return where its figures are."""
        return f"http://127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask whether it has joined its group."""
        if (status := await http_status(address, "/health/ready")) != HTTPStatus.OK:
            raise NotReady(f"{address}: GET /health/ready answers {status}")
