"""Which schema has which id: read from the released files, never from a service.

The ids stand in `schemas/ids.lock`, which is committed, so an event that was written once can be
read from a checkout alone, for ever. The registry endpoint serves the same files to others.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import fastavro

from genoflow.events.avro import full_name
from genoflow.events.catalogue import EVENTS
from genoflow.events.errors import UnknownSchema
from genoflow.events.event import Event
from genoflow.events.upcasters import UPCASTERS, Upcast

LOCK_NAME = "ids.lock"


@dataclass(frozen=True)
class Edition:
    """One released schema: an id on the wire, a type, a version and the text that was released."""

    id: int
    type: str
    version: str
    text: str

    @property
    def major(self) -> int:
        """The part of the version that changes when old readers cannot follow."""
        return int(self.version.split(".", maxsplit=1)[0])

    @property
    def minor(self) -> int:
        """The part of the version that changes when they can."""
        return int(self.version.split(".")[1])

    @property
    def subject(self) -> str:
        """The name under which a registry keeps it (RecordNameStrategy)."""
        return full_name(self.type, self.version)

    @property
    def sha256(self) -> str:
        """The checksum that the lock holds."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @functools.cached_property
    def parsed(self) -> Any:
        """The schema as the Avro library wants it."""
        return fastavro.parse_schema(json.loads(self.text))


def stem_of(event_type: str) -> str:
    """`FileLanded` becomes `file_landed`: the name of its module, schema and tests."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in event_type).removeprefix("_")


def file_name(event_type: str, version: str) -> str:
    """The name of the released file of one edition."""
    return f"{stem_of(event_type)}.v{version}.avsc"


class Registry:
    """All editions, by id and by type, with the models that read them."""

    def __init__(
        self,
        editions: Iterable[Edition],
        models: Sequence[type[Event]],
        upcasters: Mapping[tuple[str, int], Upcast] = UPCASTERS,
    ) -> None:
        self.editions = tuple(sorted(editions, key=lambda edition: edition.id))
        self.models = {model.type(): model for model in models}
        self.upcasters = upcasters
        self._by_id = {edition.id: edition for edition in self.editions}
        self._by_version = {(edition.type, edition.version): edition for edition in self.editions}

    def by_id(self, schema_id: int) -> Edition:
        """The edition with this id; to go on without it would lose the event."""
        edition = self._by_id.get(schema_id)
        if edition is None:
            raise UnknownSchema(
                f"schema id {schema_id} is unknown here (known: {len(self.editions)} editions, "
                f"the highest id is {self.editions[-1].id if self.editions else 0}); "
                f"deploy the schemas first"
            )
        return edition

    def current(self, event_type: str) -> Edition:
        """The edition that this code writes for a type."""
        model = self.model(event_type)
        edition = self._by_version.get((event_type, model.about.version))
        if edition is None:
            raise UnknownSchema(
                f"{event_type} v{model.about.version} is not released; "
                f"run `genoflow schemas export` and commit schemas/"
            )
        return edition

    def model(self, event_type: str) -> type[Event]:
        """The class of a type."""
        model = self.models.get(event_type)
        if model is None:
            raise UnknownSchema(f"{event_type} is no event here; the catalogue is docs/events.md")
        return model


def read_editions() -> tuple[Edition, ...]:
    """Every released schema, as the lock lists it."""
    room = files("genoflow.schemas")
    lock = json.loads(room.joinpath(LOCK_NAME).read_text())
    return tuple(
        Edition(row["id"], row["type"], row["version"], text)
        for row in lock["editions"]
        for text in [room.joinpath(file_name(row["type"], row["version"])).read_text()]
    )


@functools.cache
def released() -> Registry:
    """The registry of this release, read once a process."""
    return Registry(read_editions(), EVENTS)
