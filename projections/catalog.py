"""The catalog: every version of every document, which of them is in force, and for what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from genoflow.events import topics
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.projections.as_of import relation
from genoflow.projections.document_states import IN_FORCE, LIFE, Change, order_of, published
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, one, page
from genoflow.projections.row import Json, Row, Table, as_json
from genoflow.projections.store import Connection

KINDS: Mapping[type[Event], str] = {
    QcProfilePublished: "qc-profile", ReferencePublished: "reference",
    TargetSetPublished: "target-set", PipelinePublished: "pipeline",
    RetentionPublished: "retention", MetadataSchemaPublished: "metadata-schema",
    ConfigurationSaved: "configuration", AlertRulesPublished: "alert-rules",
}  # fmt: skip
# The lists of a document by which it is looked for, and what one of their values is.
LISTS = {"assays": "assay", "materials": "material", "case_kinds": "case kind"}
OF_PIPELINE = "pipeline"  # of a configuration: whose it is


@dataclass(frozen=True, slots=True)
class DocumentRow(Row):
    """One version of a document; the highest one is in force, of pipelines the active one."""

    document_id: str
    version: str
    kind: str
    title: str
    state: str
    since: datetime
    published_at: datetime
    published_by: str
    version_order: str  # compares as versions do: 1.10 is above 1.9, and 2 is 2.0
    reference: str | None  # the build to which a target set belongs


@dataclass(frozen=True, slots=True)
class DocumentUseRow(Row):
    """One assay, material or kind of case that a version is for."""

    document_id: str
    version: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class DocumentContentRow(Row):
    """The whole of a version, as it was published."""

    document_id: str
    version: str
    content: Json


DOCUMENTS = Table("documents", DocumentRow, ("document_id", "version"), indexes=("(kind, state)",))
USES = Table(
    "document_uses", DocumentUseRow, ("document_id", "version", "kind", "value"),
    is_append_only=True, indexes=("(kind, value)",),
)  # fmt: skip
CONTENTS = Table(
    "document_contents", DocumentContentRow, ("document_id", "version"), is_append_only=True
)

Versions = dict[str, DocumentRow]


class Catalog(ReadModel[Versions]):
    """A row a version of a document; the first one under a version counts."""

    name = "documents"  # the porch through which they come is called catalog
    about = "pipelines, profiles, references, target sets and retention, and what is in force"
    reads = (topics.CATALOG,)
    tables = (DOCUMENTS, USES, CONTENTS)

    def begin(self, _: str) -> Versions:
        """Nothing was published."""
        return {}

    def project(self, state: Versions, record: Recorded) -> Iterable[Row]:
        """The version that was published or told of, and the one that it takes the place of."""
        event: Any = record.event
        kind = KINDS.get(type(event))
        if kind is not None:
            if event.version not in state:
                yield from _changed(state, event, kind, published)
                yield from _uses(event, event.version)
                yield DocumentContentRow(event.key, event.version, as_json(event.payload()))
        elif (change := LIFE.get(type(event))) is not None:
            yield from _changed(state, event, KINDS[PipelinePublished], change)


def _changed(state: Versions, event: Any, kind: str, change: Change) -> Iterator[Row]:
    states = {one.version: one.state for one in state.values() if one.kind == kind}
    for version, now in change(states, event).items():
        before = state.get(version) or _document(event, kind, now)
        state[version] = replace(before, state=now, since=event.envelope.occurred_at)
        yield state[version]


def _document(event: Any, kind: str, state: str) -> DocumentRow:
    at = event.envelope.occurred_at
    return DocumentRow(
        document_id=event.key, version=event.version, kind=kind, title=event.title,
        state=state, since=at, published_at=at, published_by=event.envelope.actor.id,
        version_order=order_of(event.version),
        reference=event.reference if isinstance(event, TargetSetPublished) else None,
    )  # fmt: skip


def _uses(event: Event, version: str) -> Iterator[DocumentUseRow]:
    for field, kind in LISTS.items():
        for value in dict.fromkeys(getattr(event, field, ())):
            yield DocumentUseRow(event.key, version, kind, value)
    if isinstance(event, ConfigurationSaved):
        yield DocumentUseRow(event.key, version, OF_PIPELINE, event.pipeline)


# -- queries

ORDER = ("document_id", "version_order", "version")
# What was published last comes first, in the order of the log.
NEWEST = "recorded_at desc, log_partition desc, log_offset desc"


async def document_of(
    connection: Connection,
    document_id: str,
    version: str | None = None,
    *,
    at: Vector | None = None,
) -> Found | None:
    """One version of a document, the highest where none is named."""
    where = Where().add("document_id = {}", document_id)
    if version is None:
        where.add("state = {}", IN_FORCE)
    else:
        where.add("version_order = {}", order_of(version))
    select = f"select * from {relation(DOCUMENTS, at)}"
    found = await page(connection, select, where, ORDER, after=None, limit=1)
    return found[0] if found else None


async def content_of(
    connection: Connection, document_id: str, version: str, *, at: Vector | None = None
) -> dict[str, Any] | None:
    """The whole of a version."""
    where = Where().add("document_id = {}", document_id).add("version = {}", version)
    found = await one(connection, CONTENTS, where, at)
    if found is None:
        return None
    content: dict[str, Any] = json.loads(found["content"])
    return content


async def default_for(
    connection: Connection,
    kind: str,
    assay: str,
    material: str | None = None,
    *,
    at: Vector | None = None,
) -> Found | None:
    """The document that was published last of those in force for an assay.

    Of pipelines those count that take the material, where one is named.
    """
    where = _where(at, kind, IN_FORCE, assay, material if kind == "pipeline" else None)
    rows = await connection.fetch(
        f"select * from {relation(DOCUMENTS, at)} {where} order by {NEWEST} limit 1", *where.values
    )
    return dict(rows[0]) if rows else None


def _where(
    at: Vector | None,
    kind: str | None,
    state: str | None,
    assay: str | None,
    material: str | None,
    document_id: str | None = None,
    version: str | None = None,
    states: Sequence[str] | None = None,
    pipeline: str | None = None,
) -> Where:
    used = (
        "(document_id, version) in (select document_id, version "
        f"from {relation(USES, at)} where kind = '{{}}' and value = {{{{}}}})"
    )
    return (
        Where().add("kind = {}", kind).add("state = {}", state)
        .add("document_id = {}", document_id)
        .add("version_order = {}", None if version is None else order_of(version))
        .add(used.format("assay"), assay)
        .add(used.format("material"), material)
        .add(used.format(OF_PIPELINE), pipeline)
        .add("state = any({}::text[])", None if states is None else [*states])
    )  # fmt: skip


async def list_documents(
    connection: Connection,
    *,
    kind: str | None = None,
    state: str | None = None,
    assay: str | None = None,
    material: str | None = None,
    document_id: str | None = None,
    version: str | None = None,
    states: Sequence[str] | None = None,
    pipeline: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Versions of documents, by name; of configurations those of a pipeline where one is named."""
    where = _where(at, kind, state, assay, material, document_id, version, states, pipeline)
    select = f"select * from {relation(DOCUMENTS, at)}"
    return await page(connection, select, where, ORDER, after=after, limit=limit)


async def count_documents(
    connection: Connection, *, kind: str | None = None, at: Vector | None = None
) -> dict[str, int]:
    """How many versions are in force, and how many are earlier ones."""
    return await counts(connection, DOCUMENTS, _where(at, kind, None, None, None), at)
