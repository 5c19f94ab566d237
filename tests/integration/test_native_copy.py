"""Rows that were made without Python's objects, in a real Postgres: what was written is read."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import Codec
from genoflow.events.registry import released
from genoflow.native import batch
from genoflow.native.copy_fields import copy_stream
from genoflow.native.program import copy_program
from tests.avro_values import Values, numbered, wire
from tests.examples import example

TYPES: Any = {
    "type": "record", "name": "Types", "namespace": "tests", "fields": [
        {"name": "a_text", "type": "string"},
        {"name": "a_bigint", "type": "long"},
        {"name": "an_int", "type": "int"},
        {"name": "a_double", "type": ["null", "double"]},
        {"name": "a_boolean", "type": "boolean"},
        {"name": "a_moment", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "an_id", "type": ["null", {"type": "string", "logicalType": "uuid"}]},
        {"name": "a_list", "type": {"type": "array", "items": "double"}},
    ],
}  # fmt: skip
COLUMNS = (
    ("a_text", "text"), ("a_bigint", "bigint"), ("an_int", "int"), ("a_double", "double precision"),
    ("a_boolean", "boolean"), ("a_moment", "timestamptz"), ("an_id", "uuid"), ("a_list", "jsonb"),
)  # fmt: skip
ROWS = 200


@pytest.fixture(params=["as installed", "the twin"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with what set-up could build, and once with the twin."""
    if request.param == "the twin":
        monkeypatch.setattr(batch, "_rust", None)


@pytest.fixture
async def connection(postgres_url: str) -> Any:
    """A connection to an empty database."""
    opened = await asyncpg.connect(postgres_url)
    yield opened
    await opened.close()


async def copied(connection: Any, table: str, columns: list[str], bodies: list[bytes]) -> None:
    """Give Postgres these rows as one binary stream."""

    async def source() -> Any:
        yield copy_stream(bodies)

    await connection.copy_to_table(table, source=source(), columns=columns, format="binary")


@pytest.mark.usefixtures("engine")
async def test_every_type_comes_back_as_it_was_written(connection: Any) -> None:
    made = Values("copy")
    given = [made.of(TYPES) for _ in range(ROWS)]
    values = [wire(1, TYPES, one) for one in given]
    rows = batch.copy_rows(values, {1: copy_program(TYPES, COLUMNS)}, numbered(range(ROWS)))
    assert (rows.faults, rows.found[1].records) == ([], list(range(ROWS)))
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
    await connection.execute(f"create temp table types (number bigint, {declared})")
    names = ["number", *(name for name, _ in COLUMNS)]
    await copied(connection, "types", names, [rows.found[1].body])
    found = await connection.fetch(
        "select *, (extract(epoch from a_moment) * 1000000)::bigint as micros, "
        "an_id::text as id from types order by number"
    )
    for row, one in zip(found, given, strict=True):
        plain = ("a_text", "a_bigint", "an_int", "a_double", "a_boolean")
        assert [row[name] for name in plain] == [one[name] for name in plain]
        assert (row["micros"], row["id"]) == (one["a_moment"], one["an_id"])
        assert json.loads(row["a_list"], parse_int=float) == one["a_list"]


@pytest.mark.usefixtures("engine")
async def test_types_that_interleave_land_in_one_table_by_one_stream(connection: Any) -> None:
    codec, registry = Codec(released()), released()
    events = [example(model, seed) for seed in range(3) for model in EVENTS]
    values = [codec.encode(event)[0] for event in events]
    columns = (
        ("envelope.event_id", "uuid"), ("envelope.type", "text"), ("envelope.subject", "text"),
        ("envelope.occurred_at", "timestamptz"), ("envelope.causation_id", "uuid"), ("", "jsonb"),
    )  # fmt: skip
    current = [registry.current(model.type()) for model in EVENTS]
    programs = {one.id: copy_program(json.loads(one.text), columns) for one in current}
    rows = batch.copy_rows(values, programs, numbered(range(len(values))))
    assert (rows.others, rows.faults) == ({}, [])
    await connection.execute(
        "create temp table told (record bigint primary key, event_id uuid, type text, "
        "subject text, occurred_at timestamptz, causation_id uuid, said jsonb)"
    )
    names = ["record", "event_id", "type", "subject", "occurred_at", "causation_id", "said"]
    await copied(connection, "told", names, [one.body for one in rows.found.values()])
    found = await connection.fetch("select * from told order by record")
    for row, event in zip(found, events, strict=True):
        envelope = event.envelope
        assert (row["event_id"], row["type"], row["subject"]) == (
            envelope.event_id, envelope.type, envelope.subject,
        )  # fmt: skip
        assert (row["occurred_at"], row["causation_id"]) == (
            envelope.occurred_at, envelope.causation_id,
        )  # fmt: skip
        body = event.model_dump(mode="json")
        assert json.loads(row["said"]) == {"envelope": envelope.model_dump(mode="json"), **body}
