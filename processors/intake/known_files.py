"""Which files the log knows: the one memory of those who hear of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from typing import NamedTuple
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import MalformedEvent
from genoflow.events.event import Event
from genoflow.events.file_deleted import ERASED, FileDeleted
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.log.port import EventLog, Vector
from genoflow.processors.intake.notices import Place

READ = frozenset(event.type() for event in (FileLanded, FileDeleted, FileTierChanged, FileRestored))
# A landing takes some 400 bytes here: 100,000 files of 20,000 samples are 40 MB.
WITH_FILES = (topics.SAMPLE.name, topics.SEQUENCING_RUN.name)


class Landing(NamedTuple):
    """A version of a file, and one of the subjects for which it landed."""

    version_id: str
    topic: str
    key: str


class KnownFiles:
    """The landings of a log, read once and then followed; others may append to it meanwhile."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._at: Vector = {}
        self._landings: dict[Place, tuple[Landing, ...]] = {}
        self._told: set[UUID] = set()  # what else was said of files than that they landed
        self._erased: set[tuple[Place, str]] = set()
        self._hidden_by: dict[tuple[Place, str], str] = {}  # place and mark to version

    async def catch_up(self) -> None:
        """Take in what was appended since the last call, by whomever."""
        ends: Vector = {}
        starts: Vector = {}
        for topic in WITH_FILES:
            ends |= await self._log.ends(topic)
            starts |= self._at or await self._log.starts(topic)
        async with aclosing(self._log.read(starts, ends)) as records:
            async for record in records:
                if record.type in READ:
                    try:
                        event = record.event
                    except MalformedEvent:
                        continue  # each processor of the topic parks it; it tells us nothing
                    self.take(event)
        self._at = ends

    def take(self, event: Event) -> None:
        """Know what this event says, be it appended by us or by others."""
        if isinstance(event, FileLanded):
            place = Place(event.bucket, event.object_key)
            landing = Landing(event.version_id, event.topic, event.key)
            before = self._landings.get(place, ())
            if landing not in before:
                self._landings[place] = (*before, landing)
        elif isinstance(event, FileTierChanged | FileRestored):
            self._told.add(event.external_id())
        elif isinstance(event, FileDeleted):
            self._told.add(event.external_id())
            place = Place(event.bucket, event.object_key)
            if event.manner == ERASED:
                self._erased.add((place, event.version_id))
            elif event.marker_version_id is not None:
                self._hidden_by.setdefault((place, event.marker_version_id), event.version_id)

    def landings(self, place: Place) -> tuple[Landing, ...]:
        """All versions of one object that have landed, and for whom, in the order of the log."""
        return self._landings.get(place, ())

    def hidden_by(self, place: Place, marker_version_id: str) -> str | None:
        """The version that a mark of deletion hides, where that was told."""
        return self._hidden_by.get((place, marker_version_id))

    def stands(self, fact: Event) -> bool:
        """Whether this fact about a file stands on the log, whoever appended it."""
        if isinstance(fact, FileLanded):
            place = Place(fact.bucket, fact.object_key)
            return Landing(fact.version_id, fact.topic, fact.key) in self.landings(place)
        return isinstance(fact, FileDeleted | FileTierChanged | FileRestored) and self.is_told(fact)

    def is_told(self, fact: FileDeleted | FileTierChanged | FileRestored) -> bool:
        """Whether this very fact stands on the log."""
        return fact.external_id() in self._told

    def standing(self, bucket: str, prefix: str) -> Iterator[Place]:
        """Objects that landed and of which a version is, as far as the log knows, not erased."""
        for place, landings in list(self._landings.items()):
            is_asked = place.bucket == bucket and place.key.startswith(prefix)
            if is_asked and any((place, one.version_id) not in self._erased for one in landings):
                yield place
