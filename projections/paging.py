"""What lists have in common: conditions with their values, pages by a key, and counts by state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.projections.as_of import relation
from genoflow.projections.row import Table
from genoflow.projections.store import Connection

LIMIT_DEFAULT = 100
LIMIT_MAX = 1_000  # rows of some 500 bytes: half a megabyte is one answer

Found = dict[str, Any]  # a row by its columns, its place on the log too


class Where:
    """Conditions that all have to hold; what is not asked for is none."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._conditions: list[str] = []

    def add(self, condition: str, *values: Any) -> Where:
        """One more, with `{}` where each value belongs; nothing where a value is None."""
        if None not in values:
            self._conditions.append(condition.format(*(self.value(one) for one in values)))
        return self

    def value(self, value: Any) -> str:
        """The name of a value in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"

    def __str__(self) -> str:
        return f"where {' and '.join(self._conditions)}" if self._conditions else ""


async def page(
    connection: Connection,
    select: str,
    where: Where,
    key: Sequence[str],
    *,
    after: Sequence[Any] | None,
    limit: int,
    offset: int = 0,
    newest_first: bool = False,
) -> list[Found]:
    """The next rows behind this key, in its order: none twice and none missed, while others come.

    That holds for a key that a row keeps, and without an offset; `limit` is at most LIMIT_MAX.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise Refused(f"limit {limit}: a page has 1 to {LIMIT_MAX:,} rows; ask for the next one")
    if after is not None:
        if len(after) != len(key):
            raise Refused(f"after {after!r}: a page goes on behind {', '.join(key)}")
        values = ", ".join(["{}"] * len(key))
        where.add(f"({', '.join(key)}) {'<' if newest_first else '>'} ({values})", *after)
    direction = " desc" if newest_first else ""
    order = ", ".join(f"{one}{direction}" for one in key)
    rows = await connection.fetch(
        f"{select} {where} order by {order} "
        f"limit {where.value(limit)} offset {where.value(offset)}",
        *where.values,
    )
    return [dict(row) for row in rows]


async def one(
    connection: Connection,
    table: Table,
    where: Where,
    at: Vector | None = None,
    *,
    columns: str = "*",
) -> Found | None:
    """The one row of which this is so."""
    rows = await connection.fetch(
        f"select {columns} from {relation(table, at)} {where}", *where.values
    )
    return dict(rows[0]) if rows else None


async def counts(
    connection: Connection, table: Table, where: Where, at: Vector | None = None
) -> dict[str, int]:
    """How many rows are in each state."""
    rows = await connection.fetch(
        f"select state, count(*) as number from {relation(table, at)} {where} "
        f"group by state order by state",
        *where.values,
    )
    return {row["state"]: row["number"] for row in rows}
