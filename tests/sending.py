"""Where callers send files, in memory; and what a sender does with a link."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from uuid import uuid4

from genoflow.api.ports import Belonging, PartSum, SignedPart, StoredPart, UploadPlace
from genoflow.events.file_landed import FileLanded

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)


def sum_of(body: bytes) -> str:
    """The SHA-256 of a part as the API wants it."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@dataclass
class _Open:
    object_key: str
    belongs: Belonging
    parts: dict[int, tuple[bytes, str]] = field(default_factory=dict)


class FakeUploads:
    """UploadStore in memory: a part is put into it by `send`, which compares the checksum."""

    bucket = "raw"

    def __init__(self) -> None:
        self.open: dict[str, _Open] = {}
        self.whole: dict[str, FileLanded] = {}

    async def begin(self, object_key: str, belongs: Belonging, algorithm: str) -> str:
        before = [name for name, one in self.open.items() if one.object_key == object_key]
        if before:
            return before[0]
        name = uuid4().hex
        self.open[name] = _Open(object_key, belongs)
        return name

    async def sign(
        self, place: UploadPlace, algorithm: str, parts: Sequence[PartSum]
    ) -> Sequence[SignedPart]:
        until = BEGINNING + timedelta(hours=1)
        return [
            SignedPart(
                one.number, f"memory:{place.store_upload_id}/{one.number}/{one.size_bytes}",
                {"x-amz-checksum-sha256": one.checksum}, until,
            )
            for one in parts
        ]  # fmt: skip

    def send(self, url: str, headers: dict[str, str], body: bytes) -> bool:
        """PUT a part, as a sender does; False where the store refuses it."""
        name, number, length = url.removeprefix("memory:").split("/")
        checksum = headers["x-amz-checksum-sha256"]
        if name not in self.open or len(body) != int(length) or sum_of(body) != checksum:
            return False
        self.open[name].parts[int(number)] = body, checksum
        return True

    async def parts(self, place: UploadPlace) -> Sequence[StoredPart] | None:
        found = self.open.get(place.store_upload_id)
        if found is None:
            return None
        return [
            StoredPart(number, len(body), f"etag-{number}", checksum)
            for number, (body, checksum) in sorted(found.parts.items())
        ]

    async def complete(
        self, place: UploadPlace, algorithm: str, parts: Sequence[StoredPart]
    ) -> FileLanded | None:
        found = self.open.pop(place.store_upload_id, None)
        if found is None:
            return None
        body = b"".join(found.parts[one.number][0] for one in parts)
        return self._keep(place.object_key, found.belongs, body)

    async def put(self, object_key: str, belongs: Belonging, body: BinaryIO) -> FileLanded:
        return self._keep(object_key, belongs, body.read())

    def _keep(self, object_key: str, belongs: Belonging, body: bytes) -> FileLanded:
        self.whole[object_key] = FileLanded(
            bucket=self.bucket, object_key=object_key, version_id="v1", size_bytes=len(body),
            etag="etag", last_modified_at=BEGINNING, sample_id=belongs.sample_id,
            read_set_id=belongs.read_set_id, role=belongs.role, lane=belongs.lane,
            declared_md5=belongs.md5, declared_sha256=belongs.sha256,
        )  # fmt: skip
        return self.whole[object_key]

    async def landed(self, bucket: str, object_key: str) -> FileLanded | None:
        return self.whole.get(object_key)

    async def drop(self, place: UploadPlace) -> None:
        self.open.pop(place.store_upload_id, None)
