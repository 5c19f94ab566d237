"""A read model built anew beside the one that readers see, compared with it, and put in its place.

    1. empty tables in a schema of their own;
    2. they are fed from offset 0 to where the log ends, as often as it takes;
    3. both builds are compared as of one position, which the live one has reached;
    4. with the live one held, the new one is fed to where that is, and the views are switched.

Readers see the old rows until the moment of the switch, and the new ones from then on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genoflow.events.codec import Codec
from genoflow.events.errors import Refused
from genoflow.events.log.port import EventLog, Vector
from genoflow.projections.as_of import relation
from genoflow.projections.model import AnyModel
from genoflow.projections.row import Table
from genoflow.projections.runner import Told, catch_up, ends_of
from genoflow.projections.store import (
    Build,
    Connection,
    begin_build,
    drop_build,
    live_build,
    position,
    prepare,
    show,
)

CHANGES_SHOWN_MAX = 20
# What is left to read before readers are held: at 10,000 events a second that is a tenth of one.
CLOSE_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """A row that is another one in the new build, and the events that both rows speak of."""

    table: str
    key: dict[str, Any]
    before: dict[str, Any] | None  # the columns that differ; None where there is no row
    after: dict[str, Any] | None
    because: str  # the place of the newest event behind it


@dataclass(slots=True)
class Comparison:
    """Two builds at one position of the log."""

    rows: int = 0
    changed: int = 0
    examples: list[Change] = field(default_factory=list)
    sha256: dict[str, str] = field(default_factory=dict)  # of the new rows, by table


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    before: Build
    build: Build
    comparison: Comparison
    records: int


async def rebuild(
    log: EventLog,
    codec: Codec,
    connection: Connection,
    model: AnyModel,
    tell: Told,
    *,
    said: Mapping[str, str],
) -> Rebuilt:
    """Build a read model anew from the log, compare it, and switch readers to it.

    `said` (who, and why) is kept beside what was found, until `ProjectionCutOver` tells it.
    """
    before, build = await _beside(connection, model)
    try:
        count = await _fill(log, codec, connection, build, tell)
        comparison = await _compare_now(connection, before, build)
        tell(f"{comparison.changed:,} of {comparison.rows:,} rows differ; switching")
        async with connection.transaction():
            held = await _hold(connection, before)
            count += await catch_up(log, codec, connection, [build], held)
            await show(connection, build)
            await connection.execute(
                "update gf.builds set cut_over = $2::jsonb where build = $1",
                build.name, json.dumps(_cut_over(before, build, comparison) | dict(said)),
            )  # fmt: skip
    except BaseException:
        await drop_build(connection, build.name)
        raise
    return Rebuilt(before, build, comparison, count)


async def rehearse(
    log: EventLog, codec: Codec, connection: Connection, model: AnyModel, tell: Told
) -> Rebuilt:
    """Build a read model anew and compare it as `rebuild` does; readers see what they saw."""
    before, build = await _beside(connection, model)
    try:
        count = await _fill(log, codec, connection, build, tell)
        return Rebuilt(before, build, await _compare_now(connection, before, build), count)
    finally:
        await drop_build(connection, build.name)


async def _beside(connection: Connection, model: AnyModel) -> tuple[Build, Build]:
    """The build that readers see, and a new one with nothing in it."""
    await prepare(connection)
    before = await live_build(connection, model)
    async with connection.transaction():
        return before, await begin_build(connection, model)


def _cut_over(before: Build, build: Build, found: Comparison) -> dict[str, Any]:
    hashes = "".join(found.sha256[name] for name in sorted(found.sha256))
    return {
        "read_model": build.model.name,
        "build": build.name,
        "build_before": before.name,
        "model_version": build.version,
        "model_version_before": before.version,
        "compared_rows": found.rows,
        "changed_rows": found.changed,
        "rows_sha256": hashlib.sha256(hashes.encode()).hexdigest(),
    }


async def _fill(
    log: EventLog, codec: Codec, connection: Connection, build: Build, tell: Told
) -> int:
    count = 0
    while True:
        ends = await ends_of(log, [build.model])
        done = await catch_up(log, codec, connection, [build], ends)
        count += done
        tell(f"{build.name}: {count:,} records read")
        if done <= CLOSE_RECORDS:
            return count


async def _compare_now(connection: Connection, before: Build, build: Build) -> Comparison:
    # Where the live one is; the new one has read at least as far, unless the live one has moved
    # since: then it is compared where it is itself.
    live, new = await position(connection, before), await position(connection, build)
    at = {place: min(offset, new.get(place, 0)) for place, offset in live.items()}
    return await compare(connection, before, build, at)


async def _hold(connection: Connection, build: Build) -> Vector:
    rows = await connection.fetch(
        "select topic, partition, next_offset from gf.positions where build = $1 for update",
        build.name,
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def compare(connection: Connection, before: Build, build: Build, at: Vector) -> Comparison:
    """Hold all rows of two builds against each other, as of one position."""
    found = Comparison()
    for table in build.model.tables:
        columns = await _common_columns(connection, before, build, table)
        old, new = (relation(table, at, schema=one.name) for one in (before, build))
        if not columns:
            old = f"(select * from {build.name}.{table.name} where false) {table.name}"
            columns = [one.name for one in table.columns]
        await _compare_table(connection, table, columns, old, new, found)
    return found


async def _common_columns(
    connection: Connection, before: Build, build: Build, table: Table
) -> list[str]:
    rows = await connection.fetch(
        """
        select a.column_name as name from information_schema.columns a
        join information_schema.columns b using (table_name, column_name)
        where a.table_schema = $1 and b.table_schema = $2 and a.table_name = $3
        order by a.ordinal_position
        """,
        before.name, build.name, table.name,
    )  # fmt: skip
    names = [row["name"] for row in rows]
    missing = set(table.key) - set(names)
    if names and missing:
        raise Refused(
            f"{build.model.name}: the key of {table.name} is another one now "
            f"({', '.join(sorted(missing))}), so rows cannot be compared; give the table a new name"
        )
    return names


async def _compare_table(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    old: str,
    new: str,
    found: Comparison,
) -> None:
    key = ", ".join(table.key)
    before, after = (", ".join(f"{side}.{one}" for one in columns) for side in ("a", "b"))
    first = table.key[0]
    pairs = f"(select * from {old}) a full join (select * from {new}) b using ({key}) "
    differ = (
        f"(a.{_mark(columns, table)} is null or b.{_mark(columns, table)} is null "
        f"or ({before}) is distinct from ({after}))"
    )
    [counts] = await connection.fetch(
        f"select count(*) as rows, count(*) filter (where {differ}) as changed from {pairs}"
    )
    found.rows += counts["rows"]
    found.changed += counts["changed"]
    [hashed] = await connection.fetch(
        f"select encode(sha256(convert_to(coalesce(string_agg(md5(t::text), '' order by {key}), "
        f"''), 'UTF8')), 'hex') as it from (select * from {new}) t"
    )
    found.sha256[table.name] = hashed["it"]
    room = CHANGES_SHOWN_MAX - len(found.examples)
    if counts["changed"] and room > 0:
        rows = await connection.fetch(
            f"select to_jsonb(a) as before, to_jsonb(b) as after from {pairs} where {differ} "
            f"order by {first} limit {room}"
        )
        found.examples += [_change(table, row["before"], row["after"]) for row in rows]


def _mark(columns: Sequence[str], table: Table) -> str:
    # A column that is never null where there is a row, and is not merged by the join.
    return next(
        one for one in ("event_id", "log_offset") if one in columns and one not in table.key
    )


def _change(table: Table, before: str | None, after: str | None) -> Change:
    old = json.loads(before) if before else None
    new = json.loads(after) if after else None
    whole = new or old
    assert whole is not None
    names = [n for n in whole if (old or {}).get(n) != (new or {}).get(n) and n not in table.key]
    place = f"{whole['log_topic']}[{whole['log_partition']}]@{whole['log_offset']}"
    return Change(
        table.name,
        {name: whole[name] for name in table.key if name in whole},
        {name: old.get(name) for name in names} if old else None,
        {name: new.get(name) for name in names} if new else None,
        f"{place}, event {whole.get('event_id')}",
    )
