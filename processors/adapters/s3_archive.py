"""Objects in the archives of S3: looked at, and asked back."""

from __future__ import annotations

import asyncio
from typing import Any

from botocore.exceptions import ClientError

from genoflow.processors.adapters.s3 import head_of
from genoflow.processors.adapters.s3_errors import at, code_and_status
from genoflow.processors.ports import UNVERSIONED, ObjectHead

# Hours, not minutes: Expedited costs ten times as much, and may be refused where many ask.
RETRIEVAL = "Standard"
OF_INTELLIGENT_TIERING = ("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")


class S3Archive:
    """Archive over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def head(self, bucket: str, key: str, version_id: str) -> ObjectHead:
        """What the store says of this version; ObjectGone where it has none."""
        return await asyncio.to_thread(head_of, self._client, bucket, key, version_id)

    async def restore(self, head: ObjectHead, days: int) -> None:
        """Ask for a copy of it; where one is being made already, nothing more is asked."""
        await asyncio.to_thread(self._restore, head, days)

    def _restore(self, head: ObjectHead, days: int) -> None:
        asked = {} if head.version_id == UNVERSIONED else {"VersionId": head.version_id}
        request: dict[str, Any] = {"GlacierJobParameters": {"Tier": RETRIEVAL}}
        if head.archived_in in OF_INTELLIGENT_TIERING:
            pass  # it comes back for good, and S3 refuses a number of days
        elif head.is_readable:
            request = {"Days": days}  # longer for what is there; S3 refuses a retrieval
        else:
            request["Days"] = days
        with at(head.bucket, head.key, asked.get("VersionId", "")):
            try:
                self._client.restore_object(
                    Bucket=head.bucket, Key=head.key, RestoreRequest=request, **asked
                )
            except ClientError as error:
                if code_and_status(error)[0] != "RestoreAlreadyInProgress":
                    raise
