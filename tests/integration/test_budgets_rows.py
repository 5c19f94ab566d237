"""Rows of budgets: sums by replacement, the budget of each month, and what is under way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.processors.watch_budgets import WATCH_BUDGETS
from genoflow.projections import budgets
from genoflow.projections.budget_months import BudgetMonth, months_told
from genoflow.projections.cases import Cases
from genoflow.projections.runs import Runs
from tests.asked import opened
from tests.budget_facts import (
    APRIL,
    MARCH,
    PROJECT,
    budget,
    charged,
    lifted,
    of_run,
    task,
)
from tests.integration.rows import Rows, are_equal_in_pieces, histories, rows_of, uses_of
from tests.partition import Partition
from tests.run_facts import RUN_ID, requested
from tests.spec import heard

SEEDS = range(2)


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, budgets.Budgets(), Cases(), Runs()) as opened_rows:
        yield opened_rows


def test_the_flow_tells_what_it_reads() -> None:
    assert uses_of(budgets.Budgets()) == set(budgets.USES)


STORY: tuple[Event, ...] = (
    budget(100), charged(1, 50), charged(1, 45, former=50, is_billed=True), charged(2, 36),
    charged(3, None), charged(4, 7, month=APRIL), lifted(APRIL),
    budget(9, project_id="P0"), charged(5, 3, project_id="P2"), lifted(project_id="P9"),
)  # fmt: skip


def whole(*events: Event) -> list[Event]:
    """The same, and what the row of the flow says to them."""
    partition = Partition(WATCH_BUDGETS)
    partition.put(*events)
    partition.work()
    return [*events, *partition.said]


async def test_a_month_is_told_with_its_budget_and_what_counts(rows: Rows) -> None:
    await rows.tell(*whole(*STORY))
    march = await budgets.list_months(rows.connection, month=MARCH)
    assert [one.project_id for one in march] == ["P0", "P1", "P2"]
    assert march[1] == BudgetMonth(
        PROJECT, MARCH, month_usd=Decimal(100), warn_percent=(80, 100), reached=(80,),
        set_by=STORY[0].envelope.actor.id, reason="as agreed", runs=3, runs_unpriced=1,
        estimated_usd=Decimal(36), billed_usd=Decimal(45),
    )  # fmt: skip
    empty, _, unbounded = march
    assert (empty.month_usd, empty.runs, empty.share_percent) == (Decimal(9), 0, 0.0)
    assert unbounded == BudgetMonth("P2", MARCH, runs=1, estimated_usd=Decimal(3))
    assert (unbounded.share_percent, unbounded.spent_usd) == (None, Decimal(3))
    first = await budgets.list_months(rows.connection, month=MARCH, limit=1)
    behind = await budgets.list_months(rows.connection, month=MARCH, after=["P0"])
    assert [*first, *behind] == march
    of_one = await budgets.list_months(rows.connection, month=MARCH, project_id=PROJECT)
    assert of_one == [march[1]]
    months = await budgets.months_of(rows.connection, PROJECT, month="2026-05")
    assert [(one.month, one.month_usd, one.spent_usd) for one in months] == [
        (APRIL, None, Decimal(7)), (MARCH, Decimal(100), Decimal(81)),
    ]  # fmt: skip


async def test_rows_tell_what_the_log_tells(rows: Rows) -> None:
    names = ("watch-budgets",)
    for seed in SEEDS:
        await rows.tell(*whole(*histories(names, seed)))
    for month in (MARCH, APRIL):
        events = LogSubjects(rows.log).every(topics.BUDGET)
        told = await months_told(events, month=month)
        assert await budgets.list_months(rows.connection, month=month) == told
        assert told
    assert await rows.set_aside() == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_they_are_the_same_however_they_grow(rows: Rows, seed: int) -> None:
    await are_equal_in_pieces(rows, whole(*histories(("watch-budgets",), seed)), seed)


async def test_rows_are_told_as_they_were(rows: Rows) -> None:
    then = await rows.tell(*STORY[:2])
    before = await budgets.list_months(rows.connection, month=MARCH)
    await rows.tell(*STORY[2:])
    assert await budgets.list_months(rows.connection, month=MARCH, at=then) == before
    assert before == [replace(before[0], estimated_usd=Decimal(50), runs=1)]


async def test_what_is_under_way_is_told_by_the_project_of_its_case(rows: Rows) -> None:
    await rows.tell(opened(project_id=PROJECT))
    other = UUID(int=99, version=5)
    for run_id in (RUN_ID, other):
        await rows.tell(
            heard(requested(project_id=PROJECT, run_id=run_id)),
            of_run(RunSubmitted, run_id=run_id), of_run(RunStarted, run_id=run_id),
            task(TaskCompleted, 1, 2.5, run_id=run_id),
        )  # fmt: skip
    assert await budgets.under_way(rows.connection) == {PROJECT: (2, Decimal(5))}
    await rows.tell(of_run(RunSucceeded, run_id=other))
    assert await budgets.under_way(rows.connection) == {PROJECT: (1, Decimal("2.5"))}
