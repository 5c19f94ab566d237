"""What a month of a project's runs may cost and does: a value, and its fold where no rows are."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_reached import BudgetReached
from genoflow.events.budget_set import BudgetSet
from genoflow.events.event import Event
from genoflow.events.run_charged import RunCharged

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BudgetMonth:
    """One calendar month (UTC) of one project; sums are in USD."""

    project_id: str
    month: str
    month_usd: Decimal | None = None  # none: there is no budget
    warn_percent: tuple[int, ...] = ()
    reached: tuple[int, ...] = ()  # shares that were told of
    set_by: str | None = None
    reason: str | None = None
    runs: int = 0  # that were charged
    runs_unpriced: int = 0  # of which nobody knows what they cost
    estimated_usd: Decimal = ZERO  # of runs without a bill
    billed_usd: Decimal = ZERO
    runs_under_way: int | None = None  # now; none where that is not known, or not asked
    under_way_usd: Decimal | None = None  # that these have cost so far

    @property
    def spent_usd(self) -> Decimal:
        """What counts against the budget."""
        return self.estimated_usd + self.billed_usd

    @property
    def share_percent(self) -> float | None:
        """How much of the budget is spent; none where there is no budget."""
        return round(float(self.spent_usd / self.month_usd * 100), 1) if self.month_usd else None


async def months_told(
    events: AsyncIterable[Event], *, month: str, project_id: str | None = None
) -> list[BudgetMonth]:
    """This month of every project, or of one, from the events of `gf.budget.v1` in their order."""
    budgets: dict[str, dict[str, BudgetSet | BudgetLifted]] = {}
    charges: dict[str, dict[UUID, RunCharged]] = {}
    reached: dict[tuple[str, UUID], list[int]] = {}
    async for event in events:
        if project_id not in (None, event.key):
            continue
        if isinstance(event, BudgetSet | BudgetLifted):
            budgets.setdefault(event.key, {})[event.from_month] = event
        elif isinstance(event, RunCharged) and event.month == month:
            charges.setdefault(event.key, {})[event.run_id] = event
        elif isinstance(event, BudgetReached) and event.month == month:
            reached.setdefault((event.key, event.budget_event_id), []).append(event.percent)
    found = []
    for project in sorted({*budgets, *charges}):
        counted = _counted(project, month, charges.get(project, {}).values())
        holding = max((one for one in budgets.get(project, {}) if one <= month), default=None)
        budget = budgets[project][holding] if holding else None
        if isinstance(budget, BudgetSet):
            told = reached.get((project, budget.envelope.event_id), [])
            counted = replace(
                counted, month_usd=budget.month_usd, warn_percent=budget.warn_percent,
                reached=tuple(sorted(told)), set_by=budget.envelope.actor.id, reason=budget.reason,
            )  # fmt: skip
        if counted.runs or counted.month_usd is not None:
            found.append(counted)
    return found


def _counted(project: str, month: str, charges: Iterable[RunCharged]) -> BudgetMonth:
    known = [*charges]
    return BudgetMonth(
        project, month, runs=len(known),
        runs_unpriced=sum(one.cost_usd is None for one in known),
        estimated_usd=sum((one.cost_usd or ZERO for one in known if not one.is_billed), ZERO),
        billed_usd=sum((one.cost_usd or ZERO for one in known if one.is_billed), ZERO),
    )  # fmt: skip
