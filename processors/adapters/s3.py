"""Objects in S3 or any server that speaks it, by boto3: in threads, or as a stream."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from genoflow.events.errors import Retry
from genoflow.processors.adapters.s3_errors import at, code_and_status
from genoflow.processors.ports import UNVERSIONED, ObjectGone, ObjectHead

CHUNK_BYTES = 8 * 1024**2  # a piece takes 0.1 s at 100 MB/s; two of them stay far below any limit
# S3 copies 5 GB in one request, and 10,000 parts: what is larger goes in parts of half a GiB.
COPY_PART_BYTES = 512 * 1024**2
# GLACIER_IR is read at once, whatever its name says.
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE", "ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"})
# As in: ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"
_EXPIRY = re.compile(r'ongoing-request="false", *expiry-date="([^"]+)"')


class S3Store:
    """The port over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        """Write an object whole; the store checks its SHA-256 before it says yes."""
        return await asyncio.to_thread(self._put, bucket, key, body, metadata)

    def _put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> ObjectHead:
        with at(bucket, key):
            self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                Metadata=dict(metadata),
                ChecksumSHA256=_sha256(body),
            )
        return self._head(bucket, key)

    async def head(self, bucket: str, key: str) -> ObjectHead:
        """What the store has under this key now; Parked where there is nothing."""
        return await asyncio.to_thread(self._head, bucket, key)

    def _head(self, bucket: str, key: str) -> ObjectHead:
        return head_of(self._client, bucket, key)

    async def get(self, bucket: str, key: str) -> bytes | None:
        """A small object whole; None where there is none."""
        return await asyncio.to_thread(self._get, bucket, key)

    def _get(self, bucket: str, key: str) -> bytes | None:
        with at(bucket, key):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_and_status(error)[0] == "NoSuchKey":
                    return None
                raise
            with closing(answer["Body"]) as body:
                return bytes(body.read())

    async def put_if_absent(self, bucket: str, key: str, body: bytes) -> bool:
        """Write an object unless one is there; False where an answer was lost and it is our own."""
        return await asyncio.to_thread(self._put_if_absent, bucket, key, body)

    def _put_if_absent(self, bucket: str, key: str, body: bytes) -> bool:
        with at(bucket, key):
            try:
                self._client.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=body,
                    ChecksumSHA256=_sha256(body),
                    IfNoneMatch="*",
                )
            except ClientError as error:
                code, status = code_and_status(error)
                if status == 412:
                    return False
                # Another writer is at it and may yet fail: only an object that is there counts.
                if code == "ConditionalRequestConflict" and self._get(bucket, key) is not None:
                    return False
                raise
        return True

    async def copy(
        self, bucket: str, key: str, version_id: str, to_key: str, metadata: Mapping[str, str]
    ) -> ObjectHead:
        """Have the store copy one version; its bytes do not come by here."""
        return await asyncio.to_thread(self._copy, bucket, key, version_id, to_key, metadata)

    def _copy(
        self, bucket: str, key: str, version_id: str, to_key: str, metadata: Mapping[str, str]
    ) -> ObjectHead:
        source = {"Bucket": bucket, "Key": key}
        if version_id != UNVERSIONED:
            source["VersionId"] = version_id
        parts = TransferConfig(
            multipart_threshold=COPY_PART_BYTES, multipart_chunksize=COPY_PART_BYTES
        )
        with at(bucket, key, version_id):
            self._client.copy(
                source,
                bucket,
                to_key,
                ExtraArgs={"Metadata": dict(metadata), "MetadataDirective": "REPLACE"},
                Config=parts,
            )
        return self._head(bucket, to_key)


