"""An object store with its history, in memory, and what its notices look like."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta

from genoflow.deploy.settings import Settings
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog
from genoflow.processors.intake.heard import Kept, Message, Shelf, Shelves
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.notifications import PORCH, Scope, StorePorch
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.ports import Clock, ObjectGone, ObjectHead
from tests.fakes import FakeClock, Fault, no_fault

LEFT_OUT = ("runs/", "reads/")


class FakeShelves:
    """Shelves that keep versions; each change is a second after the one before."""

    def __init__(self, clock: FakeClock | None = None, fault: Fault = no_fault) -> None:
        self.clock = clock or FakeClock()
        self.fault = fault
        self.kept: dict[Place, list[Kept]] = {}
        self.metadata: dict[tuple[Place, str], Mapping[str, str]] = {}
        self._count = 0

    def put(self, place: Place, metadata: Mapping[str, str] | None = None) -> Kept:
        """Write a version of an object."""
        kept = self._add(place, is_marker=False)
        self.metadata[place, kept.version_id] = metadata or {}
        return kept

    def mark(self, place: Place) -> Kept:
        """Put a mark of deletion before it."""
        return self._add(place, is_marker=True)

    def erase(self, place: Place, version_id: str) -> None:
        """Remove a version, or a mark, for good."""
        self.kept[place] = [one for one in self.kept[place] if one.version_id != version_id]

    def _add(self, place: Place, *, is_marker: bool) -> Kept:
        self._count += 1
        self.clock.jump(1)
        kept = Kept(f"v{self._count}", self.clock.now(), is_marker)
        self.kept.setdefault(place, []).append(kept)
        return kept

    async def look(self, place: Place) -> Shelf:
        """All that is kept of one object."""
        self.fault("look")
        return Shelf(place, tuple(self.kept.get(place, ())))

    async def head(self, place: Place, version_id: str) -> ObjectHead:
        """The head of one version."""
        self.fault("head")
        for one in self.kept.get(place, ()):
            if one.version_id == version_id and not one.is_marker:
                return ObjectHead(
                    place.bucket, place.key, version_id, 5, "e", one.at,
                    self.metadata[place, version_id],
                )  # fmt: skip
        raise ObjectGone(f"{place}@{version_id}: there is no such version; put it there again")

    async def crawl(self, bucket: str, prefix: str) -> AsyncGenerator[Shelf, None]:
        """Every object, ordered by key."""
        for place in sorted(self.kept, key=lambda one: one.key):
            if place.bucket == bucket and place.key.startswith(prefix) and self.kept[place]:
                self.fault("crawl")
                yield Shelf(place, tuple(self.kept[place]))


def porch_over(log: EventLog, shelves: Shelves, clock: Clock, bucket: str = "raw") -> StorePorch:
    """A porch of the object store, as a deployment has it."""
    return StorePorch(
        log, shelves, scope=Scope((bucket,), LEFT_OUT),
        guard=PrivacyGuard(Settings().person_patterns), clock=clock,
        by=Producer(service=PORCH, version="0"),
    )  # fmt: skip


def message(place: Place, number: int, name: str = "ObjectCreated:Put") -> Message:
    """What the store sends of an object; the number is its sequencer, and its id."""
    at = FakeClock().now() + timedelta(seconds=number)
    said = {
        "eventName": name, "eventTime": at.isoformat(),
        "s3": {
            "bucket": {"name": place.bucket},
            "object": {"key": place.key, "size": 0, "sequencer": f"{number:08X}"},
        },
    }  # fmt: skip
    return Message("sqs", "https://queue", f"m{number}", json.dumps({"Records": [said]}).encode())


def facts(events: list[Event]) -> list[tuple[str, str, str]]:
    """Type, version and manner of facts, in their order."""
    return [
        (one.type(), getattr(one, "version_id", ""), getattr(one, "manner", "")) for one in events
    ]
