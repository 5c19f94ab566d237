"""The API over a store of either kind, rows that follow, and a sender that does as it is told."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from genoflow.api.identity.permissions import Role
from genoflow.api.routes import ROUTERS
from genoflow.deploy.settings import Settings
from genoflow.deploy.upload_store import StoreUploads
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from tests.doors import Door, Unlimited, open_door
from tests.integration.rows_over_http import follow, log_of
from tests.sending import FakeUploads, sum_of
from tests.servers import Bucket

PAUSE_SECONDS = 0.02
PART = 5 * 1024**2  # the least that a store takes for a part but the last


def over_s3(bucket: Bucket, home: Path) -> tuple[Settings, StoreUploads]:
    """Uploads into this bucket, by the adapter that ships."""
    addresses = bucket.addresses
    settings = Settings(
        home=home, person_patterns=(r"MRN\d+",), raw_bucket=bucket.name, s3=addresses.s3,
        s3_access_key=addresses.s3_access_key, s3_secret_key=addresses.s3_secret_key,
        s3_region=addresses.s3_region,
    )  # fmt: skip
    return settings, StoreUploads(settings)


@dataclass
class Sender:
    """Somebody who sends files."""

    door: Door
    log: MemoryLog
    store: FakeUploads | StoreUploads
    headers: dict[str, str]
    http: httpx2.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    async def post(self, address: str, body: Any = None, **headers: str) -> httpx2.Response:
        """What a write is answered."""
        return await self.door.client.post(
            f"/v1/ingestion{address}", json=body, headers={**self.headers, **headers}
        )

    async def get(self, address: str) -> Any:
        """What a question is answered."""
        answer = await self.door.client.get(f"/v1/ingestion{address}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def begin(self, body: bytes, **more: Any) -> dict[str, Any]:
        """Begin to send this."""
        wish = {
            "filename": "S7_R1.fastq", "size_bytes": len(body), "sample_id": "S7", "role": "R1",
            "sha256": hashlib.sha256(body).hexdigest(),
        } | more  # fmt: skip
        answer = await self.post("/uploads", wish)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def links(self, begun: dict[str, Any], parts: dict[int, bytes]) -> list[dict[str, Any]]:
        """Where these parts go."""
        wish = [{"part_number": number, "checksum": sum_of(body)} for number, body in parts.items()]
        answer = await self.post(f"/upload/{begun['upload_id']}/part-links", {"parts": wish})
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        found: list[dict[str, Any]] = answer.json()["links"]
        return found

    async def put(self, link: dict[str, Any], body: bytes) -> bool:
        """Send a part to the store; False where it refuses."""
        if isinstance(self.store, FakeUploads):
            return self.store.send(link["url"], link["headers"], body)
        try:
            answer = await self.http.put(link["url"], content=body, headers=link["headers"])
        except httpx2.TransportError:  # it has refused before the last byte
            return False
        return answer.status_code == 200

    async def send(self, begun: dict[str, Any], parts: dict[int, bytes]) -> None:
        """Send these parts."""
        for link in await self.links(begun, parts):
            assert await self.put(link, parts[link["part_number"]])

    async def complete(self, begun: dict[str, Any], body: Any = None) -> httpx2.Response:
        """Say that all parts are there."""
        return await self.post(f"/upload/{begun['upload_id']}/complete", body or {})

    async def landed(self) -> list[Any]:
        """What stands on the log of files that landed."""
        return [
            one async for one in self.log.read_topic("gf.sample.v1")
            if isinstance(one.event, FileLanded)
        ]  # fmt: skip

    async def follow(self) -> None:
        """Let the rows come as far as the log."""
        await follow(self.door, self.log)


@asynccontextmanager
async def sending(
    postgres_url: str, store: FakeUploads | StoreUploads, settings: Settings | None = None
) -> AsyncIterator[Sender]:
    """The API, rows that follow, and a technician who sends."""
    async with log_of() as log, open_door(
        postgres_url, routers=ROUTERS, limits=Unlimited(), log=log, settings=settings,
        uploads=store,
    ) as door, httpx2.AsyncClient() as http:  # fmt: skip
        await follow(door, log)

        async def keep_up() -> None:
            while True:
                await follow(door, log)
                await asyncio.sleep(PAUSE_SECONDS)

        following = asyncio.create_task(keep_up())
        try:
            headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
            yield Sender(door, log, store, headers, http)
        finally:
            following.cancel()
            await asyncio.wait([following])
