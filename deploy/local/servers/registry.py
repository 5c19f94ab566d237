"""The schema registry's endpoint: our own small program over the released schemas."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from genoflow.deploy.local.process import Launch
from genoflow.deploy.local.servers.own import OwnServer

MODULE = "genoflow.api.registry"


@dataclass(slots=True)
class Registry(OwnServer):
    """The embedded, read-only registry."""

    name: str = "registry"
    health: str = "/subjects"

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute."""
        listen = ("--host", "127.0.0.1", "--port", str(ports[0]))
        return Launch((sys.executable, "-m", MODULE, *listen))
