"""What a question is answered from: the log, or what is kept of it in Postgres.

Both tell the same of the same events. `Scanning` makes a source of anything that tells subjects, by
reading whole topics where a subject is not known yet; `projections/asking/kept.py` has indexes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.run_requested import RunRequested
from genoflow.events.subjects import Subjects
from genoflow.events.topics import Topic


@dataclass(frozen=True, slots=True)
class Parked:
    """Something of a subject that a processor could not take, and that nobody has answered."""

    parked_id: UUID
    processor: str
    cause: str
    taken_at: datetime  # when the log took what is parked


class Landed(NamedTuple):
    """When files of some name landed first for a subject, and which subject that is."""

    at: datetime
    key: str


class Source(Subjects, Protocol):
    """Facts about subjects, and the few questions for which no subject is known yet."""

    async def requests_for(self, case_id: str) -> list[RunRequested]:
        """The runs that were asked for a case."""

    async def landed_as(self, topic: Topic, name: str) -> list[Landed]:
        """The subjects for which files of this name landed, in no order."""

    async def parked(self, topic: Topic, key: str) -> list[Parked]:
        """What waits of a subject, in the order of the log."""


ParkedOf = Mapping[tuple[str, str], list[Parked]]  # by topic and key
NOTHING_PARKED: ParkedOf = {}


class Scanning:
    """A Source that takes a topic to its end where a subject is not known yet."""

    def __init__(self, subjects: Subjects, parked: ParkedOf = NOTHING_PARKED) -> None:
        self._subjects = subjects
        self._parked = parked

    async def events_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Event]]:
        """All events of these subjects."""
        return await self._subjects.events_of(topic, keys)

    def every(self, topic: Topic, *types: type[Event]) -> AsyncGenerator[Event, None]:
        """All events of a topic, or those of these types."""
        return self._subjects.every(topic, *types)

    async def requests_for(self, case_id: str) -> list[RunRequested]:
        """The runs that were asked for a case."""
        async with aclosing(self.every(topics.RUN, RunRequested)) as requests:
            return [
                event
                async for event in requests
                if isinstance(event, RunRequested) and event.case_id == case_id
            ]

    async def landed_as(self, topic: Topic, name: str) -> list[Landed]:
        """The subjects for which files of this name landed."""
        found: dict[str, datetime] = {}
        async with aclosing(self.every(topic, FileLanded)) as landings:
            async for event in landings:
                if isinstance(event, FileLanded) and name in names_of(
                    event.bucket, event.object_key, event.version_id
                ):
                    found.setdefault(event.key, event.envelope.occurred_at)
        return [Landed(at, key) for key, at in found.items()]

    async def parked(self, topic: Topic, key: str) -> list[Parked]:
        """What waits of a subject."""
        return self._parked.get((topic.name, key), [])


def names_of(bucket: str, object_key: str, version_id: str) -> Iterable[str]:
    """By what people call a version of a file: its key alone, with its bucket, and all of it."""
    place = f"{bucket}/{object_key}"
    return object_key, place, f"{place}@{version_id}"
