"""The object store as a vault: what is put there is locked, checksummed, and never replaced.

The lock is in governance mode: nobody removes a segment before its time by mistake or with stolen
keys of the program, but an administrator with `s3:BypassGovernanceRetention` can, as a lab must be
able to when it is ordered to erase. Compliance mode would bind even the owner of the account, for
years, after one wrong number.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from genoflow.deploy.backup.manifest import Manifest, Segment, read_manifest
from genoflow.events.errors import DamagedFile, Refused, Retry

LOCK_MODE = "GOVERNANCE"
# A lock is renewed when it would end a day early: one renewal of a segment a day at most.
RENEW_MARGIN = timedelta(days=1)
NOT_FOUND = ("404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion")
TAKEN = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")
ABSENT = ("ObjectLockConfigurationNotFoundError", *NOT_FOUND)


class Stored(NamedTuple):
    """An object as the store tells of it."""

    version_id: str
    size_bytes: int
    sha256: str
    locked_until: datetime | None


class Vault:
    """One bucket; every call is a question over the network, so call it from a thread."""

    def __init__(self, client: Any, bucket: str, keep: timedelta) -> None:
        self._client = client
        self.bucket = bucket
        self._keep = keep

    @contextlib.contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise Refused(
                f"s3://{self.bucket}/{key}: the object store refuses ({error}); check the keys "
                f"and their permissions"
            ) from error
        except BotoCoreError as error:
            raise Retry(
                f"s3://{self.bucket}/{key}: the object store does not answer ({error}); "
                f"try again when it does"
            ) from error

    def ensure_bucket(self) -> None:
        """Create the bucket with object lock and versions, or refuse one that has none."""
        with self._asking(""):
            try:
                found = self._client.get_object_lock_configuration(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) not in ABSENT:
                    raise
                found = self._create_bucket()
        if found["ObjectLockConfiguration"].get("ObjectLockEnabled") != "Enabled":
            raise self._unlocked()

    def _create_bucket(self) -> Any:
        if self.exists():
            raise self._unlocked()
        region = self._client.meta.region_name
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self._client.create_bucket(
            Bucket=self.bucket,
            ObjectLockEnabledForBucket=True,
            **({} if region in ("us-east-1", None) else place),
        )
        return self._client.get_object_lock_configuration(Bucket=self.bucket)

    def _unlocked(self) -> Refused:
        return Refused(
            f"s3://{self.bucket}: exists without object lock, which can only be given at its "
            f"creation; name another bucket in GENOFLOW_BACKUP_BUCKET"
        )

    def exists(self) -> bool:
        """Whether the bucket is there."""
        with self._asking(""):
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) in NOT_FOUND:
                    return False
                raise
            return True

    def head(self, key: str, version_id: str | None = None) -> Stored | None:
        """What the store says of an object, or None where there is none."""
        version = {"VersionId": version_id} if version_id else {}
        with self._asking(key):
            try:
                found = self._client.head_object(
                    Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", **version
                )
            except ClientError as error:
                if _code(error) in NOT_FOUND:
                    return None
                raise
        checksum = base64.b64decode(found.get("ChecksumSHA256", "")).hex()
        until = found.get("ObjectLockRetainUntilDate")
        size, version_found = found["ContentLength"], found.get("VersionId", "null")
        return Stored(version_found, size, checksum, until)

    def seal(self, key: str, data: bytes) -> Stored:
        """Put these bytes under a lock; the same bytes that are there already stay."""
        digest = hashlib.sha256(data)
        there = self.head(key)
        if there is not None and there.sha256 == digest.hexdigest():
            self._renew(key, there)
            return there
        with self._asking(key):
            answer = self._put(key, data, digest.digest())
        return Stored(answer.get("VersionId", "null"), len(data), digest.hexdigest(), None)

    def seal_new(self, key: str, data: bytes) -> bool:
        """Put these bytes under a lock unless something is there; say whether they were put."""
        with self._asking(key):
            try:
                self._put(key, data, hashlib.sha256(data).digest(), IfNoneMatch="*")
            except ClientError as error:
                if _code(error) in TAKEN:
                    return False
                raise
        return True

    def _put(self, key: str, data: bytes, digest: bytes, **conditions: str) -> Any:
        return self._client.put_object(
            Bucket=self.bucket, Key=key, Body=data,
            ChecksumSHA256=base64.b64encode(digest).decode(),
            ObjectLockMode=LOCK_MODE, ObjectLockRetainUntilDate=datetime.now(UTC) + self._keep,
            **conditions,
        )  # fmt: skip

    def check(self, segment: Segment) -> None:
        """Ask whether a sealed segment is still as it was, and renew its lock."""
        there = self.head(segment.key, segment.version_id)
        name = f"s3://{self.bucket}/{segment.key}"
        if there is None:
            raise DamagedFile(f"{name}: is gone from the backup; seal all with --full")
        if (there.size_bytes, there.sha256) != (segment.size_bytes, segment.sha256):
            raise DamagedFile(
                f"{name}: is not what was sealed (sha256 {there.sha256 or 'unknown'}, sealed "
                f"{segment.sha256}); find out who replaced it, then seal all with --full"
            )
        self._renew(segment.key, there)

    def _renew(self, key: str, there: Stored) -> None:
        until = datetime.now(UTC) + self._keep
        if there.locked_until is not None and there.locked_until + RENEW_MARGIN >= until:
            return
        with self._asking(key):
            self._client.put_object_retention(
                Bucket=self.bucket, Key=key, VersionId=there.version_id,
                Retention={"Mode": LOCK_MODE, "RetainUntilDate": until},
            )  # fmt: skip

    def open(self, segment: Segment) -> bytes:
        """The bytes of a segment; DamagedFile unless they are those that were sealed."""
        name = f"s3://{self.bucket}/{segment.key}"
        try:
            data = self._get(segment.key, segment.version_id)
        except FileNotFoundError as error:
            raise DamagedFile(
                f"{name}: is gone from the backup; take another one (`genoflow backup list`)"
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != segment.sha256:
            raise DamagedFile(
                f"{name}: {len(data):,} bytes with sha256 {found}, and {segment.size_bytes:,} with "
                f"{segment.sha256} were sealed; take another backup (`genoflow backup list`)"
            )
        return data

    def _get(self, key: str, version_id: str | None = None) -> bytes:
        version = {"VersionId": version_id} if version_id else {}
        with self._asking(key):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=key, **version)
                data: bytes = answer["Body"].read()
            except ClientError as error:
                if _code(error) in NOT_FOUND:
                    raise FileNotFoundError(key) from error
                raise
            except FlexibleChecksumError as error:
                raise DamagedFile(
                    f"s3://{self.bucket}/{key}: the bytes in the store are not those that were "
                    f"sealed ({error}); take another backup (`genoflow backup list`)"
                ) from error
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes that may be written again, without a lock."""
        with self._asking(key):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def manifest(self, key: str) -> Manifest:
        """The manifest that is kept there; Refused where there is none."""
        try:
            return read_manifest(self._get(key), f"s3://{self.bucket}/{key}")
        except FileNotFoundError as error:
            raise Refused(
                f"s3://{self.bucket}/{key}: there is no such backup; `genoflow backup list` "
                f"shows those that there are"
            ) from error

    def manifest_keys(self, prefix: str) -> dict[str, list[str]]:
        """The manifests of each cluster, the oldest first."""
        if not self.exists():
            return {}
        found: dict[str, list[str]] = {}
        for cluster in self._folders("backup/"):
            start = f"{cluster}manifests/{prefix}"
            keys = [key for key in self._keys(start) if _is_number(key.removeprefix(start))]
            if keys:
                found[cluster.removeprefix("backup/").rstrip("/")] = sorted(keys)
        return found

    def _pages(self, **question: str) -> Iterator[Any]:
        with self._asking(question["Prefix"]):
            pages = self._client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, **question)

    def _folders(self, prefix: str) -> list[str]:
        pages = self._pages(Prefix=prefix, Delimiter="/")
        return [row["Prefix"] for page in pages for row in page.get("CommonPrefixes", ())]

    def _keys(self, prefix: str) -> list[str]:
        return [
            row["Key"] for page in self._pages(Prefix=prefix) for row in page.get("Contents", ())
        ]


def _is_number(name: str) -> bool:
    number, _, rest = name.partition(".")
    return rest == "json" and number.isdigit() and len(number) == 8


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
