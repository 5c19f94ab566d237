"""What projects spend on runs is held against their budgets, and told when a share is reached.

Nothing is stopped here: whether a run of a patient begins is no question of money.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from genoflow.events import topics
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_reached import BudgetReached
from genoflow.events.budget_set import BudgetSet
from genoflow.events.event import Event
from genoflow.events.run_charged import RunCharged
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated

MONTHS_KEPT_MAX = 24  # bills come within weeks; of what is older, rows tell, and nobody is warned
# Every run of a project changes this state, so it has to stay small: 39 bytes each are 4 kB. What
# is delivered again comes right behind its first delivery.
REPEATED_MAX = 100
ZERO = Decimal(0)


class Budget(Part):
    """What a month may cost, from one month on; nothing is measured where it has no sum."""

    from_month: str
    month_usd: Decimal = ZERO
    warn_percent: tuple[int, ...] = ()
    event_id: UUID | None = None


class Month(Part):
    """What runs of a month cost, and what was said of it under which budget."""

    month: str
    spent_usd: Decimal = ZERO
    budget_event_id: UUID | None = None
    reached: tuple[int, ...] = ()


class Project(Remembering):
    """The budgets of a project, and what its months cost."""

    budgets: tuple[Budget, ...] = ()
    months: tuple[Month, ...] = ()


def decide(state: Project, event: Event) -> Decision:
    """Tell of each share that this event lets a month reach, once under one budget."""
    after = evolve(state, event)
    if after is state:
        return NOTHING
    before = {(one.month, one.budget_event_id): one.reached for one in state.months}
    return Decision(
        events=tuple(
            _reached(event.key, month, percent, budget)
            for month in after.months
            for percent in month.reached
            if percent not in before.get((month.month, month.budget_event_id), ())
            and (budget := _budget_of(after, month.month)) is not None
        )
    )


def _reached(project: str, month: Month, percent: int, budget: Budget) -> BudgetReached:
    assert budget.event_id is not None
    return BudgetReached(
        project_id=project,
        month=month.month,
        percent=percent,
        spent_usd=month.spent_usd,
        month_usd=budget.month_usd,
        budget_event_id=budget.event_id,
    )


def evolve(state: Project, event: Event) -> Project:
    """Keep what each month may cost, what it does, and which shares it has reached."""
    if is_repeated(state, event):
        return state
    seen = (*state.seen, event.envelope.event_id)[-REPEATED_MAX:]
    change: dict[str, object] = {"seen": seen}
    if isinstance(event, RunCharged):
        change["months"] = _with_charge(state.months, event)
    else:
        assert isinstance(event, BudgetSet | BudgetLifted)
        kept = (one for one in state.budgets if one.from_month != event.from_month)
        budgets = sorted((*kept, _budget(event)), key=lambda one: one.from_month)
        change["budgets"] = tuple(budgets[-MONTHS_KEPT_MAX:])
    after = state.model_copy(update=change)
    return after.model_copy(update={"months": tuple(_measured(after, m) for m in after.months)})


def _budget(event: BudgetSet | BudgetLifted) -> Budget:
    if isinstance(event, BudgetLifted):
        return Budget(from_month=event.from_month)
    return Budget(
        from_month=event.from_month,
        month_usd=event.month_usd,
        warn_percent=tuple(sorted({*event.warn_percent})),
        event_id=event.envelope.event_id,
    )


def _with_charge(months: tuple[Month, ...], event: RunCharged) -> tuple[Month, ...]:
    found = {one.month: one for one in months}
    known = found.get(event.month, Month(month=event.month))
    spent = known.spent_usd + (event.cost_usd or ZERO) - event.former_usd
    found[event.month] = known.model_copy(update={"spent_usd": spent})
    return tuple(sorted(found.values(), key=lambda one: one.month)[-MONTHS_KEPT_MAX:])


def _measured(state: Project, month: Month) -> Month:
    """The month with every share that it has reached under the budget that it has now."""
    budget = _budget_of(state, month.month)
    if budget is None:
        return month.model_copy(update={"budget_event_id": None, "reached": ()})
    said = month.reached if month.budget_event_id == budget.event_id else ()
    now = (p for p in budget.warn_percent if month.spent_usd * 100 >= p * budget.month_usd)
    reached = tuple(sorted({*said, *now}))
    return month.model_copy(update={"budget_event_id": budget.event_id, "reached": reached})


def _budget_of(state: Project, month: str) -> Budget | None:
    """The newest that holds in a month; None where there is none, or it was lifted."""
    holding = [one for one in state.budgets if one.from_month <= month]
    return holding[-1] if holding and holding[-1].month_usd else None


WATCH_BUDGETS = Processor(
    "watch-budgets",
    reads=topics.BUDGET,
    on=(BudgetSet, RunCharged),
    folds=(BudgetLifted,),
    emits=(BudgetReached,),
    decide=decide,
    evolve=evolve,
    state=Project,
    about="tells when runs of a project have cost a share of its budget; it stops none",
)
