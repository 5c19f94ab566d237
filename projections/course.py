"""Figures over time: how many rows were in a state at each of some moments, from their histories.

A row counts from the moment at which the log took the event behind it until the one of its next
version. Each history is read once, however many moments there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from genoflow.events.errors import Refused
from genoflow.projections.row import Table
from genoflow.projections.store import Connection

POINTS_MAX = 500  # of one answer: a screen shows no more


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments in equal steps, the first one too."""

    start: datetime
    step: timedelta
    number: int

    def __post_init__(self) -> None:
        """Refused where there are more than one answer holds."""
        if not 1 <= self.number <= POINTS_MAX:
            raise Refused(
                f"{self.number:,} moments: one answer holds 1 to {POINTS_MAX}; take longer steps, "
                f"or a shorter time"
            )

    @property
    def all(self) -> list[datetime]:
        """Each of them, in order."""
        return [self.start + number * self.step for number in range(self.number)]

    @property
    def end(self) -> datetime:
        """The last one."""
        return self.start + (self.number - 1) * self.step


# The first moment that is not before this time, counted from 0.
_FIRST = "greatest(0, ceil(extract(epoch from {at} - $1::timestamptz) / $2::float8))::bigint"


async def course_of(
    connection: Connection, table: Table, condition: str, moments: Moments, *values: Any
) -> list[int]:
    """At each moment, how many rows of a table were as the condition says; its values are $4 on."""
    key = ", ".join(table.key)
    rows = await connection.fetch(
        f"""
        with versions as (
            select {key}, recorded_at, log_offset, ({condition}) as counts
            from live.{table.history} where recorded_at <= $3
        ), changes as (
            select recorded_at, counts::int - coalesce(
                lag(counts::int) over (partition by {key} order by log_offset), 0
            ) as change
            from versions
        )
        select {_FIRST.format(at="recorded_at")} as moment, sum(change)::bigint as change
        from changes where change <> 0 group by moment
        """,
        moments.start, moments.step.total_seconds(), moments.end, *values,
    )  # fmt: skip
    return summed(rows, moments)


async def course_between(connection: Connection, select: str, moments: Moments) -> list[int]:
    """At each moment, how many of these rows had begun and not ended, by `began` and `ended`."""
    rows = await connection.fetch(
        f"""
        with spans as ({select}), changes as (
            select began as at, 1 as change from spans
            union all select ended, -1 from spans where ended is not null
        )
        select {_FIRST.format(at="at")} as moment, sum(change)::bigint as change
        from changes where at <= $3 group by moment
        """,
        moments.start, moments.step.total_seconds(), moments.end,
    )  # fmt: skip
    return summed(rows, moments)


def summed(changes: Sequence[Any], moments: Moments) -> list[int]:
    """The changes at moments, added up."""
    at = {row["moment"]: row["change"] for row in changes}
    found, total = [], 0
    for number in range(moments.number):
        total += at.get(number, 0)
        found.append(total)
    return found
