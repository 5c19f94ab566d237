"""The catalog as the log holds it: every version of every document, the first of each counts.

A small reader for effects and commands. It reads the topic to its end before each answer and keeps
what it has read, so an answer costs what is new. The read models take it over.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.processors.ports import Document, OfAssay

AnyDocument = (
    MetadataSchemaPublished
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
}
# A lab has some hundred versions. The largest document is a pipeline of two texts of 64 kB, so
# 5,000 of them are 640 MB at the very worst and 10 MB as they are.
DOCUMENTS_MAX = 5_000


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
        self._found: dict[tuple[str, str], tuple[Any, AnyDocument]] = {}
        self._reading = asyncio.Lock()

    async def documents(self) -> list[AnyDocument]:
        """Every version of every document, in the order in which they were published."""
        async with self._reading:
            await self._catch_up()
        return [document for _, document in sorted(self._found.values(), key=lambda row: row[0])]

    async def find(
        self, kind: type[Document], document_id: str, version: str | None = None
    ) -> Document | None:
        """This version of a document, its highest where none is named; None where there is none."""
        found = [
            one
            for one in await self.documents()
            if isinstance(one, kind) and one.document_id == document_id
        ]
        if version is not None:
            found = [one for one in found if order_of(one.version) == order_of(version)]
        return max(found, key=lambda one: order_of(one.version), default=None)

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
        """The highest version of each document, in the order in which they came into force."""
        highest: dict[str, Document] = {}
        for one in await self.documents():
            if not isinstance(one, kind):
                continue
            known = highest.get(one.document_id)
            if known is None or order_of(one.version) > order_of(known.version):
                highest.pop(one.document_id, None)
                highest[one.document_id] = one
        return list(highest.values())

    async def _catch_up(self) -> None:
        name = topics.CATALOG.name
        start = self._next or await self._log.starts(name)
        stop = await self._log.ends(name)
        async with aclosing(self._log.read(start, stop)) as records:
            async for record in records:
                document = record.event
                if not isinstance(document, AnyDocument):
                    continue  # another fact about a document
                place = (record.recorded_at, record.topic, record.partition, record.offset)
                self._found.setdefault((document.document_id, document.version), (place, document))
                if len(self._found) > DOCUMENTS_MAX:
                    raise Refused(
                        f"{name}: holds more than {DOCUMENTS_MAX:,} versions of documents, more "
                        f"than this reader keeps; raise DOCUMENTS_MAX in deploy/catalog.py"
                    )
        self._next = stop
