"""Rows as they were: at a position of the log, or at a recorded time, which is such a position."""

from __future__ import annotations

from datetime import datetime

from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.projections.audit_trail import vector_at
from genoflow.projections.row import Table
from genoflow.projections.store import Connection
from genoflow.projections.within import Within

TIMES = """
create table if not exists gf.times (
    recorded_at timestamptz not null,
    topic       text not null,
    partition   integer not null,
    next_offset bigint not null,
    primary key (recorded_at, topic, partition)
)
"""


def relation(table: Table, at: Vector | None = None, *, schema: str = "live") -> str:
    """What to select from, under the name of the table: its rows now, or at a position.

    Within some projects it is only the rows of these.
    """
    if isinstance(at, Within):
        inner = relation(table, at.position, schema=schema)
        return f"(select {at.columns(table)} from {inner} where {at.condition(table)}) {table.name}"
    if at is None:
        return f"{schema}.{table.name} {table.name}"
    # A vector holds names of our topics and whole numbers, and nothing that anybody typed.
    bounds = ", ".join(
        f"('{topic}', {int(partition)}, {int(offset)}::bigint)"
        for (topic, partition), offset in sorted(at.items())
    )
    bounds = bounds or "('', 0, 0::bigint)"
    then = (
        f"from {schema}.{table.history or table.name} h "
        f"join (values {bounds}) b(topic, partition, next_offset) on b.topic = h.log_topic "
        f"and b.partition = h.log_partition and h.log_offset < b.next_offset"
    )
    if table.is_append_only:  # a row has one version, and its indexes serve
        return f"(select h.* {then}) {table.name}"
    key = ", ".join(f"h.{name}" for name in table.key)
    return f"(select distinct on ({key}) h.* {then} order by {key}, h.log_offset desc) {table.name}"


async def position_at(connection: Connection, time: datetime) -> Vector:
    """Where the log was at a recorded time: the same answer whenever it is asked.

    It is looked up once and kept. Refused where the rows have not come as far as that time: what is
    still to be recorded may belong before it.
    """
    async with connection.transaction():
        await connection.execute(TIMES)
        kept = await _kept(connection, time)
        if kept:
            return kept
        [newest] = await connection.fetch("select max(recorded_at) as at from live.events")
        if newest["at"] is None or newest["at"] <= time:
            raise Refused(
                f"{time.isoformat()}: the newest event that is known here was recorded at "
                f"{newest['at'].isoformat() if newest['at'] else 'no time'}; ask for an earlier "
                f"time, or for what holds now"
            )
        found = await vector_at(connection, time)
        await connection.executemany(
            "insert into gf.times values ($1, $2, $3, $4) on conflict do nothing",
            [(time, topic, partition, offset) for (topic, partition), offset in found.items()],
        )
    return found


async def _kept(connection: Connection, time: datetime) -> Vector:
    rows = await connection.fetch(
        "select topic, partition, next_offset from gf.times where recorded_at = $1", time
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
