"""Deletes one version of an object in S3, after a look at what it is and who locks it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from genoflow.events.stored_version import StoredVersion
from genoflow.processors.adapters.s3_errors import at, code_and_status
from genoflow.processors.ports import UNVERSIONED, Clock, Removal

GONE = (404, 405)  # nothing is there, or by now a mark of deletion
DAYS_OF_A_YEAR = 365


class S3Remover:
    """Remover over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def remove(self, file: StoredVersion) -> Removal:
        """Delete it, if it is still what was named; one that is gone already counts as deleted."""
        return await asyncio.to_thread(self._remove, file)

    def _remove(self, file: StoredVersion) -> Removal:
        place = {"Bucket": file.bucket, "Key": file.object_key}
        version = {} if file.version_id == UNVERSIONED else {"VersionId": file.version_id}
        with at(file.bucket, file.object_key, version.get("VersionId", "")):
            try:
                head = self._client.head_object(**place, **version)
            except ClientError as error:
                if code_and_status(error)[1] in GONE:
                    return Removal()
                raise
            found = _changed(file, head) or self._locked(head)
            if found is not None:
                return found
            try:
                # A store that keeps no versions takes `null` for the only one there is.
                self._client.delete_object(**place, VersionId=file.version_id)
            except ClientError as error:
                if code_and_status(error)[1] != 403:
                    raise
                found = self._locked_by_the_bucket(file.bucket, head)
                if found is None:
                    raise
                return found
        return Removal()

    def _locked(self, head: dict[str, Any]) -> Removal | None:
        if head.get("ObjectLockLegalHoldStatus") == "ON":
            why = "the store has a legal hold of its own on it; take it off there first"
            return Removal(is_gone=False, is_locked=True, reason=why)
        until = head.get("ObjectLockRetainUntilDate")
        return _lock(until) if until is not None and until > self._clock.now() else None

    def _locked_by_the_bucket(self, bucket: str, head: dict[str, Any]) -> Removal | None:
        """What the bucket's own rule says; versitygw tells it at no object."""
        try:
            answer = self._client.get_object_lock_configuration(Bucket=bucket)
        except ClientError as error:
            if code_and_status(error)[1] in GONE:
                return None
            raise
        rule = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
        days = rule.get("Days") or DAYS_OF_A_YEAR * (rule.get("Years") or 0)
        if not days:
            return None
        until = head["LastModified"] + timedelta(days=days)
        return _lock(until) if until > self._clock.now() else None


def _changed(file: StoredVersion, head: dict[str, Any]) -> Removal | None:
    is_same = file.size_bytes in (None, head["ContentLength"])
    is_same = is_same and file.etag in (None, head["ETag"].strip('"'))
    why = "another object has taken its place; what is there now was never to be deleted"
    return None if is_same else Removal(is_gone=False, reason=why)


def _lock(until: datetime) -> Removal:
    until = until.astimezone(UTC)
    why = f"the store locks it until {until:%Y-%m-%d %H:%M} UTC, and nobody can delete it before"
    return Removal(is_gone=False, is_locked=True, locked_until=until, reason=why)
