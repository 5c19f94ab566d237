"""The schema registry's endpoint: our own small program over the released schemas."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from http import HTTPStatus

from genoflow.deploy.local.process import Launch
from genoflow.deploy.local.service import NotReady, Report, http_status

MODULE = "genoflow.api.registry"


@dataclass(slots=True)
class Registry:
    """The embedded, read-only registry."""

    name: str = "registry"
    port_count: int = 1

    async def fetch(self, _report: Report) -> None:
        """Nothing to fetch: it is a part of this package."""

    async def prepare(self) -> None:
        """Nothing to prepare: it keeps no data."""

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute."""
        listen = ("--host", "127.0.0.1", "--port", str(ports[0]))
        return Launch((sys.executable, "-m", MODULE, *listen))

    def address(self, ports: tuple[int, ...]) -> str:
        """Return its base address."""
        return f"http://127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask for its subjects."""
        if (status := await http_status(address, "/subjects")) != HTTPStatus.OK:
            raise NotReady(f"{address}: GET /subjects answers {status}")
