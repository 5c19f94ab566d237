"""Copies that were handed over, and are older than some rule keeps them.

No event tells of them: whoever hands something over puts it into the bucket, and nothing of ours
reads it again. So the store is listed, and says itself since when each copy is there. A deletion
stands under the subject that the copy names in its metadata, and that has its holds; a copy that
names none stands under its own place, like any other file of nobody.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from genoflow.events.errors import Refused
from genoflow.events.file_landed import FileLanded
from genoflow.events.stored_version import StoredVersion, name_of
from genoflow.processors.intake.due import Key
from genoflow.processors.intake.heard import Kept, Shelves
from genoflow.processors.intake.landing import landed
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.ports import ObjectGone


@dataclass(slots=True)
class Copies:
    """The bucket of what was handed over; it counts what cannot be said of it on the log."""

    shelves: Shelves
    bucket: str | None  # none where it is the bucket of another class too
    guard: PrivacyGuard
    unsaid: int = 0

    async def older(
        self, keep: timedelta, now: datetime, known: Container[str]
    ) -> AsyncGenerator[tuple[Key, StoredVersion, datetime], None]:
        """Every copy that old which is none of the known files: whose it is, and since when."""
        if self.bucket is None:
            raise Refused(
                "delivery: its bucket is that of another class of files, too; name one of its own "
                "in GENOFLOW_DELIVERY_BUCKET, or publish no rule for delivery"
            )
        self.unsaid = 0
        async with aclosing(self.shelves.crawl(self.bucket, "")) as shelves:
            async for shelf in shelves:
                for one in shelf.kept:
                    if one.is_marker or one.at + keep > now:
                        continue
                    fact = await self._whose(shelf.place, one)
                    if fact is not None and name_of(fact) not in known:
                        yield (fact.topic, fact.key), _version(fact), one.at

    async def _whose(self, place: Place, kept: Kept) -> FileLanded | None:
        try:
            fact = landed(await self.shelves.head(place, kept.version_id))
            self.guard.check(fact)
        except ObjectGone:
            return None  # somebody took it away meanwhile
        except Refused:
            self.unsaid += 1
            return None
        return fact


def _version(fact: FileLanded) -> StoredVersion:
    return StoredVersion(
        bucket=fact.bucket,
        object_key=fact.object_key,
        version_id=fact.version_id,
        size_bytes=fact.size_bytes,
        etag=fact.etag,
    )
