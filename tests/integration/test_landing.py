"""Rows that reach Postgres by COPY and by statements: the same ones, whatever is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.projections import landing
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.row import Row
from genoflow.projections.runner import bring_up
from genoflow.projections.store import forget_all
from tests.heard import MODELS, Heard, HeardRow, joined, logged, rows_of, story
from tests.partition import CODEC

RELATIONS = ("live.heard", "live.heard_history", "live.events", "gf.set_aside")
MANY = 2 * landing.COPY_ROWS_MIN


class TooMany(Heard):
    """Counts beyond what a column holds, which asyncpg refuses before Postgres sees it."""

    def project(self, state: list[str], record: Recorded) -> Iterable[Row]:
        """One sample was heard of too often."""
        for row in super().project(state, record):
            assert isinstance(row, HeardRow)
            yield replace(row, number=2**63) if row.sample_id == "s7" else row


@pytest.mark.parametrize("seed", range(3))
async def test_both_ways_make_the_same_rows(
    connection: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MemoryLog() as log:
        await logged(log, story(seed, ("a", "b", "c", "refused", "raises")))
        found = []
        for least in (1, 1_000_000):
            monkeypatch.setattr(landing, "COPY_ROWS_MIN", least)
            await bring_up(log, CODEC, connection, MODELS)
            found.append([await rows_of(connection, one) for one in RELATIONS])
            await forget_all(connection)
    assert found[0] == found[1]
    assert found[0][3], "something was set aside"


async def test_many_rows_of_which_some_are_there_leave_those_that_are_there(
    connection: Any,
) -> None:
    async with MemoryLog(partitions=1) as log:
        first = [joined(f"s{number}") for number in range(MANY)]
        await logged(log, first)
        await bring_up(log, CODEC, connection, [AuditTrail()])
        before = await rows_of(connection, "live.events")
        await logged(log, first[: MANY // 2] + [joined(f"t{number}") for number in range(MANY)])
        await bring_up(log, CODEC, connection, [AuditTrail()])
        after = await rows_of(connection, "live.events")
    assert (len(after), set(before) <= set(after)) == (2 * MANY, True)


async def test_a_value_that_no_column_takes_costs_its_event_alone(connection: Any) -> None:
    async with MemoryLog(partitions=1) as log:
        await logged(log, [joined(f"s{number}") for number in range(MANY)])
        await bring_up(log, CODEC, connection, [AuditTrail(), TooMany()])
    rows = await connection.fetch("select sample_id from live.heard_history")
    assert {row["sample_id"] for row in rows} == {f"s{n}" for n in range(MANY)} - {"s7"}
    [aside] = await connection.fetch("select subject, cause from gf.set_aside")
    assert (aside["subject"], "int64" in aside["cause"]) == ("s7", True)
