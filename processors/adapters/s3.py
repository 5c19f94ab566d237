"""Objects in S3 or any server that speaks it, by boto3 in threads."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from genoflow.processors.ports import ObjectHead


class S3Store:
    """The port over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        """Write an object whole; the store checks its SHA-256 before it says yes."""
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        await asyncio.to_thread(
            self._client.put_object,
            Bucket=bucket, Key=key, Body=body, Metadata=dict(metadata), ChecksumSHA256=digest,
        )  # fmt: skip
        return await self.head(bucket, key)

    async def head(self, bucket: str, key: str) -> ObjectHead:
        """What the store has under this key now."""
        answer = await asyncio.to_thread(self._client.head_object, Bucket=bucket, Key=key)
        return ObjectHead(
            bucket=bucket,
            key=key,
            version_id=answer.get("VersionId") or "null",
            size_bytes=answer["ContentLength"],
            etag=answer["ETag"].strip('"'),
            last_modified_at=answer["LastModified"],
            metadata=answer.get("Metadata", {}),
        )
