"""Programs of our own that a stack can keep beside its servers: read models, API and tower."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import asyncpg

from genoflow.deploy.addresses import resolve
from genoflow.deploy.local.process import Launch
from genoflow.deploy.local.servers.own import OwnServer
from genoflow.deploy.local.service import PROBE_SECONDS_MAX, NotReady, Report
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
class Api(OwnServer):
    """`genoflow serve`: the HTTP API."""

    name: str = "api"
    health: str = "/health"

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute."""
        return Launch((*COMMAND, "serve", "--host", "127.0.0.1", "--port", str(ports[0])))


@dataclass(slots=True)
class Watchtower(OwnServer):
    """`genoflow tower`: what counts, and says what is late or missing."""

    name: str = "tower"
    health: str = "/health/ready"

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute: it listens where its figures are."""
        where = {"GENOFLOW_METRICS": f"127.0.0.1:{ports[0]}"}
        return Launch((*COMMAND, "tower"), environment=where)
