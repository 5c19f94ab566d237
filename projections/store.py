"""Rows and position in one transaction: a read model is never ahead of or behind what it says.

A batch is written only if the stored position is still the one that the batch began at. So two
runners of one read model cannot both write, and a record that is read twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded

POSITIONS = """
create table if not exists gf_positions (
    projection  text    not null,
    topic       text    not null,
    partition   integer not null,
    next_offset bigint  not null,
    primary key (projection, topic, partition)
)
"""


class Connection(Protocol):
    """What a read model needs of asyncpg's connection."""

    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Any) -> None: ...
    async def fetch(self, query: str, *args: Any) -> list[Any]: ...
    def transaction(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, and the offsets on both sides of them."""

    topic: str
    partition: int
    begins_at: int
    ends_at: int
    records: Sequence[Recorded]


class Projection(Protocol):
    """A read model: its name, its table, and how records become rows."""

    name: str
    schema: str
    tables: tuple[str, ...]

    async def write(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """Fold these records into the rows; a repeated event changes nothing."""


async def prepare(connection: Connection, projection: Projection) -> None:
    """Create the tables of a read model where they are missing."""
    await connection.execute(POSITIONS)
    await connection.execute(projection.schema)


async def position(connection: Connection, projection: Projection) -> Vector:
    """The next offset of every partition that the read model has read from."""
    rows = await connection.fetch(
        "select topic, partition, next_offset from gf_positions where projection = $1",
        projection.name,
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def apply(connection: Connection, projection: Projection, batch: Batch) -> bool:
    """Write the rows of a batch and its position together; False where another was faster."""
    async with connection.transaction():
        if not await _advance(connection, projection.name, batch):
            return False
        await projection.write(connection, batch.records)
    return True


async def _advance(connection: Connection, name: str, batch: Batch) -> bool:
    moved = await connection.fetch(
        """
        insert into gf_positions as p (projection, topic, partition, next_offset)
        select $1, $2, $3, $5 where $4 = 0 or exists (
            select from gf_positions where projection = $1 and topic = $2 and partition = $3)
        on conflict (projection, topic, partition) do update set next_offset = excluded.next_offset
        where p.next_offset = $4
        returning next_offset
        """,
        name, batch.topic, batch.partition, batch.begins_at, batch.ends_at,
    )  # fmt: skip
    return bool(moved)


async def forget(connection: Connection, projection: Projection) -> None:
    """Empty a read model: its rows and its position, so that the next run builds it anew."""
    async with connection.transaction():
        await prepare(connection, projection)
        await connection.execute("delete from gf_positions where projection = $1", projection.name)
        for table in projection.tables:
            await connection.execute(f"truncate {table}")
