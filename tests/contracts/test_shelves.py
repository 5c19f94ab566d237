"""The store's history under contract: each test runs on the fake in memory and on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from genoflow.processors.adapters import s3_shelves
from genoflow.processors.adapters.s3_shelves import S3Shelves
from genoflow.processors.intake.heard import Kept, Shelf, Shelves
from genoflow.processors.intake.notices import Place
from genoflow.processors.ports import UNVERSIONED, ObjectGone
from tests.servers import Bucket
from tests.shelves import FakeShelves

ODD = "in/a b+ü%25&<c>.gz"


@dataclass(slots=True)
class Real:
    """The changes of FakeShelves, done to a server."""

    bucket: Bucket

    def put(self, place: Place, metadata: Mapping[str, str] | None = None) -> str:
        answer = self.bucket.client.put_object(
            Bucket=place.bucket, Key=place.key, Body=b"reads", Metadata=dict(metadata or {})
        )
        return str(answer.get("VersionId") or UNVERSIONED)

    def mark(self, place: Place) -> str:
        answer = self.bucket.client.delete_object(Bucket=place.bucket, Key=place.key)
        return str(answer["VersionId"])

    def erase(self, place: Place, version_id: str) -> None:
        self.bucket.client.delete_object(Bucket=place.bucket, Key=place.key, VersionId=version_id)


class Fake:
    """The same to the fake."""

    def __init__(self, shelves: FakeShelves) -> None:
        self._shelves = shelves

    def put(self, place: Place, metadata: Mapping[str, str] | None = None) -> str:
        return self._shelves.put(place, metadata).version_id

    def mark(self, place: Place) -> str:
        return self._shelves.mark(place).version_id

    def erase(self, place: Place, version_id: str) -> None:
        self._shelves.erase(place, version_id)


@dataclass(slots=True)
class Sides:
    """A store from both sides, and a bucket with versions in it."""

    shelves: Shelves
    change: Real | Fake
    bucket: str

    def place(self, key: str) -> Place:
        return Place(self.bucket, key)


@pytest.fixture(params=["memory", "s3"])
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    if request.param == "memory":
        fake = FakeShelves()
        yield Sides(fake, Fake(fake), "raw")
        return
    bucket: Bucket = request.getfixturevalue("s3_bucket")
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    yield Sides(S3Shelves(bucket.client), Real(bucket), bucket.name)


def ids(shelf: Shelf) -> list[tuple[str, bool]]:
    return [(one.version_id, one.is_marker) for one in shelf.kept]


async def test_versions_and_marks_come_in_the_order_in_which_they_were_made(sides: Sides) -> None:
    place, other = sides.place(ODD), sides.place(f"{ODD}.tbi")
    first, second = sides.change.put(place), sides.change.put(place)
    sides.change.put(other)
    mark = sides.change.mark(place)
    third = sides.change.put(place)
    found = await sides.shelves.look(place)
    assert ids(found) == [(first, False), (second, False), (mark, True), (third, False)]
    assert all(one.at.tzinfo is UTC for one in found.kept)
    sides.change.erase(place, second)
    sides.change.erase(place, third)
    assert ids(await sides.shelves.look(place)) == [(first, False), (mark, True)]


async def test_what_only_begins_like_an_object_is_not_it(sides: Sides) -> None:
    sides.change.put(sides.place("in/a.gz.tbi"))
    assert (await sides.shelves.look(sides.place("in/a.gz"))).kept == ()
    assert (await sides.shelves.look(sides.place("in/a"))).kept == ()


async def test_a_version_has_its_own_head_as_long_as_it_is_there(sides: Sides) -> None:
    place = sides.place("in/a.gz")
    first = sides.change.put(place, {"gf-sample": "S1"})
    second = sides.change.put(place, {"gf-sample": "S2"})
    for version, sample in ((first, "S1"), (second, "S2")):
        head = await sides.shelves.head(place, version)
        assert (head.version_id, head.size_bytes) == (version, 5)
        assert head.metadata == {"gf-sample": sample}
    mark = sides.change.mark(place)
    assert (await sides.shelves.head(place, first)).metadata == {"gf-sample": "S1"}
    sides.change.erase(place, first)
    for gone in (first, mark):
        with pytest.raises(ObjectGone):
            await sides.shelves.head(place, gone)


async def test_a_crawl_shows_every_object_once_and_by_its_key(sides: Sides) -> None:
    wanted: dict[str, list[tuple[str, bool]]] = {}
    for number in (3, 1, 2):
        for key in (f"in/{number}.gz", f"out/{number}.gz"):
            made = [(sides.change.put(sides.place(key)), False)]
            if number == 1:
                made += [(sides.change.mark(sides.place(key)), True)]
            wanted[key] = made
    found = [shelf async for shelf in sides.shelves.crawl(sides.bucket, "in/")]
    assert [shelf.place.key for shelf in found] == ["in/1.gz", "in/2.gz", "in/3.gz"]
    assert [ids(shelf) for shelf in found] == [wanted[shelf.place.key] for shelf in found]
    assert len([shelf async for shelf in sides.shelves.crawl(sides.bucket, "")]) == 6


# -- what only a real server can do


async def test_an_object_may_go_over_the_end_of_a_page(s3_bucket: Bucket) -> None:
    s3_bucket.client.put_bucket_versioning(
        Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    change, wanted = Real(s3_bucket), {}
    for key in ("a", "b", "c"):
        place = Place(s3_bucket.name, key)
        made = [(change.put(place), False) for _ in range(3)]
        made += [(change.mark(place), True), (change.put(place), False)]
        wanted[key] = made
    shelves = S3Shelves(s3_bucket.client)
    for page in (2, 3, 4, 7, 1_000):
        shelves.page_entries = page
        found = [shelf async for shelf in shelves.crawl(s3_bucket.name, "")]
        assert {shelf.place.key: ids(shelf) for shelf in found} == wanted
        assert len(found) == 3
        assert ids(await shelves.look(Place(s3_bucket.name, "b"))) == wanted["b"]


async def test_a_bucket_without_versions_has_one_of_each(s3_bucket: Bucket) -> None:
    place, change = Place(s3_bucket.name, "a"), Real(s3_bucket)
    change.put(place)
    assert change.put(place) == UNVERSIONED
    shelves = S3Shelves(s3_bucket.client)
    assert ids(await shelves.look(place)) == [(UNVERSIONED, False)]
    assert (await shelves.head(place, UNVERSIONED)).version_id == UNVERSIONED


def answered(*entries: tuple[str, bool, int]) -> list[dict[str, Any]]:
    """Entries of an answer: id, whether it is the latest, and the second at which it was made."""
    return [
        {
            "VersionId": name, "IsLatest": latest, "is_marker": name.startswith("m"), "Key": "k",
            "LastModified": datetime(2026, 3, 1, 10, 0, second, tzinfo=UTC),
        }
        for name, latest, second in entries
    ]  # fmt: skip


def order(*entries: tuple[str, bool, int]) -> list[str]:
    found: tuple[Kept, ...] = s3_shelves._oldest_first(answered(*entries))
    return [one.version_id for one in found]


def test_the_order_of_s3_is_taken_as_it_is_also_within_one_second() -> None:
    assert order(("v2", True, 1), ("m1", False, 1), ("v1", False, 1)) == ["v1", "m1", "v2"]
    # What came in parts has the time at which its upload began.
    assert order(("v2", True, 1), ("v1", False, 9)) == ["v1", "v2"]


def test_where_marks_are_listed_apart_times_tell_and_the_latest_is_the_last() -> None:
    assert order(("m1", False, 2), ("v2", True, 2), ("v1", False, 1)) == ["v1", "m1", "v2"]
