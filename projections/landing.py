"""How versions of rows get into a table: by COPY where they are many, by one statement where not.

COPY is the fast way for rows that are new, and all but a few are: versions for the history, and the
rows of a table that only grows. It cannot pass over a row that is there, or say which one is at
fault. So it runs in a savepoint, and where anything is refused, the statement has the last word.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import asyncpg

from genoflow.projections.row import Table, Version, newest

# What one row can be to blame for; anything else fails the whole batch, which is tried again.
ROW_FAULTS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # a text that is too long for an index
)
# What asyncpg raises of a value that is not of its column; in a statement it is a DataError.
NOT_ENCODED = (ValueError, TypeError, OverflowError, AttributeError)
# The savepoint is two round trips, 0.2 ms; a row costs 12 µs by COPY and 25 µs by a statement.
COPY_ROWS_MIN = 50
STATEMENTS_MAX = 100  # as many as asyncpg keeps prepared; 5 kB each


class Connection(Protocol):
    """What landing needs of asyncpg's connection."""

    async def execute(self, query: str, *args: Any) -> str: ...
    async def copy_records_to_table(
        self, table_name: str, *, records: Any, columns: Any = None, schema_name: Any = None
    ) -> str: ...
    async def copy_to_table(self, table_name: str, *, source: Any, **options: Any) -> str: ...
    def transaction(self) -> Any: ...


class NotReady(Exception):
    """Rows that cannot be made ready after all, and have to come the usual way."""


class Ready(NamedTuple):
    """New rows of a table that only grows, as one binary stream for COPY."""

    columns: Sequence[str]
    pieces: AsyncIterator[bytes]  # made as they are asked for; NotReady may come out of any


@dataclass(frozen=True, slots=True)
class Landing:
    """Versions of rows for a table of a build."""

    schema: str
    table: Table
    versions: Sequence[Version]


Insert = tuple[str, Table, bool, int]  # schema, table, whether its history, parameters before


def are_few(landings: Sequence[Landing]) -> bool:
    """Whether a statement with a list a column is as good as COPY for these."""
    return sum(len(one.versions) for one in landings) < COPY_ROWS_MIN


def inserts(landings: Sequence[Landing], before: int) -> tuple[tuple[Insert, ...], list[Any]]:
    """What writes these, behind so many parameters, and their own parameters."""
    found: list[Insert] = []
    values: list[Any] = []
    for one in landings:
        last = newest(one.table, one.versions)
        found.append((one.schema, one.table, False, before + len(values)))
        values += one.table.lists_of(last)
        if one.table.history is not None:
            place = found[-1][-1]
            if len(last) < len(one.versions):
                place = before + len(values)
                values += one.table.lists_of(one.versions)
            found.append((one.schema, one.table, True, place))
    return tuple(found), values


@lru_cache(maxsize=STATEMENTS_MAX)
def as_parts(found: Sequence[Insert]) -> str:
    """The same as parts of one statement, whose last word is its own."""
    texts = [
        table.insert_history(schema, before) if is_history else table.insert(schema, before)
        for schema, table, is_history, before in found
    ]
    return "".join(f", part_{number} as ({text})" for number, text in enumerate(texts))


async def land(
    connection: Connection, schema: str, table: Table, versions: Sequence[Version]
) -> None:
    """Put the newest of these versions into the table, and all of them into its history.

    Raises one of ROW_FAULTS where Postgres refuses a row; the transaction is to be given up then.
    """
    last = newest(table, versions)
    if table.is_append_only:
        await _added(connection, schema, table, table.name, last)
    else:
        await connection.execute(table.insert(schema), *table.lists_of(last))
    if table.history is not None:
        await _added(connection, schema, table, table.history, versions)


async def land_ready(connection: Connection, schema: str, table: Table, ready: Ready) -> None:
    """Put rows that are ready for COPY into a table; raises as `land` does, or what they raise."""
    await connection.copy_to_table(
        table.name, source=ready.pieces, columns=ready.columns, schema_name=schema, format="binary"
    )


async def _added(
    connection: Connection, schema: str, table: Table, name: str, versions: Sequence[Version]
) -> None:
    if len(versions) >= COPY_ROWS_MIN and await _copied(connection, schema, table, name, versions):
        return
    statement = table.insert_history if name == table.history else table.insert
    await connection.execute(statement(schema), *table.lists_of(versions))


async def _copied(
    connection: Connection, schema: str, table: Table, name: str, versions: Sequence[Version]
) -> bool:
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                name,
                records=table.records_of(versions),
                columns=[one.name for one in table.columns],
                schema_name=schema,
            )
    except (*ROW_FAULTS, *NOT_ENCODED):
        return False
    return True
