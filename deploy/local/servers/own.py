"""What servers of this package have in common: nothing is fetched, and a path says how they are."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from genoflow.deploy.local.service import NotReady, Report, http_status


@dataclass(slots=True)
class OwnServer:
    """Listens at one port of this machine; each says for itself what to execute."""

    name: str
    health: str  # answers 200 when it can be worked with
    port_count: int = 1

    async def fetch(self, _report: Report) -> None:
        """Nothing to fetch: it is a part of this package."""

    async def prepare(self) -> None:
        """Nothing to prepare: what it keeps is on the log or in tables that it makes itself."""

    def address(self, ports: tuple[int, ...]) -> str:
        """Return its base address."""
        return f"http://127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask for its health."""
        if (status := await http_status(address, self.health)) != HTTPStatus.OK:
            raise NotReady(f"{address}: GET {self.health} answers {status}")
