"""Budgets: what the runs of a project may cost in a month, what they do, and who set it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.desks import BudgetWanted
from genoflow.api.guard import GuardedRoute, RequestName, ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import cursor_of, key_of
from genoflow.api.writing import ActingAs, WritingHere
from genoflow.events.budget_set import BudgetSet
from genoflow.projections import budgets
from genoflow.projections.budget_months import BudgetMonth

TAG = "execution"
MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
USD_MAX = 1_000_000_000  # a month of a project; more is a mistake
Month = Annotated[
    str | None,
    Query(pattern=MONTH, description="a calendar month (UTC); this one", examples=["2026-03"]),
]
Project = Annotated[str | None, Query(max_length=100, description="of this project alone")]

reads = APIRouter(prefix="/execution/budgets", tags=[TAG], route_class=ReadingRoute)
router = APIRouter(prefix="/execution/budgets", tags=[TAG], route_class=GuardedRoute)


class UnderWayOut(BaseModel):
    """Runs that are not over."""

    runs: int
    cost_usd: float = Field(description="of their tasks that have ended, as estimated")


class BudgetMonthOut(BaseModel):
    """One month of a project: what its runs may cost, and what they do."""

    project_id: str = Field(examples=["P1"])
    month: str = Field(description="a calendar month in UTC", examples=["2026-03"])
    month_usd: float | None = Field(description="null: there is no budget", examples=[500.0])
    warn_percent: list[int] = Field(description="shares that are told of", examples=[[80, 100]])
    reached_percent: list[int] = Field(description="that were told of", examples=[[80]])
    spent_usd: float = Field(description="billed, and estimated without a bill", examples=[412.5])
    billed_usd: float = Field(description="of runs with a bill of this month", examples=[400.0])
    estimated_usd: float = Field(description="of runs without one", examples=[12.5])
    share_percent: float | None = Field(description="of the budget", examples=[82.5])
    runs: int = Field(description="that are counted", examples=[41])
    runs_unpriced: int = Field(description="of which nobody knows what they cost", examples=[0])
    under_way: UnderWayOut | None = Field(description="now; null for another month")
    set_by: str | None = Field(description="the account that set the budget")
    reason: str | None


class BudgetsOut(BaseModel):
    """A page of months of projects."""

    items: list[BudgetMonthOut]
    next: str | None = Field(description="hand it to `after` for the next page; null at the end")


class BudgetIn(BaseModel):
    """What the runs of a project may cost in a month, from this month on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"month_usd": 500, "reason": "as the grant has it"}]},
    )

    month_usd: Decimal = Field(ge=0, le=USD_MAX, decimal_places=6, description="0 lifts the budget")
    warn_percent: list[Annotated[int, Field(ge=1, le=1_000)]] = Field(
        [80, 100], min_length=1, max_length=10, description="shares to tell of, once a month each"
    )
    reason: str = Field(min_length=1, max_length=500, description="why")
    role: ActingAs = None


class BudgetOut(BaseModel):
    """A budget as it was set or lifted."""

    event_id: UUID = Field(description="of the decision")
    project_id: str
    from_month: str = Field(description="the first month that it is for", examples=["2026-03"])
    month_usd: float | None = Field(description="null where it was lifted")
    warn_percent: list[int]


def _month(one: BudgetMonth, under_way: UnderWayOut | None) -> BudgetMonthOut:
    return BudgetMonthOut(
        project_id=one.project_id, month=one.month,
        month_usd=None if one.month_usd is None else float(one.month_usd),
        warn_percent=list(one.warn_percent), reached_percent=list(one.reached),
        spent_usd=float(one.spent_usd), billed_usd=float(one.billed_usd),
        estimated_usd=float(one.estimated_usd), share_percent=one.share_percent,
        runs=one.runs, runs_unpriced=one.runs_unpriced, under_way=under_way,
        set_by=one.set_by, reason=one.reason,
    )  # fmt: skip


async def _shown(reading: Reading, found: list[BudgetMonth], now: datetime) -> list[BudgetMonthOut]:
    """These months, and beside this month what is under way."""
    current = f"{now:%Y-%m}"
    working = {}
    if any(one.month == current for one in found):
        working = await budgets.under_way(reading.connection, reading.at)
    nothing = (0, Decimal(0))
    shown = []
    for one in found:
        runs, usd = working.get(one.project_id, nothing)
        beside = UnderWayOut(runs=runs, cost_usd=float(usd)) if one.month == current else None
        shown.append(_month(one, beside))
    return shown


@reads.get("", summary="Budgets of a month", response_model=BudgetsOut)
@asks(Permission.MONITORING_READ)
async def list_budgets(
    reading: ReadingHere,
    services: ServicesHere,
    project: Project = None,
    month: Month = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> BudgetsOut:
    """Tell of each project with a budget, or with runs in the month, what is spent of it."""
    now = services.clock()
    found = await budgets.list_months(
        reading.connection, month=month or f"{now:%Y-%m}", project_id=project,
        after=key_of(after, {"project_id": str}), limit=limit, at=reading.at,
    )  # fmt: skip
    behind = cursor_of([found[-1].project_id]) if len(found) == limit else None
    return BudgetsOut(items=await _shown(reading, found, now), next=behind)


@reads.get(
    "/{project}", summary="The months of a project", response_model=BudgetsOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.MONITORING_READ)
async def show_budget(
    reading: ReadingHere,
    services: ServicesHere,
    project: str,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> BudgetsOut:
    """Tell what each month of a project cost, the newest first."""
    now = services.clock()
    found = await budgets.months_of(
        reading.connection, project, month=f"{now:%Y-%m}",
        after=key_of(after, {"month": str}), limit=limit, at=reading.at,
    )  # fmt: skip
    if not found and after is None:
        raise Refusal(
            404, f"project {project}: no budget was set and no run of it was charged; "
            f"/execution/budgets lists those that are known"
        )  # fmt: skip
    behind = cursor_of([found[-1].month]) if len(found) == limit else None
    return BudgetsOut(items=await _shown(reading, found, now), next=behind)


@router.put(
    "/{project}", summary="Set or lift a budget", response_model=BudgetOut, responses={404: {}}
)
@asks(Permission.PIPELINES_WRITE)
async def set_budget(
    project: str, wish: BudgetIn, called: RequestName, writing: WritingHere
) -> BudgetOut:
    """Say what the runs of this project may cost, from this month on; it stops no run.

    Another one takes the place of the last, and 0 lifts it.
    """
    decided = writing.decided(Permission.PIPELINES_WRITE, wish.reason, wish.role, called, "budget")
    wanted = BudgetWanted(project, f"{writing.clock():%Y-%m}", wish.month_usd, wish.warn_percent)
    fact = await writing.outside.desks.budgets.put(wanted, decided, writing.put)
    usd: float | None = None
    shares: tuple[int, ...] = ()
    if isinstance(fact, BudgetSet):
        usd, shares = float(fact.month_usd), fact.warn_percent
    return BudgetOut(
        event_id=fact.envelope.event_id, project_id=fact.project_id, from_month=fact.from_month,
        month_usd=usd, warn_percent=list(shares),
    )  # fmt: skip
