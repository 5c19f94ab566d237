"""What a message of an object store says: which object came, or went, and in which order.

Three forms are read: S3's own records (from SQS, from SNS through SQS, and from servers that speak
S3, through Kafka), and EventBridge's. Size and tag are left alone: versitygw says a size of 0 for
what came in parts, and the porch asks the store for the object's head in any case.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus

from genoflow.events.errors import Refused


class NotUnderstood(Refused):
    """A message is none that this code knows; it says what was found in it."""


class Kind(StrEnum):
    """What happened to the object."""

    CREATED = "created"
    REMOVED = "removed"
    MOVED = "moved"  # to another tier, or back from an archive for a while; its bytes are the same


@dataclass(frozen=True, slots=True)
class Place:
    """An object by its name, whatever its versions."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened to one object."""

    kind: Kind
    place: Place
    version_id: str | None
    sequencer: str  # hexadecimal, compared for one object only; empty where there is none
    at: datetime | None


# By what follows `s3:` and stands before the next colon. None: it changes nothing that is told.
RECORDS: Mapping[str, Kind | None] = {
    "ObjectCreated": Kind.CREATED,
    "ObjectRemoved": Kind.REMOVED,
    "LifecycleExpiration": Kind.REMOVED,
    "ReducedRedundancyLostObject": Kind.REMOVED,
    "ObjectRestore": Kind.MOVED,
    "LifecycleTransition": Kind.MOVED,
    "IntelligentTiering": Kind.MOVED,
    "ObjectTagging": None, "ObjectAcl": None, "Replication": None,
}  # fmt: skip
DETAILS: Mapping[str, Kind | None] = {
    "Object Created": Kind.CREATED,
    "Object Deleted": Kind.REMOVED,
    "Object Restore Completed": Kind.MOVED,
    "Object Storage Class Changed": Kind.MOVED,
    "Object Access Tier Changed": Kind.MOVED,
    "Object Restore Initiated": None, "Object Restore Expired": None,
    "Object ACL Updated": None, "Object Tags Added": None, "Object Tags Deleted": None,
}  # fmt: skip
TEST_EVENT = "s3:TestEvent"
# versitygw puts this behind the name of each of its ways; its keys are as they are, and its
# sequencers count from 1 in each run of the server, without leading zeros.
GATEWAY = "-global"
GATEWAY_DIGITS = 16  # more than a server can count


def read(body: bytes) -> list[Notice]:
    """What the message says of objects; nothing where it is a test, or of no matter."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"is no JSON: {error}") from error
    try:
        return _of(said)
    except (KeyError, TypeError, AttributeError) as error:
        raise NotUnderstood(f"lacks what a notice has: {type(error).__name__} {error}") from error


def _of(said: Any) -> list[Notice]:
    if isinstance(said, list):
        return [notice for one in said for notice in _record(one)]
    if not isinstance(said, dict):
        raise NotUnderstood(f"is a JSON {type(said).__name__}, not an object")
    if said.get("Event") == TEST_EVENT:
        return []
    if said.get("Type") == "Notification" and isinstance(said.get("Message"), str):
        return read(said["Message"].encode())  # SNS stands between S3 and the queue
    if "Records" in said:
        return [notice for one in said["Records"] for notice in _record(one)]
    if "detail-type" in said:
        return _detail(said)
    raise NotUnderstood(f"has none of Records, detail-type and Event, but {sorted(said)[:5]}")


def _record(said: Mapping[str, Any]) -> list[Notice]:
    name = str(said["eventName"])
    kind = _known(RECORDS, name.removeprefix("s3:").partition(":")[0], name)
    if kind is None:
        return []
    thing, one = said["s3"], said["s3"]["object"]
    key, sequencer = str(one["key"]), str(one.get("sequencer") or "")
    if str(thing.get("configurationId", "")).endswith(GATEWAY):
        sequencer = sequencer.rjust(GATEWAY_DIGITS, "0")
    else:
        key = unquote_plus(key)
    place = _place(thing["bucket"]["name"], key)
    return [Notice(kind, place, _version(one.get("versionId")), sequencer, _at(said["eventTime"]))]


def _detail(said: Mapping[str, Any]) -> list[Notice]:
    kind = _known(DETAILS, str(said["detail-type"]), str(said["detail-type"]))
    if kind is None:
        return []
    one = said["detail"]["object"]
    place = _place(said["detail"]["bucket"]["name"], str(one["key"]))
    version, sequencer = _version(one.get("version-id")), str(one.get("sequencer") or "")
    return [Notice(kind, place, version, sequencer, _at(said.get("time")))]


def _known(kinds: Mapping[str, Kind | None], name: str, said: str) -> Kind | None:
    if name not in kinds:
        raise NotUnderstood(f"tells of {said!r}, which is not known here")
    return kinds[name]


def _place(bucket: Any, key: str) -> Place:
    if not isinstance(bucket, str) or not bucket or not key:
        raise NotUnderstood(f"names no object: bucket {bucket!r}, key {key!r}")
    return Place(bucket, key)


def _version(said: Any) -> str | None:
    return str(said) if said else None


def _at(said: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None  # the store's own times count; this one is a help where it has none
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def comes_after(one: Notice, other: Notice) -> bool:
    """Whether the first happened after the second; both are about one object, and have sequencers.

    The shorter of two sequencers is filled with zeros on its right, as S3 defines it.
    """
    assert one.place == other.place, "sequencers of two objects cannot be compared"
    digits = max(len(one.sequencer), len(other.sequencer))
    mine, others = (each.sequencer.upper().ljust(digits, "0") for each in (one, other))
    return mine > others


def newest(notices: Iterable[Notice]) -> dict[Place, Notice]:
    """The last of each object: by its sequencer, and as they came where one has none."""
    found: dict[Place, Notice] = {}
    for one in notices:
        before = found.get(one.place)
        can_tell = before is not None and one.sequencer and before.sequencer
        if before is None or not can_tell or comes_after(one, before):
            found[one.place] = one
    return found
