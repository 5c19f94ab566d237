"""Budgets: what projects may spend on runs in a month, and what each run was charged.

Each row is of its own event and never changes. Of a run and month the newest charge counts, which a
query finds, so that nobody adds up what was replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_reached import BudgetReached
from genoflow.events.budget_set import BudgetSet
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_charged import RunCharged
from genoflow.projections.as_of import relation
from genoflow.projections.budget_months import BudgetMonth
from genoflow.projections.cases import CASES
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Where, page
from genoflow.projections.row import Row, Table, as_text
from genoflow.projections.runs import RUNS
from genoflow.projections.store import Connection

MILLIONTHS = 1_000_000  # of a dollar: whole numbers, so that sums are exact
UNDER_WAY = "('requested', 'submitted', 'running', 'exited', 'lost')"


@dataclass(frozen=True, slots=True)
class BudgetRow(Row):
    """What a person decided about the budget of a project."""

    project_id: str
    from_month: str
    month_millionths: int | None  # none: it was lifted
    warn_percent: str  # 80,100
    set_at: datetime
    set_by: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunChargeRow(Row):
    """What a run cost in a month, as of this event."""

    project_id: str
    month: str
    run_id: UUID
    cost_millionths: int | None  # none: nobody knows
    is_billed: bool
    charged_at: datetime


@dataclass(frozen=True, slots=True)
class BudgetReachedRow(Row):
    """A share of a budget that was reached."""

    project_id: str
    month: str
    percent: int
    budget_event_id: UUID
    spent_millionths: int
    month_millionths: int
    reached_at: datetime


BUDGETS = Table(
    "budgets", BudgetRow, ("event_id",), is_append_only=True,
    indexes=("(project_id, from_month, log_offset)",),
)  # fmt: skip
CHARGES = Table(
    "run_charges", RunChargeRow, ("event_id",), is_append_only=True,
    indexes=(
        "(month, project_id, run_id, log_offset)", "(project_id, month, run_id, log_offset)",
    ),
)  # fmt: skip
REACHED = Table(
    "budgets_reached", BudgetReachedRow, ("event_id",), is_append_only=True,
    indexes=("(project_id, month)",),
)  # fmt: skip


class Budgets(ReadModel[None]):
    """A row a decision, a charge and a share that was reached."""

    name = "budgets"
    about = "what projects may spend on runs in a month, and what of that is spent"
    reads = (topics.BUDGET,)
    has_state = False
    tables = (BUDGETS, CHARGES, REACHED)

    def begin(self, _: str) -> None:
        """Nothing: what belongs together is found by a query."""

    def project(self, _: None, record: Recorded) -> Iterable[Row]:
        """The row of this event."""
        event = record.event
        at = event.envelope.occurred_at
        if isinstance(event, BudgetSet | BudgetLifted):
            yield _budget(event)
        elif isinstance(event, RunCharged):
            cost = None if event.cost_usd is None else _millionths(event.cost_usd)
            yield RunChargeRow(
                event.project_id, event.month, event.run_id, cost, event.is_billed, at
            )
        elif isinstance(event, BudgetReached):
            yield BudgetReachedRow(
                event.project_id, event.month, event.percent, event.budget_event_id,
                _millionths(event.spent_usd), _millionths(event.month_usd), at,
            )  # fmt: skip


USES = (BudgetSet, BudgetLifted, RunCharged, BudgetReached)


def _budget(event: BudgetSet | BudgetLifted) -> BudgetRow:
    usd, shares = None, ""
    if isinstance(event, BudgetSet):
        usd, shares = _millionths(event.month_usd), ",".join(map(str, event.warn_percent))
    return BudgetRow(
        project_id=event.project_id, from_month=event.from_month, month_millionths=usd,
        warn_percent=shares, set_at=event.envelope.occurred_at,
        set_by=as_text(event.envelope.actor.id), role=as_text(event.role),
        reason=as_text(event.reason),
    )  # fmt: skip


def _millionths(usd: Decimal) -> int:
    return int(usd * MILLIONTHS)


# -- queries

_TOLD = """
select * from (
    with newest as (
        select distinct on (project_id, month, run_id) project_id, month, cost_millionths, is_billed
        from {charges} {charged}
        order by project_id, month, run_id, log_offset desc
    ), spent as (
        select project_id, month, count(*) as runs,
            count(*) filter (where cost_millionths is null) as runs_unpriced,
            coalesce(sum(cost_millionths) filter (where not is_billed), 0) as estimated,
            coalesce(sum(cost_millionths) filter (where is_billed), 0) as billed
        from newest group by project_id, month
    ), asked as (
        select project_id, month from spent
        union select project_id, {month}::text from {budgets} {named}
    )
    select asked.project_id, asked.month, held.month_millionths, held.warn_percent, held.set_by,
        held.reason, coalesce(spent.runs, 0) as runs,
        coalesce(spent.runs_unpriced, 0) as runs_unpriced,
        coalesce(spent.estimated, 0) as estimated, coalesce(spent.billed, 0) as billed,
        (select array_agg(percent order by percent) from {reached}
            where budgets_reached.project_id = asked.project_id
                and budgets_reached.month = asked.month
                and budgets_reached.budget_event_id = held.event_id) as reached
    from asked
    left join spent on spent.project_id = asked.project_id and spent.month = asked.month
    left join lateral (
        select budgets.* from {budgets}
        where budgets.project_id = asked.project_id and budgets.from_month <= asked.month
        order by from_month desc, log_offset desc limit 1
    ) as held on true
    where spent.runs is not null or held.month_millionths is not null
) as told
"""


def _select(where: Where, at: Vector | None, month: str, charged: str, named: str) -> str:
    return _TOLD.format(
        charges=relation(CHARGES, at), budgets=relation(BUDGETS, at),
        reached=relation(REACHED, at), month=where.value(month), charged=charged, named=named,
    )  # fmt: skip


async def list_months(
    connection: Connection,
    *,
    month: str,
    project_id: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[BudgetMonth]:
    """This month of each project that has a budget or runs in it, by its name, or of one."""
    where = Where()
    mine = f"project_id = {where.value(project_id)}" if project_id else "true"
    charged = f"where {mine} and month = {where.value(month)}"
    select = _select(where, at, month, charged, f"where {mine}")
    rows = await page(connection, select, where, ("project_id",), after=after, limit=limit)
    return [_month(one) for one in rows]


async def months_of(
    connection: Connection,
    project_id: str,
    *,
    month: str,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[BudgetMonth]:
    """The months of a project with runs in them, and this one, the newest first."""
    where = Where()
    mine = f"where project_id = {where.value(project_id)}"
    select = _select(where, at, month, mine, mine)
    rows = await page(
        connection, select, where, ("month",), after=after, limit=limit, newest_first=True
    )
    return [_month(one) for one in rows]


def _month(row: Mapping[str, Any]) -> BudgetMonth:
    has = row["month_millionths"] is not None
    return BudgetMonth(
        row["project_id"], row["month"],
        month_usd=_usd(row["month_millionths"]) if has else None,
        warn_percent=tuple(map(int, row["warn_percent"].split(","))) if has else (),
        reached=tuple(row["reached"] or ()),
        set_by=row["set_by"] if has else None, reason=row["reason"] if has else None,
        runs=row["runs"], runs_unpriced=row["runs_unpriced"],
        estimated_usd=_usd(row["estimated"]), billed_usd=_usd(row["billed"]),
    )  # fmt: skip


def _usd(millionths: int | Decimal) -> Decimal:
    return Decimal(millionths).scaleb(-6)


async def under_way(
    connection: Connection, at: Vector | None = None
) -> dict[str, tuple[int, Decimal]]:
    """How many runs of each project are not over, and what their tasks have cost so far."""
    rows = await connection.fetch(
        f"select cases.project_id, count(*) as runs, coalesce(sum(runs.cost_usd), 0) as usd "
        f"from {relation(RUNS, at)} join {relation(CASES, at)} on cases.case_id = runs.case_id "
        f"where cases.project_id is not null and (runs.state in {UNDER_WAY} "
        f"or runs.state = 'failed' and runs.waits_for is not null) group by cases.project_id"
    )
    return {row["project_id"]: (row["runs"], Decimal(str(round(row["usd"], 6)))) for row in rows}
