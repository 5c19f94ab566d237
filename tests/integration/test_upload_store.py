"""The store behind uploads: parts that are freed, browsers that may send, both checksums."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from awscrt.checksums import crc64nvme

from genoflow.api.ports import Belonging, PartSum, UploadPlace
from genoflow.deploy.upload_store import StoreUploads
from genoflow.deploy.wiring import allow_browsers
from genoflow.events.errors import Refused
from genoflow.events.file_landed import FileLanded
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.processors.abandon_uploads import Free, Open, free
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.adapters.s3_parts import S3Parts
from genoflow.processors.ports import Attempt, Ports
from tests.fakes import FakeClock
from tests.integration.uploading import PART, over_s3
from tests.sending import sum_of
from tests.servers import Bucket

KEY = "uploads/1/S7_R1.fastq"
BELONGS = Belonging("S7", "up-7", "R1", "0" * 64, lane=2, md5="1" * 32)
BODY = bytes(range(256)) * (PART // 256)


@pytest.fixture
def store(s3_bucket: Bucket, tmp_path: Path) -> StoreUploads:
    return over_s3(s3_bucket, tmp_path)[1]


def crc_of(body: bytes) -> str:
    """Its CRC-64/NVME as the store wants it."""
    return base64.b64encode(crc64nvme(body).to_bytes(8, "big")).decode()


async def begun(store: StoreUploads, algorithm: str = "SHA256") -> UploadPlace:
    """An upload that takes parts."""
    name = await store.begin(KEY, BELONGS, algorithm)
    assert await store.begin(KEY, BELONGS, algorithm) == name
    return UploadPlace(store.bucket, KEY, name)


async def sent(store: StoreUploads, place: UploadPlace, algorithm: str, *bodies: bytes) -> None:
    """Send these parts by their links."""
    make = sum_of if algorithm == "SHA256" else crc_of
    sums = [PartSum(n, len(body), make(body)) for n, body in enumerate(bodies, start=1)]
    async with httpx2.AsyncClient() as http:
        for link, body in zip(await store.sign(place, algorithm, sums), bodies, strict=True):
            wrong = await http.put(link.url, content=body[::-1], headers=dict(link.headers))
            assert wrong.status_code == 400, wrong.text
            answer = await http.put(link.url, content=body, headers=dict(link.headers))
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("algorithm", ["SHA256", "CRC64NVME"])
async def test_parts_with_either_checksum_become_one_object(
    store: StoreUploads, algorithm: str
) -> None:
    place = await begun(store, algorithm)
    assert await store.parts(place) == []
    await sent(store, place, algorithm, BODY, b"the rest of it")
    parts = await store.parts(place)
    assert parts is not None
    assert [one.size_bytes for one in parts] == [PART, 14]
    assert all(one.checksum for one in parts)
    with pytest.raises(Refused, match="does not take these parts"):
        await store.complete(place, algorithm, [replace(parts[0], etag='"0"'), parts[1]])
    landed = await store.complete(place, algorithm, parts)
    assert isinstance(landed, FileLanded)
    assert (landed.sample_id, landed.read_set_id, landed.role, landed.lane) == (
        "S7", "up-7", "R1", 2,
    )  # fmt: skip
    assert (landed.declared_md5, landed.declared_sha256) == ("1" * 32, "0" * 64)
    # Some stores answer a second time as the first, others know of no upload any more.
    assert await store.complete(place, algorithm, parts) in (None, landed)
    assert await store.parts(place) is None
    assert await store.landed(store.bucket, KEY) == landed
    await store.drop(place)
    assert await store.landed(store.bucket, KEY) == landed


async def told(bucket: Bucket, place: UploadPlace) -> object:
    """What is said of an upload a day after it began."""
    late = Open(
        upload_id=UUID(int=1), bucket=place.bucket, object_key=place.object_key,
        store_upload_id=place.store_upload_id,
    )  # fmt: skip
    ports = Ports(FakeClock(), store=S3Store(bucket.client), parts=S3Parts(bucket.client))
    attempt = Attempt(UUID(int=2), 1, ports, lambda *_: None)
    [said] = await free(Free(sample_id="S7", upload=late), attempt)
    return said


async def test_what_is_given_up_leaves_nothing_in_the_store(
    store: StoreUploads, s3_bucket: Bucket
) -> None:
    place = await begun(store)
    await sent(store, place, "SHA256", BODY)
    for _ in range(2):
        assert isinstance(await told(s3_bucket, place), UploadAbandoned)
    assert await store.parts(place) is None
    assert not s3_bucket.client.list_multipart_uploads(Bucket=place.bucket).get("Uploads")


async def test_what_was_completed_and_not_said_has_landed(
    store: StoreUploads, s3_bucket: Bucket
) -> None:
    place = await begun(store)
    await sent(store, place, "SHA256", BODY)
    landed = await store.complete(place, "SHA256", await store.parts(place) or ())
    assert await told(s3_bucket, place) == landed


async def test_scripts_of_named_pages_may_send_parts(
    store: StoreUploads, s3_bucket: Bucket
) -> None:
    allow_browsers(s3_bucket.client, s3_bucket.name, ("https://lab.example.org",))
    place = await begun(store)
    [link] = await store.sign(place, "SHA256", [PartSum(1, len(BODY), sum_of(BODY))])
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-amz-checksum-sha256",
    }
    async with httpx2.AsyncClient() as http:
        mine = await http.options(link.url, headers={"Origin": "https://lab.example.org", **asked})
        other = await http.options(link.url, headers={"Origin": "https://evil.example", **asked})
    assert mine.status_code == 200, mine.text
    assert mine.headers["Access-Control-Allow-Origin"] == "https://lab.example.org"
    assert "PUT" in mine.headers["Access-Control-Allow-Methods"]
    assert other.status_code == 403
