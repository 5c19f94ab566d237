"""What messages of object stores say, in each form in which they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import quote_plus

import pytest

from genoflow.processors.intake.notices import (
    Kind,
    Notice,
    NotUnderstood,
    Place,
    comes_after,
    newest,
    read,
)

AT = datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)


def record(name: str = "ObjectCreated:Put", key: str = "a/x.gz", **changes: Any) -> dict[str, Any]:
    """One of S3's records."""
    return {
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1",
        "eventTime": "2026-03-01T10:00:05.000Z", "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "files", "bucket": {"name": "raw"},
            "object": {
                "key": key, "size": 0, "eTag": "d41d8cd9", "versionId": "v1",
                "sequencer": "0055AED6DCD90281E5",
            } | changes,
        },
    }  # fmt: skip


def detail(kind: str = "Object Created", key: str = "a/x.gz") -> dict[str, Any]:
    """One of EventBridge's events."""
    return {
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": kind,
        "source": "aws.s3", "time": "2026-03-01T10:00:05Z",
        "detail": {
            "version": "0", "bucket": {"name": "raw"},
            "object": {"key": key, "size": 5, "version-id": "v1", "sequencer": "617F08299329D189"},
            "reason": "PutObject",
        },
    }  # fmt: skip


def said(message: Any) -> list[Notice]:
    return read(json.dumps(message).encode())


def test_a_record_names_object_version_and_time() -> None:
    (found,) = said({"Records": [record()]})
    assert found == Notice(Kind.CREATED, Place("raw", "a/x.gz"), "v1", "0055AED6DCD90281E5", AT)
    assert said([record()]) == [found], "a list without its wrapping"
    envelope = {"Type": "Notification", "Message": json.dumps({"Records": [record()]})}
    assert said(envelope) == [found], "SNS stands in between"
    (bridged,) = said(detail())
    assert (bridged.place, bridged.version_id, bridged.at) == (found.place, "v1", AT)


@pytest.mark.parametrize("key", ["a b+ü%25&.gz", "plain.gz", "a+b", "100%"])
def test_keys_are_read_as_each_sender_writes_them(key: str) -> None:
    (found,) = said({"Records": [record(key=quote_plus(key, safe="/"))]})
    assert found.place.key == key, "S3 encodes them"
    gateway = record("s3:ObjectCreated:Put", key=key, versionId=None, sequencer="F")
    gateway["s3"]["configurationId"] = "webhook-global"
    (found,) = said({"Records": [gateway]})
    assert (found.place.key, found.version_id) == (key, None), "versitygw does not"
    (found,) = said(detail(key=key))
    assert found.place.key == key, "and neither does EventBridge"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ObjectCreated:CompleteMultipartUpload", Kind.CREATED),
        ("s3:ObjectCreated:Copy", Kind.CREATED),
        ("ObjectRemoved:DeleteMarkerCreated", Kind.REMOVED),
        ("s3:ObjectRemoved:DeleteObjects", Kind.REMOVED),
        ("LifecycleExpiration:Delete", Kind.REMOVED),
        ("ObjectTagging:Put", None),
        ("ObjectRestore:Completed", Kind.MOVED),
        ("s3:LifecycleTransition", Kind.MOVED),
    ],
)
def test_only_what_changes_bytes_or_their_place_is_heard(name: str, kind: Kind | None) -> None:
    assert [one.kind for one in said({"Records": [record(name)]})] == ([kind] if kind else [])


def test_a_test_event_says_nothing() -> None:
    assert said({"Service": "S3", "Event": "s3:TestEvent", "Bucket": "Test-Bucket"}) == []
    assert said(detail("Object Tags Added")) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"7", "is a JSON int"),
        (b'{"a": 1}', "has none of Records, detail-type and Event"),
        (b'{"Records": [{}]}', "lacks what a notice has: KeyError 'eventName'"),
        (b'{"Records": 1}', "lacks what a notice has"),
        (json.dumps({"Records": [record("ObjectEaten:Dog")]}).encode(), "tells of 'ObjectEaten:D"),
        (json.dumps({"Records": [record(key="")]}).encode(), "names no object"),
        (json.dumps(detail("Object Eaten")).encode(), "tells of 'Object Eaten'"),
    ],
)
def test_what_is_no_notice_says_why(body: bytes, why: str) -> None:
    with pytest.raises(NotUnderstood, match=why.replace("[", r"\[")):
        read(body)


def notice(sequencer: str, kind: Kind = Kind.CREATED, key: str = "k") -> Notice:
    return Notice(kind, Place("raw", key), None, sequencer, AT)


def test_the_shorter_sequencer_is_filled_with_zeros_on_its_right() -> None:
    assert comes_after(notice("0055AED6DCD90281E5"), notice("0055AED6DCD90281E4"))
    assert comes_after(notice("0055aed6dcd90281e5"), notice("0055AED6DCD90281E4"))
    assert comes_after(notice("00F"), notice("00E00001"))
    assert not comes_after(notice("00E"), notice("00E000"))
    assert not comes_after(notice("00E"), notice("00E001"))
    with pytest.raises(AssertionError, match="cannot be compared"):
        comes_after(notice("1"), notice("2", key="other"))


def test_the_newest_of_an_object_counts_however_they_came() -> None:
    removed, created = notice("02", Kind.REMOVED), notice("01")
    other = notice("00", key="other")
    assert newest([removed, other, created]) == {removed.place: removed, other.place: other}
    assert newest([created, removed])[removed.place] is removed
    bare = notice("", Kind.REMOVED)
    assert newest([removed, bare])[bare.place] is bare, "without sequencers the last that came"


def test_the_gateways_counter_is_compared_as_a_number() -> None:
    found = []
    for sequencer in ("F", "10", "FF", "100"):
        one = record("s3:ObjectCreated:Put", sequencer=sequencer)
        one["s3"]["configurationId"] = "kafka-global"
        found += said({"Records": [one]})
    assert all(comes_after(b, a) for a, b in pairwise(found))
