"""What a backup consists of. It is written last: without its manifest a backup does not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from genoflow.events.errors import DamagedFile
from genoflow.events.event import explain
from genoflow.events.topics import BY_NAME, Retention, Topic

FORMAT = 1
CHANGELOG = "gf.changelog."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Segment(_Part):
    """The records of one partition from `first` up to, and without, `next`."""

    first: int
    next: int
    records: int
    size_bytes: int
    sha256: str
    key: str
    version_id: str


class Place(_Part):
    """One partition: its segments follow each other without a gap."""

    first: int
    segments: tuple[Segment, ...]

    @property
    def next(self) -> int:
        """The first offset that is not sealed."""
        return self.segments[-1].next if self.segments else self.first

    @property
    def records(self) -> int:
        """How many records are sealed."""
        return sum(segment.records for segment in self.segments)


class Manifest(_Part):
    """One backup: topics by name and partition, and where the named readers stood."""

    format: Literal[1]
    cluster: str
    prefix: str
    number: int
    taken_at: str
    topics: dict[str, tuple[Place, ...]]
    groups: dict[str, dict[str, dict[int, int]]]

    @property
    def key(self) -> str:
        """Where it is kept."""
        return manifest_key(self.cluster, self.prefix, self.number)

    @property
    def records(self) -> int:
        """How many records it holds."""
        return sum(place.records for places in self.topics.values() for place in places)

    def segments(self) -> Iterator[tuple[str, int, Segment]]:
        """Every segment with its topic and partition."""
        for topic, places in self.topics.items():
            for number, place in enumerate(places):
                for segment in place.segments:
                    yield topic, number, segment

    def to_bytes(self) -> bytes:
        """The canonical text: the same backup has the same bytes."""
        values = self.model_dump(mode="json")
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def read_manifest(data: bytes, key: str) -> Manifest:
    """The manifest in these bytes; DamagedFile where it is none or has a gap."""
    try:
        found = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise DamagedFile(
            f"{key}: is no manifest that this release reads ({explain('manifest', error)}); "
            f"take an older backup (`genoflow backup list`), or the release that wrote it"
        ) from error
    for topic, places in found.topics.items():
        for number, place in enumerate(places):
            _check_continuity(f"{key}: {topic}[{number}]", place)
    return found


def _check_continuity(name: str, place: Place) -> None:
    expected = place.first
    for segment in place.segments:
        if segment.first != expected or segment.next <= segment.first:
            raise DamagedFile(
                f"{name}: offset {expected} is followed by a segment from {segment.first} to "
                f"{segment.next}; take another backup (`genoflow backup list`)"
            )
        expected = segment.next


def manifest_key(cluster: str, prefix: str, number: int) -> str:
    """Where a manifest is kept."""
    return f"backup/{cluster}/manifests/{prefix}{number:08d}.json"


def segment_key(cluster: str, wire_topic: str, partition: int, first: int, last: int) -> str:
    """Where a segment is kept."""
    return f"backup/{cluster}/{wire_topic}/{partition}/{first}-{last}.avro"


def topic_of(name: str) -> Topic:
    """The declaration of a topic of the log or of a changelog."""
    declared = BY_NAME.get(name)
    if declared is not None:
        return declared
    return Topic(name, "the key of the state", "a changelog", Retention.LATEST_PER_KEY)


def input_of(changelog: str) -> str:
    """The topic whose positions a changelog keeps: its name ends with it."""
    rest = changelog.removeprefix(CHANGELOG)
    found = [name for name in BY_NAME if rest.endswith("." + name.removeprefix("gf."))]
    if not changelog.startswith(CHANGELOG) or not found:
        raise DamagedFile(
            f"{changelog}: belongs to no declared topic, so its positions cannot be translated; "
            f"restore with the release that wrote it, or leave it out with --without {changelog}"
        )
    return max(found, key=len)
