"""The catalog as the log holds it: every version of every document, the first of each counts.

A small reader for effects and commands. It reads the topic to its end before each answer and keeps
what it has read, so an answer costs what is new. The read models take it over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

from genoflow.events import topics
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.processors.catalogued import Document, OfAssay
from genoflow.projections.document_states import IN_FORCE, LIFE, STATUSES, Change, published

AnyDocument = (
    AlertRulesPublished
    | ConfigurationSaved
    | MetadataSchemaPublished
    | PipelinePublished
    | QcProfilePublished
    | ReferencePublished
    | RetentionPublished
    | TargetSetPublished
)
KINDS: dict[str, type[AnyDocument]] = {
    "qc-profile": QcProfilePublished,
    "reference": ReferencePublished,
    "target-set": TargetSetPublished,
    "pipeline": PipelinePublished,
    "retention": RetentionPublished,
    "metadata-schema": MetadataSchemaPublished,
    "configuration": ConfigurationSaved,
    "alert-rules": AlertRulesPublished,
}
# A lab has some hundred versions. The largest document is a pipeline of two texts of 64 kB, so
# 5,000 of them are 640 MB at the very worst and 10 MB as they are.
DOCUMENTS_MAX = 5_000


Place = tuple[datetime, str, int, int]  # recorded at, topic, partition, offset


def kind_of(document: Event) -> str:
    """What people call this kind of document."""
    return next(name for name, kind in KINDS.items() if isinstance(document, kind))


def order_of(version: str) -> tuple[int, ...]:
    """By which versions are compared: 1.10 comes after 1.9, and 2 is 2.0."""
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def takes(document: Event, material: str | None) -> bool:
    """Whether it is for this material: a pipeline says for which it is, any other is for all."""
    if material is None or not isinstance(document, PipelinePublished):
        return True
    return material in document.materials


class LogCatalog:
    """CatalogReader over the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._next: Vector = {}
        self._found: dict[tuple[str, str], tuple[Place, AnyDocument]] = {}
        # Of each kind and name: versions with their states, and since when each is so.
        self._states: dict[tuple[type[Event], str], dict[str, str]] = {}
        self._since: dict[tuple[str, str], Place] = {}
        self._passed: dict[tuple[str, str], PipelineValidated] = {}
        self._told: set[UUID] = set()  # what happened to pipelines, each of it once
        self._reading = asyncio.Lock()

    async def documents(self) -> list[AnyDocument]:
        """Every version of every document, in the order in which they were published."""
        async with self._reading:
            await self._catch_up()
        return [document for _, document in sorted(self._found.values(), key=lambda row: row[0])]

    async def find(
        self, kind: type[Document], document_id: str, version: str | None = None
    ) -> Document | None:
        """This version of a document; where none is named, the one that is in force.

        That is the highest, of pipelines among those that are active. None where there is none.
        """
        found = await self.in_force(kind) if version is None else await self.documents()
        named = [one for one in found if isinstance(one, kind) and one.document_id == document_id]
        if version is not None:
            named = [one for one in named if order_of(one.version) == order_of(version)]
        return named[0] if named else None

    async def standing(self, pipeline: str) -> Mapping[str, str]:
        """Each version of a pipeline with its status: draft, validated, active or deprecated."""
        await self.documents()
        states = self._states.get((PipelinePublished, pipeline), {})
        return {version: STATUSES[state] for version, state in states.items()}

    async def default_for(
        self, kind: type[OfAssay], assay: str, material: str | None = None
    ) -> OfAssay | None:
        """The document that was published last of those in force for an assay.

        Of pipelines those count that take the material, where one is named.
        """
        found = await self.in_force(kind)
        fitting = [one for one in found if assay in one.assays and takes(one, material)]
        return fitting[-1] if fitting else None

    async def in_force(self, kind: type[Document]) -> list[Document]:
        """The version of each document that counts, in the order in which they came into force."""
        await self.documents()
        found = [
            (self._since[document_id, version], document)
            for (document_id, version), (_, document) in self._found.items()
            if isinstance(document, kind)
            and self._states[kind, document_id].get(version) == IN_FORCE
        ]
        return [document for _, document in sorted(found, key=lambda row: row[0])]

    async def passed(self, pipeline: str, version: str) -> PipelineValidated | None:
        """The last test of a version that passed; None where none has."""
        await self.documents()
        return self._passed.get((pipeline, version))

    async def active(self) -> dict[str, str]:
        """The active version of each pipeline that has one."""
        return {one.document_id: one.version for one in await self.in_force(PipelinePublished)}

    async def _catch_up(self) -> None:
        name = topics.CATALOG.name
        start = self._next or await self._log.starts(name)
        stop = await self._log.ends(name)
        async with aclosing(self._log.read(start, stop)) as records:
            async for record in records:
                event = record.event
                place = (record.recorded_at, record.topic, record.partition, record.offset)
                if isinstance(event, AnyDocument):
                    self._publish(event, place)
                elif (change := LIFE.get(type(event))) is not None:
                    self._tell(event, change, place)
        self._next = stop

    def _publish(self, document: AnyDocument, place: Place) -> None:
        named = (document.document_id, document.version)
        if named in self._found:
            return  # the first one under a version counts
        self._found[named] = (place, document)
        if len(self._found) > DOCUMENTS_MAX:
            raise Refused(
                f"{topics.CATALOG.name}: holds more than {DOCUMENTS_MAX:,} versions of documents, "
                f"more than this reader keeps; raise DOCUMENTS_MAX in deploy/catalog.py"
            )
        self._change(type(document), document, published, place)

    def _tell(self, event: Event, change: Change, place: Place) -> None:
        if event.envelope.event_id in self._told:
            return
        self._told.add(event.envelope.event_id)
        if isinstance(event, PipelineValidated):
            self._passed[event.document_id, event.version] = event
        self._change(PipelinePublished, event, change, place)

    def _change(self, kind: type[Event], event: Event, change: Change, place: Place) -> None:
        states = self._states.setdefault((kind, event.key), {})
        for version, state in change(states, event).items():
            states[version] = state
            self._since[event.key, version] = place
