"""The S3 server: versitygw over a directory, with versions kept.

Where the stack has a broker it tells there of every object that comes and goes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from genoflow.deploy.local.files import keep_secret, make_directory
from genoflow.deploy.local.gateway import binary_path, ensure_gateway
from genoflow.deploy.local.process import Launch
from genoflow.deploy.local.service import NotReady, Report, http_status
from genoflow.deploy.local.state import State, read_state
from genoflow.deploy.settings import Settings
from genoflow.events.errors import LogUnavailable

SERVER_ERRORS = range(500, 600)
BROKER_PAUSE_SECONDS = 0.1


def secret_key(settings: Settings) -> str:
    """Return the secret that the settings name, else the one that this home made for itself."""
    if "s3_secret_key" in settings.model_fields_set:
        return settings.s3_secret_key.get_secret_value()
    return keep_secret(settings.home / "s3.secret")


@dataclass(slots=True)
class S3:
    """The embedded object store."""

    settings: Settings
    name: str = "s3"
    port_count: int = 1
    _broker: str = ""  # where notices go; without one nobody is told

    # The server mistakes a name that begins like the other one for a part of it.
    @property
    def data(self) -> Path:
        """The directory of the buckets."""
        return self.settings.home / "s3" / "buckets"

    @property
    def versions(self) -> Path:
        """The directory of the older versions."""
        return self.settings.home / "s3" / "older"

    async def fetch(self, report: Report) -> None:
        """Make sure that the server is built."""
        await ensure_gateway(self.settings.cache, report)

    async def prepare(self) -> None:
        """Create the two directories, and the topic of its notices once the broker answers.

        The server ends where it cannot write to that topic. So one without a broker is started
        all the same and tells nobody; `genoflow ingest reconcile` finds what came meanwhile.
        """
        make_directory(self.data)
        make_directory(self.versions)
        self._broker = await self._broker_address()
        if self._broker:
            from genoflow.processors.adapters.kafka_messages import ensure_topic  # noqa: PLC0415

            try:
                await ensure_topic(self._broker, self.settings.notifications_topic)
            except LogUnavailable:
                self._broker = ""

    async def _broker_address(self) -> str:
        if self.settings.kafka is not None:
            return self.settings.kafka
        while True:
            found = read_state(self.settings.home.resolve())
            kafka = found.services.get("kafka") if found is not None else None
            if kafka is None or kafka.state in (State.STOPPED, State.FAILED):
                return ""
            if kafka.state is State.READY:
                return kafka.address
            await asyncio.sleep(BROKER_PAUSE_SECONDS)

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute, with the secrets where a process list does not show them."""
        environment = {
            "ROOT_ACCESS_KEY": self.settings.s3_access_key.get_secret_value(),
            "ROOT_SECRET_KEY": secret_key(self.settings),
        }
        listen = ("--port", f"127.0.0.1:{ports[0]}", "--region", self.settings.s3_region)
        storage = ("posix", "--versioning-dir", str(self.versions), str(self.data))
        program = str(binary_path(self.settings.cache))
        topic = self.settings.notifications_topic
        told = ("--event-kafka-url", self._broker, "--event-kafka-topic", topic)
        return Launch(
            (program, *listen, "--quiet", *(told if self._broker else ()), *storage), environment
        )

    def address(self, ports: tuple[int, ...]) -> str:
        """Return the endpoint."""
        return f"http://127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask for the list of buckets without a signature: a refusal is an answer."""
        if (status := await http_status(address, "/")) in SERVER_ERRORS:
            raise NotReady(f"{address}: answers {status}")
