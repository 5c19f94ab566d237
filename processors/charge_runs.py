"""A hop: what a run cost is told under its project, when the run is over and when a bill says more.

A task costs what it is estimated at, in the month in which it ended. A bill of a run and month
takes the place of the estimate. Each charge takes the place of the one before, and names its sum:
so whoever adds up needs no list of runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_charged import RunCharged
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

# A name of 16 bytes each: 80 kB of state. The run's trace tells each task once more at its end;
# beyond this, those that are told first would be counted twice.
TASKS_KEPT_MAX = 5_000
BILLS_KEPT_MAX = 100  # of one run, by source and month; a run of years has a dozen
ZERO = Decimal(0)
Ended = TaskCompleted | TaskFailed
Over = RunSucceeded | RunFailed | RunCancelled | RunLost


class Sum(Part):
    """What a month of the run comes to; none where no price was known."""

    month: str
    usd: Decimal | None = None
    is_billed: bool = False


class Bill(Part):
    """What one bill has of a month."""

    source: str
    month: str
    usd: Decimal


class Cost(Remembering):
    """What a run cost so far, and what of it was charged."""

    project_id: str | None = None
    attempt: int = 0  # the newest that was submitted
    is_over: bool = False
    is_cancelled: bool = False
    tasks: tuple[str, ...] = ()  # tries that are counted
    estimated: tuple[Sum, ...] = ()
    bills: tuple[Bill, ...] = ()
    charged: tuple[Sum, ...] = ()


def decide(state: Cost, event: Event) -> Decision:
    """Charge each month of which another sum counts than before."""
    after = evolve(state, event)
    if after.charged == state.charged or after.project_id is None:
        return NOTHING
    before = {one.month: one for one in state.charged}
    return Decision(
        events=tuple(
            RunCharged(
                project_id=after.project_id,
                run_id=UUID(event.key),
                month=one.month,
                cost_usd=one.usd,
                is_billed=one.is_billed,
                former_usd=_usd(before.get(one.month)),
            )
            for one in after.charged
            if one != before.get(one.month)
        )
    )


def _usd(one: Sum | None) -> Decimal:
    return ZERO if one is None or one.usd is None else one.usd


def evolve(state: Cost, event: Event) -> Cost:
    """Keep what its tasks and bills come to, month by month, and what is charged of that."""
    if isinstance(event, RunRequested):
        return state.model_copy(update={"project_id": event.project_id})
    if isinstance(event, RunSubmitted):
        if event.attempt <= state.attempt:
            return state
        change = {"attempt": event.attempt, "is_over": state.is_cancelled}
        return state.model_copy(update=change)
    if isinstance(event, Ended):
        after = _with_task(state, event)
    elif isinstance(event, RunCostRecorded):
        after = _with_bill(state, event)
    else:
        assert isinstance(event, Over)
        after = _ended(state, event)
    if after is state or after.project_id is None:
        return after
    return after.model_copy(update={"charged": tuple(_charged(after))})


def _with_task(state: Cost, event: Ended) -> Cost:
    name = f"{event.attempt}/{event.task_id}/{event.task_attempt}"
    if name in state.tasks or getattr(event, "is_cached", False):
        return state  # what an earlier attempt did was paid for there
    cost = event.resources.cost_usd if event.resources else None
    month = month_of(event.envelope.occurred_at)
    found = {one.month: one for one in state.estimated}
    known = found.get(month, Sum(month=month))
    if cost is not None:
        known = known.model_copy(update={"usd": (known.usd or ZERO) + cost})
    found[month] = known
    tasks = (*state.tasks, name)[-TASKS_KEPT_MAX:]
    return state.model_copy(update={"tasks": tasks, "estimated": _in_order(found.values())})


def _with_bill(state: Cost, event: RunCostRecorded) -> Cost:
    if is_repeated(state, event):
        return state
    bill = Bill(source=event.source, month=event.month, usd=event.cost_usd)
    others = (o for o in state.bills if (o.source, o.month) != (bill.source, bill.month))
    bills = (*others, bill)[-BILLS_KEPT_MAX:]
    seen = with_this(state, event)[-BILLS_KEPT_MAX:]
    return state.model_copy(update={"bills": bills, "seen": seen})


def _ended(state: Cost, event: Over) -> Cost:
    attempt = getattr(event, "attempt", None) or state.attempt
    if attempt < state.attempt or state.is_over:
        return state
    change: dict[str, object] = {"is_over": True}
    if isinstance(event, RunCancelled):
        change["is_cancelled"] = True
    if state.attempt and not state.estimated:  # it ran, and nobody told of its tasks
        change["estimated"] = (Sum(month=month_of(event.envelope.occurred_at)),)
    return state.model_copy(update=change)


def _charged(state: Cost) -> Iterable[Sum]:
    """What counts of each month: its bills; its estimate when the run is over; else as before."""
    found = {one.month: one for one in state.charged}
    if state.is_over:
        found |= {one.month: one for one in state.estimated}
    for month in {one.month for one in state.bills}:
        usd = sum((one.usd for one in state.bills if one.month == month), ZERO)
        found[month] = Sum(month=month, usd=usd, is_billed=True)
    return _in_order(found.values())


def _in_order(sums: Iterable[Sum]) -> tuple[Sum, ...]:
    return tuple(sorted(sums, key=lambda one: one.month))


def month_of(at: datetime) -> str:
    """The calendar month of a time that is in UTC, as all times of events are."""
    return f"{at:%Y-%m}"


CHARGE_RUNS = Processor(
    "charge-runs",
    reads=topics.RUN,
    on=(
        TaskCompleted,
        TaskFailed,
        RunSucceeded,
        RunFailed,
        RunCancelled,
        RunLost,
        RunCostRecorded,
    ),
    folds=(RunRequested, RunSubmitted),
    emits=(RunCharged,),
    decide=decide,
    evolve=evolve,
    state=Cost,
    about="tells under its project what a run that is over cost, and what bills say of it later",
)
