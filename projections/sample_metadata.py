"""Metadata of samples: what is said of each now, and by which schema it was checked.

They have a table of their own beside the samples: 50 kB of them would else be written anew with
every event of their sample, and stand in every list.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.projections.as_of import relation
from genoflow.projections.paging import Found, Where, one
from genoflow.projections.row import Json, Row, Table, as_json
from genoflow.projections.store import Connection

Value = str | bool | int | float


@dataclass(frozen=True, slots=True)
class SampleMetadataRow(Row):
    """All metadata of a sample, as they were said last."""

    sample_id: str
    metadata: Json  # an object of texts, numbers, and yes or no, by their names
    since: datetime
    project_id: str | None  # whose schema counted
    schema_id: str | None
    schema_version: str | None
    schema_sha256: str | None


METADATA = Table(
    "sample_metadata", SampleMetadataRow, ("sample_id",),
    indexes=("using gin (metadata jsonb_path_ops)",),
)  # fmt: skip


def values_in(fact: SampleMetadataAmended) -> dict[str, Value]:
    """What a fact says, as the JSON object that a person would write."""
    found: dict[str, Value] = {}
    for said in fact.metadata:
        if said.flag is not None:
            found[said.name] = said.flag
        elif said.number is not None:
            is_whole = float(said.number).is_integer()
            found[said.name] = int(said.number) if is_whole else said.number
        elif said.text is not None:
            found[said.name] = said.text
    return found


def metadata_row(fact: SampleMetadataAmended) -> SampleMetadataRow:
    """The row that a fact leaves."""
    return SampleMetadataRow(
        sample_id=fact.sample_id,
        metadata=as_json(values_in(fact)),
        since=fact.envelope.occurred_at,
        project_id=fact.project_id,
        schema_id=fact.schema_id,
        schema_version=fact.schema_version,
        schema_sha256=fact.schema_sha256,
    )


async def metadata_of(
    connection: Connection, sample_id: str, *, at: Vector | None = None
) -> Found | None:
    """All metadata of a sample; None where nobody has said any."""
    found = await one(connection, METADATA, Where().add("sample_id = {}", sample_id), at)
    return None if found is None else {**found, "metadata": json.loads(found["metadata"])}


def add_metadata(where: Where, asked: Sequence[str], at: Vector | None) -> Where:
    """That a sample has each of these, written NAME:VALUE; Refused where one is not."""
    for text in asked:
        name, mark, value = text.partition(":")
        if not name or not mark:
            raise Refused(f"metadata: {text!r:.80} is no NAME:VALUE; write tissue:blood")
        objects = [as_json({name: meant}) for meant in _meant(value)]
        where.add(
            f"samples.sample_id in (select sample_id from {relation(METADATA, at)} "
            f"where metadata @> any({{}}::jsonb[]))",
            objects,
        )
    return where


def _meant(value: str) -> list[Any]:
    """What a word in an address may mean: itself, and the number or the yes or no that it is."""
    try:
        number = json.loads(value)
    except ValueError:
        return [value]
    is_scalar = isinstance(number, bool | int | float) and math.isfinite(number)
    return [value, number] if is_scalar else [value]
