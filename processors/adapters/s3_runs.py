"""Runs in S3: small files in one request, large ones in parts, each with a checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from botocore.exceptions import ClientError

from genoflow.processors.adapters.s3_errors import at, code_and_status
from genoflow.processors.intake.landing import SHA256
from genoflow.processors.intake.mirror import CHUNK_BYTES
from genoflow.processors.intake.run_folders import Held, Source, chunks

WHOLE_BYTES_MAX = 8 * 1024**2  # in one request; a part of a larger file has as many by default


class S3RunStore:
    """RunStore over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any, parts: Any = None) -> None:
        self._client = client
        self._parts = parts  # boto3's TransferConfig; None is its default

    def held(self, bucket: str, key: str) -> Held | None:
        """What the object's head says; None where there is none."""
        with at(bucket, key):
            try:
                answer = self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_and_status(error)[1] == 404:
                    return None
                raise
        return Held(answer["ContentLength"], answer.get("Metadata", {}).get(SHA256))

    def summed(self, bucket: str, key: str) -> Held | None:
        """Size and checksum of its bytes, as a whole read of them gives."""
        with at(bucket, key):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_and_status(error)[1] == 404:
                    return None
                raise
            with closing(answer["Body"]) as body:
                digest, size = hashlib.sha256(), 0
                for piece in chunks(body, CHUNK_BYTES):
                    digest.update(piece)
                    size += len(piece)
        return Held(size, digest.hexdigest())

    def put(
        self, bucket: str, key: str, source: Source, size_bytes: int, metadata: Mapping[str, str]
    ) -> None:
        """Write it, and return once the store has checked what it was sent."""
        extra = {"Metadata": dict(metadata), "ChecksumAlgorithm": "SHA256"}
        with at(bucket, key):
            if size_bytes <= WHOLE_BYTES_MAX:
                body = source.read()
                self._client.put_object(Bucket=bucket, Key=key, Body=body, **extra)
            else:
                self._client.upload_fileobj(
                    source, Bucket=bucket, Key=key, ExtraArgs=extra, Config=self._parts
                )
