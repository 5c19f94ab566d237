"""Uploads in parts in S3 or any server that speaks it, by boto3: in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from genoflow.processors.adapters.s3_errors import at, code_and_status

NO_SUCH_UPLOAD = "NoSuchUpload"


class S3Parts:
    """The port over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def drop(self, bucket: str, key: str, store_upload_id: str) -> None:
        """Free the parts; nothing where there are none, or the object is whole by now."""
        await asyncio.to_thread(drop_parts, self._client, bucket, key, store_upload_id)


def drop_parts(client: Any, bucket: str, key: str, store_upload_id: str) -> bool:
    """Free the parts of an upload; False where the store knows none of this name any more."""
    with at(bucket, key):
        try:
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=store_upload_id)
        except ClientError as error:
            if code_and_status(error)[0] != NO_SUCH_UPLOAD:
                raise
            return False
    return True


def begun_at(client: Any, bucket: str, key: str) -> str | None:
    """The store's name of an upload that was begun under this key and is open; None without one."""
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": key}
    with at(bucket, key):
        answer = client.list_multipart_uploads(**asked)
    found = (one for one in answer.get("Uploads", ()) if one["Key"] == key)
    return next((str(one["UploadId"]) for one in found), None)


def parts_of(
    client: Any, bucket: str, key: str, store_upload_id: str
) -> list[dict[str, Any]] | None:
    """What the store has of an upload, by the number of the part; None where it knows of none."""
    with at(bucket, key):
        try:
            return list(_pages(client, bucket, key, store_upload_id))
        except ClientError as error:
            if code_and_status(error)[0] != NO_SUCH_UPLOAD:
                raise
            return None


def _pages(client: Any, bucket: str, key: str, store_upload_id: str) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"Bucket": bucket, "Key": key, "UploadId": store_upload_id}
    while True:
        answer = client.list_parts(**asked)
        yield from answer.get("Parts", ())
        if not answer.get("IsTruncated"):
            return
        asked["PartNumberMarker"] = answer["NextPartNumberMarker"]
