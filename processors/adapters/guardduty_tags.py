"""What GuardDuty's Malware Protection for S3 says of an object by the tag that it puts on it.

GuardDuty scans what comes into a bucket by itself. Its event says so first; the tag is for files
whose sample was not known by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genoflow.events.errors import Parked
from genoflow.processors.adapters.s3_errors import at
from genoflow.processors.ports import UNVERSIONED, Scanned

NAME = "guardduty"
TAG = "GuardDutyMalwareScanStatus"
CLEAN, INFECTED = "NO_THREATS_FOUND", "THREATS_FOUND"
UNNAMED = "a threat that GuardDuty's finding names"


class GuardDutyTags:
    """The port over the tags of the objects; it reads no bytes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def scan(self, place: tuple[str, str, str], _pieces: Iterator[bytes]) -> Scanned | None:
        """What the tag says; None where there is none yet, Parked where it could not scan."""
        bucket, key, version_id = place
        asked = {"Bucket": bucket, "Key": key}
        if version_id != UNVERSIONED:
            asked["VersionId"] = version_id
        with at(bucket, key, version_id):
            tags = self._client.get_object_tagging(**asked)["TagSet"]
        status = next((one["Value"] for one in tags if one["Key"] == TAG), None)
        if status is None:
            return None
        if status == CLEAN:
            return Scanned(NAME, "")
        if status == INFECTED:
            return Scanned(NAME, "", threats=(UNNAMED,))
        raise Parked(
            f"s3://{bucket}/{key}@{version_id}: GuardDuty could not scan it: {status}; have it "
            f"scanned on demand, then requeue the effect"
        )
