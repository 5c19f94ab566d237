"""The S3 server: versitygw over a directory, with versions kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genoflow.deploy.local.files import keep_secret, make_directory
from genoflow.deploy.local.gateway import binary_path, ensure_gateway
from genoflow.deploy.local.process import Launch
from genoflow.deploy.local.service import NotReady, Report, http_status
from genoflow.deploy.settings import Settings

SERVER_ERRORS = range(500, 600)


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
        """Create the two directories: an empty one is a whole one."""
        make_directory(self.data)
        make_directory(self.versions)

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute, with the secrets where a process list does not show them."""
        environment = {
            "ROOT_ACCESS_KEY": self.settings.s3_access_key.get_secret_value(),
            "ROOT_SECRET_KEY": secret_key(self.settings),
        }
        listen = ("--port", f"127.0.0.1:{ports[0]}", "--region", self.settings.s3_region)
        storage = ("posix", "--versioning-dir", str(self.versions), str(self.data))
        program = str(binary_path(self.settings.cache))
        return Launch((program, *listen, "--quiet", *storage), environment)

    def address(self, ports: tuple[int, ...]) -> str:
        """Return the endpoint."""
        return f"http://127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask for the list of buckets without a signature: a refusal is an answer."""
        if (status := await http_status(address, "/")) in SERVER_ERRORS:
            raise NotReady(f"{address}: answers {status}")
