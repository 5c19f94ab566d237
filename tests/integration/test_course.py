"""Figures over time are those that each moment's rows give, from one look at the histories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from genoflow.events.errors import Refused
from genoflow.projections import parked, runs, samples
from genoflow.projections.audit_trail import vector_at
from genoflow.projections.course import POINTS_MAX, Moments, summed
from tests.integration.rows import Rows, histories, moments_of, rows_of

FAILED = ("failed", "cancelled")


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, samples.Samples(), runs.Runs(), parked.Parked()) as opened:
        yield opened


@pytest.mark.parametrize("seed", range(3))
async def test_the_course_is_what_the_rows_of_each_moment_say(rows: Rows, seed: int) -> None:
    names = ("submit-run", "collect-results", "validate-files", "judge-reads", "check-qc")
    for piece in range(4):
        await rows.tell(*histories(names, 10 * seed + piece, 40))
    moments = await moments_of(rows, 12)
    connection = rows.connection
    counted: dict[str, list[int]] = {"runs": [], "samples": [], "parked": []}
    for moment in moments.all:
        at = await vector_at(connection, moment)
        of_runs = await runs.count_runs(connection, at=at)
        counted["runs"].append(sum(of_runs.get(state, 0) for state in FAILED))
        counted["samples"].append(sum((await samples.count_waiting(connection, at=at)).values()))
        waits = await parked.count_parkings(connection, at=at)
        counted["parked"].append(waits.get(parked.WAITS, 0))
    assert await runs.course(connection, FAILED, moments) == counted["runs"]
    assert await samples.waiting_course(connection, moments) == counted["samples"]
    assert await parked.course(connection, moments) == counted["parked"]
    assert counted["samples"][0] == 0 < counted["samples"][-1]


async def test_a_course_that_begins_later_knows_what_was_before(rows: Rows) -> None:
    await rows.tell(*histories(("validate-files",), 3, 40))
    whole = await moments_of(rows, 12)
    course = await samples.waiting_course(rows.connection, whole)
    part = Moments(whole.all[6], whole.step, 5)
    assert await samples.waiting_course(rows.connection, part) == course[6:11]


def test_changes_add_up_and_moments_are_bounded() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    moments = Moments(start, timedelta(hours=1), 4)
    assert moments.end == start + timedelta(hours=3)
    found = [{"moment": 0, "change": 2}, {"moment": 2, "change": -1}, {"moment": 9, "change": 5}]
    assert summed(found, moments) == [2, 2, 1, 1]
    for number in (0, POINTS_MAX + 1):
        with pytest.raises(Refused, match="take longer steps"):
            Moments(start, timedelta(hours=1), number)