class S3ByteStore:
    """The port of child processes: one version of an object as a stream."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def chunks(
        self,
        bucket: str,
        key: str,
        version_id: str,
        size_bytes: int = CHUNK_BYTES,
        etag: str = "",
    ) -> Iterator[bytes]:
        """The bytes of one version in order; a connection that breaks is taken up where it broke.

        Retry where it breaks twice at the same place, ObjectGone where the version is, or where
        another object stands in the place of one that has no version.
        """
        return _pieces(_Stream(self._client, bucket, key, version_id, etag), size_bytes)

    def span(
        self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
    ) -> bytes:
        """These bytes of one version; a connection that breaks is taken up where it broke."""
        stream = _Stream(self._client, bucket, key, version_id, etag, (start, end))
        return b"".join(_pieces(stream, CHUNK_BYTES))


def _pieces(stream: _Stream, size_bytes: int) -> Iterator[bytes]:
    broken_at = -1
    while True:
        try:
            piece = stream.read(size_bytes)
        except Retry:
            stream.close()
            if stream.offset == broken_at:
                raise
            broken_at = stream.offset
            continue
        if not piece:
            return
        yield piece


class _Stream:
    def __init__(
        self,
        client: Any,
        bucket: str,
        key: str,
        version_id: str,
        etag: str,
        span: tuple[int, int] | None = None,
    ) -> None:
        self._span = span
        self.offset = span[0] if span else 0
        self._client = client
        self._place = bucket, key, version_id
        self._size: int | None = None
        # A version never changes, so it is not asked for by its tag.
        self._etag = _quoted(etag) if etag and version_id == UNVERSIONED else ""
        self._body: Any = None

    def read(self, size_bytes: int) -> bytes:
        if self.offset == self._size:
            self.close()
            return b""
        with at(*self._place):
            if self._body is None:
                self._open()
            piece: bytes = self._body.read(size_bytes)
        if not piece and self.offset != self._size:
            bucket, key, version = self._place
            raise Retry(
                f"s3://{bucket}/{key}@{version}: the stream ended at {self.offset} of {self._size} "
                f"bytes; see that the store runs"
            )
        self.offset += len(piece)
        return piece

    def _open(self) -> None:
        bucket, key, version = self._place
        asked: dict[str, str] = {"Bucket": bucket, "Key": key}
        if version != UNVERSIONED:
            asked["VersionId"] = version
        if self._etag:
            asked["IfMatch"] = self._etag
        if self._span is not None:
            asked["Range"] = f"bytes={self.offset}-{self._span[1] - 1}"
        elif self._size is not None:
            asked["Range"] = f"bytes={self.offset}-"
        answer = self._client.get_object(**asked)
        self._body = answer["Body"]
        if self._size is None:
            self._size = self.offset + answer["ContentLength"]
            self._etag = answer["ETag"]

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


def _quoted(etag: str) -> str:
    """The tag as a header has it, whether or not its reporter left the quotes of the store."""
    plain = etag.strip('"')
    if not (plain.isascii() and plain.isprintable()):
        raise ObjectGone(f"no store gives the entity tag {etag!r}; report the object anew")
    return f'"{plain}"'


def head_of(client: Any, bucket: str, key: str, version_id: str = UNVERSIONED) -> ObjectHead:
    """What the store has under this key now, or of one version; ObjectGone where it has nothing."""
    asked = {} if version_id == UNVERSIONED else {"VersionId": version_id}
    with at(bucket, key, asked.get("VersionId", "")):
        answer = client.head_object(Bucket=bucket, Key=key, **asked)
    return ObjectHead(
        bucket=bucket,
        key=key,
        version_id=answer.get("VersionId") or UNVERSIONED,
        size_bytes=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        last_modified_at=answer["LastModified"],
        metadata=answer.get("Metadata", {}),
        **_archive_of(answer),
    )


def _archive_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Where its lasting bytes lie, and how far a restore of them is."""
    # Intelligent-Tiering has archives of its own, which it names beside the class.
    archive = answer.get("ArchiveStatus") or answer.get("StorageClass")
    restore = answer.get("Restore", "")
    ends = _EXPIRY.search(restore)
    return {
        "archived_in": archive if archive in ARCHIVES else None,
        "is_restoring": 'ongoing-request="true"' in restore,
        "restored_until": parsedate_to_datetime(ends[1]) if ends else None,
    }


def _sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
