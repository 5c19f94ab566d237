"""The versions of objects in S3, in the order in which the store lists them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC
from typing import Any

from genoflow.events.errors import Retry
from genoflow.processors.adapters.s3 import head_of
from genoflow.processors.adapters.s3_errors import at
from genoflow.processors.intake.heard import STANDARD, Kept, Shelf
from genoflow.processors.intake.notices import Place
from genoflow.processors.ports import UNVERSIONED, ObjectGone, ObjectHead

OPERATION = "before-parse.s3.ListObjectVersions"
# boto3 hands over versions and marks as two lists, and so loses which came first where they are of
# one second. The answer itself has them in their order: this keeps it.
_ENTRY = re.compile(rb"<(Version|DeleteMarker)[ >]")
ORDER = "Order"
# versitygw lists all marks before all versions. Its version ids are ULIDs, which begin with the
# time and count upwards within a millisecond, so they have the order that the list lost.
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
PAGE_ENTRIES_MAX = 1_000  # S3 gives no more in one answer
Entry = dict[str, Any]


def _keep_order(response_dict: Mapping[str, Any], customized_response_dict: Any, **_: Any) -> None:
    names = _ENTRY.findall(response_dict["body"])
    customized_response_dict[ORDER] = [name == b"DeleteMarker" for name in names]


class S3Shelves:
    """Shelves over one boto3 client, which is safe to share between threads."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.page_entries = PAGE_ENTRIES_MAX
        client.meta.events.register(OPERATION, _keep_order, unique_id="genoflow-order")

    async def look(self, place: Place) -> Shelf:
        """All that is kept of one object; those whose keys only begin like it are passed over."""
        async with aclosing(self.crawl(place.bucket, place.key)) as shelves:
            async for shelf in shelves:  # the shortest of one beginning comes first
                return shelf if shelf.place == place else Shelf(place, ())
        return Shelf(place, ())

    async def head(self, place: Place, version_id: str) -> ObjectHead:
        """The head of one version; ObjectGone where the store has no such one."""
        head = await asyncio.to_thread(head_of, self._client, *_of(place), version_id)
        if head.version_id != version_id:
            raise ObjectGone(
                f"{place}@{version_id}: another object has taken its place; put it there again"
            )
        return head

    async def crawl(self, bucket: str, prefix: str) -> AsyncGenerator[Shelf, None]:
        """Every object of this beginning, one page of the store after the other."""
        asked = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": self.page_entries}
        more: dict[str, str] | None = {}
        found: dict[str, dict[str, Entry]] = {}
        while more is not None:
            page = await asyncio.to_thread(self._page, asked | more)
            for one in _entries(page):
                # versitygw repeats the last entry of a page where it is the latest of its object.
                found.setdefault(one["Key"], {}).setdefault(one.get("VersionId") or "", one)
            before, more = more, _next(page)
            if more is not None and more == before:
                raise Retry(f"s3://{bucket}/{prefix}: the list stays at {more}; see to the store")
            # A page ends anywhere: what it has of its last key goes on in the next one.
            last = None if more is None else more["KeyMarker"]
            for key in sorted(found.keys() - {last}, key=str.encode):
                yield Shelf(Place(bucket, key), _oldest_first([*found.pop(key).values()]))

    def _page(self, asked: Mapping[str, Any]) -> Any:
        with at(asked["Bucket"], asked["Prefix"]):
            return self._client.list_object_versions(**asked)


def _of(place: Place) -> tuple[str, str]:
    return place.bucket, place.key


def _entries(page: Mapping[str, Any]) -> Iterator[Entry]:
    """Versions and marks in the order of the answer: in S3 by key, the newest of a key first."""
    versions = iter(page.get("Versions", []))
    markers = iter(page.get("DeleteMarkers", []))
    for is_marker in page[ORDER]:
        yield {**next(markers if is_marker else versions), "is_marker": is_marker}


def _oldest_first(found: list[Entry]) -> tuple[Kept, ...]:
    if all(_ULID.fullmatch(one.get("VersionId") or "") for one in found):
        found.sort(key=lambda one: str(one["VersionId"]))
    elif found[0]["IsLatest"]:
        found.reverse()
    else:  # not in the order of S3: by their times, which are of whole seconds
        found.sort(key=lambda one: (one["IsLatest"], one["LastModified"]))
    return tuple(_kept(one) for one in found)


def _kept(one: Entry) -> Kept:
    at = one["LastModified"].astimezone(UTC)
    storage_class = one.get("StorageClass") or STANDARD
    return Kept(one.get("VersionId") or UNVERSIONED, at, one["is_marker"], storage_class)


def _next(page: Mapping[str, Any]) -> dict[str, str] | None:
    if not page.get("IsTruncated"):
        return None
    marker = {"KeyMarker": page["NextKeyMarker"]}
    version = page.get("NextVersionIdMarker")
    return marker | ({"VersionIdMarker": version} if version else {})
