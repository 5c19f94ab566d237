"""The buckets as the store has them: read, compared with the table, and made so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from genoflow.deploy import buckets
from genoflow.deploy.buckets import NOT_HERE, Document, Wanted, merged, stands
from genoflow.deploy.wiring import ensure_bucket
from genoflow.events.errors import Refused
from genoflow.processors.adapters.s3_errors import at, code_and_status, meaning

MISSING_HERE = ("NotImplemented", "MethodNotAllowed", "XNotImplemented")
NO_BUCKET = ("NoSuchBucket", "404", "NotFound")
FIRST = (buckets.VERSIONING, buckets.LOCK)  # the others in any order; a lock needs versions
ALIAS = "alias/"


@dataclass(frozen=True, slots=True)
class Call:
    """How one aspect is asked for and set."""

    operation: str  # get_<operation> and put_<operation>
    field: str  # of the question that sets it, and mostly of the answer
    unwrap: Callable[[Any], Any]


def _inner(field: str) -> Callable[[Any], Any]:
    return lambda answer: answer[field]


CALLS: Mapping[str, Call] = {
    buckets.VERSIONING: Call("bucket_versioning", "VersioningConfiguration", lambda answer: answer),
    buckets.LOCK: Call(
        "object_lock_configuration", "ObjectLockConfiguration", _inner("ObjectLockConfiguration")
    ),
    buckets.LIFECYCLE: Call(
        "bucket_lifecycle_configuration", "LifecycleConfiguration", lambda answer: answer
    ),
    buckets.ENCRYPTION: Call(
        "bucket_encryption", "ServerSideEncryptionConfiguration",
        _inner("ServerSideEncryptionConfiguration"),
    ),
    buckets.CORS: Call("bucket_cors", "CORSConfiguration", lambda answer: answer),
    buckets.POLICY: Call("bucket_policy", "Policy", lambda answer: json.loads(answer["Policy"])),
    buckets.PUBLIC: Call(
        "public_access_block", "PublicAccessBlockConfiguration",
        _inner("PublicAccessBlockConfiguration"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One aspect of one bucket, as it is."""

    wanted: Wanted
    aspect: str
    says: str  # for people
    differs: bool
    was_set: bool = False


class Buckets:
    """The buckets of one store; KMS is asked for keys where the store encrypts."""

    def __init__(self, client: Any, keys: Any) -> None:
        self._client = client
        self._keys = keys

    def check(self, wanted: tuple[Wanted, ...]) -> Iterator[Found]:
        """What of every bucket is as it is wanted, and what is not."""
        for one in wanted:
            if not self._exists(one.bucket):
                yield Found(one, "bucket", "is missing", differs=True)
                continue
            for aspect in _ordered(one):
                yield self._held(one, aspect)

    def apply(self, wanted: tuple[Wanted, ...], *, create_keys: bool) -> Iterator[Found]:
        """Make every bucket so; what is so already is left alone. Refused where a key is missing.

        All else is set by then, and the same call again goes on from there.
        """
        missing: list[str] = []
        for one in wanted:
            with at(one.bucket, ""):
                ensure_bucket(self._client, one.bucket)
            for aspect in _ordered(one):
                found = self._held(one, aspect)
                if not found.differs:
                    yield found
                    continue
                if aspect == buckets.ENCRYPTION and not self._has_key(one, create_keys):
                    missing.append(one.key)
                    yield found
                    continue
                yield self._set(one, aspect)
        if missing:
            raise Refused(
                f"there is no KMS key {', '.join(missing)}, and nobody makes one unasked; make it, "
                f"name another in GENOFLOW_BUCKET_ENCRYPTION, or add --create-keys for an alias"
            )

    def _held(self, one: Wanted, aspect: str) -> Found:
        is_here, found = self._read(one.bucket, aspect)
        want = one.documents[aspect]
        if not is_here:
            return Found(one, aspect, NOT_HERE[aspect], differs=False)
        if not stands(aspect, want, found):
            has = "is not set" if found is None else f"is {_short(found)}"
            return Found(one, aspect, f"{has}, wanted {_short(want)}", differs=True)
        if aspect == buckets.ENCRYPTION and not self._knows(one.key):
            return Found(one, aspect, f"names {one.key}, and there is no such key", differs=True)
        return Found(one, aspect, "is as wanted", differs=False)

    def _set(self, one: Wanted, aspect: str) -> Found:
        _, found = self._read(one.bucket, aspect)
        document = merged(aspect, one.documents[aspect], found)
        call = CALLS[aspect]
        value = json.dumps(document) if aspect == buckets.POLICY else document
        with at(one.bucket, ""):
            getattr(self._client, f"put_{call.operation}")(Bucket=one.bucket, **{call.field: value})
        return Found(one, aspect, f"was set to {_short(document)}", differs=False, was_set=True)

    def _read(self, bucket: str, aspect: str) -> tuple[bool, Document | None]:
        """Whether the store has such a thing at all, and what it is; None where it is not set."""
        call = CALLS[aspect]
        with at(bucket, ""):
            try:
                answer = getattr(self._client, f"get_{call.operation}")(Bucket=bucket)
            except ClientError as error:
                code, status = code_and_status(error)
                if code in MISSING_HERE or status == 501:
                    return False, None
                if status == 404 and code not in NO_BUCKET:
                    return True, None  # there is none, which each aspect says by a code of its own
                raise
        answer.pop("ResponseMetadata", None)
        return True, call.unwrap(answer) or None

    def _exists(self, bucket: str) -> bool:
        with at(bucket, ""):
            try:
                self._client.head_bucket(Bucket=bucket)
            except ClientError as error:
                if code_and_status(error)[1] == 404:
                    return False
                raise
        return True

    # -- keys

    def _has_key(self, one: Wanted, create: bool) -> bool:
        if self._knows(one.key):
            return True
        if not create or not one.key.startswith(ALIAS):
            return False
        with _asking_kms(one.key):
            made = self._keys.create_key(Description=f"GenoFlow: files of class {one.bucket_class}")
            name = made["KeyMetadata"]["KeyId"]
            self._keys.enable_key_rotation(KeyId=name)
            self._keys.create_alias(AliasName=one.key, TargetKeyId=name)
        return True

    def _knows(self, key: str) -> bool:
        with _asking_kms(key):
            try:
                self._keys.describe_key(KeyId=key)
            except ClientError as error:
                if code_and_status(error)[0] == "NotFoundException":
                    return False
                raise
        return True


@contextmanager
def _asking_kms(key: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise meaning(error, f"KMS key {key}") from error


def _ordered(one: Wanted) -> list[str]:
    return sorted(one.documents, key=lambda aspect: aspect not in FIRST)


def _short(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"), default=str)
