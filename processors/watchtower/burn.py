"""What projects spend, by hour and day, and how fast that uses up what a month may cost.

All of it stands on one topic under the project's key, so whoever reads a partition has a project
whole. Sums are of millionths of a dollar: whole numbers, which add up to the last one.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.event import Event
from genoflow.events.run_charged import RunCharged
from genoflow.processors.watchtower.panes import DAY, HOUR, Size, hopping, pane_of

KINDS = (RunCharged, BudgetSet, BudgetLifted)
SIZES = (HOUR, DAY)
MONTHS_KEPT_MAX = 24  # as long as `watch-budgets` remembers them
MILLIONTHS = 1_000_000
PACE_DAYS = 7  # a lab works by weeks: a day alone is a Sunday, or the day of a large batch
# A pace of hours says nothing of a month: until so much of it is over, its first day counts whole.
SECONDS_MIN = 86_400.0


class Money:
    """What was charged in one pane, up to an offset: less than nothing where a bill came lower."""

    __slots__ = ("at", "millionths")

    def __init__(self) -> None:
        self.at = -1
        self.millionths = 0

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {"at": self.at, "millionths": self.millionths}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Money:
        """The sum that was written so."""
        found = cls()
        found.at, found.millionths = plain["at"], plain["millionths"]
        return found


class Purse:
    """The budgets of a project, and what each of its months cost."""

    __slots__ = ("at", "budgets", "months")

    def __init__(self) -> None:
        self.at = -1
        self.budgets: dict[str, int | None] = {}  # by the month from which it holds; None: lifted
        self.months: dict[str, int] = {}

    def take(self, event: Event) -> None:
        """Keep what this says of the project's money."""
        if isinstance(event, RunCharged):
            known = self.months.get(event.month, 0)
            self.months = _newest(self.months | {event.month: known + charge_of(event)})
        elif isinstance(event, BudgetSet):
            self.budgets = _newest(self.budgets | {event.from_month: _millionths(event.month_usd)})
        elif isinstance(event, BudgetLifted):
            self.budgets = _newest(self.budgets | {event.from_month: None})

    def budget(self, month: str) -> int | None:
        """What this month may cost; None where nobody set it."""
        since = max((one for one in self.budgets if one <= month), default=None)
        return None if since is None else self.budgets[since]

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {"at": self.at, "budgets": self.budgets, "months": self.months}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Purse:
        """The purse that was written so."""
        found = cls()
        found.at = plain["at"]
        found.budgets, found.months = dict(plain["budgets"]), dict(plain["months"])
        return found


class Burn(NamedTuple):
    """What a project has of a month's budget, and where its pace leads."""

    project: str
    month: str
    spent_usd: float
    budget_usd: float | None  # nobody set one
    hour_usd: float  # charged in this hour and the one before it
    day_usd: float  # in this day and the one before it
    week_usd: float  # in the last seven days
    ahead_usd: float  # at the end of the month, at the pace of the last days
    rate: float | None  # of money over of time: above 1 the month's budget ends before the month
    ends_at: datetime | None  # when it does; None where it will not in this month


def charge_of(event: RunCharged) -> int:
    """By how much it changes what was counted."""
    return _millionths((event.cost_usd or Decimal(0)) - event.former_usd)


def burn_of(project: str, purse: Purse, panes: Mapping[tuple[str, int], int], now: float) -> Burn:
    """What the purse says at this moment; `panes` has the charges by size and begin."""
    moment = datetime.fromtimestamp(now, UTC)
    month = f"{moment:%Y-%m}"
    spent, budget = purse.months.get(month, 0), purse.budget(month)
    begins = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    lasts = timedelta(days=monthrange(moment.year, moment.month)[1]).total_seconds()
    over = min(max((moment - begins).total_seconds(), SECONDS_MIN), lasts)
    days = min(float(PACE_DAYS), over / 86_400)
    week = _sum(panes, DAY, now, PACE_DAYS)
    pace = max(0.0, min(week, spent) / (days * 86_400))  # millionths a second
    left = (begins + timedelta(seconds=lasts) - moment).total_seconds()
    ends_at = None
    if budget is not None and spent >= budget:
        ends_at = moment
    elif budget is not None and pace and (budget - spent) / pace < left:
        ends_at = moment + timedelta(seconds=(budget - spent) / pace)
    return Burn(
        project, month, _usd(spent), None if budget is None else _usd(budget),
        hour_usd=_usd(_sum(panes, HOUR, now, 2)), day_usd=_usd(_sum(panes, DAY, now, 2)),
        week_usd=_usd(week), ahead_usd=_usd(spent + pace * left),
        rate=(spent / budget) / (over / lasts) if budget else None, ends_at=ends_at,
    )  # fmt: skip


def names_of(project: str, taken: float) -> Iterator[str]:
    """The panes that a charge at this moment counts in."""
    for size in SIZES:
        begins = pane_of(size, taken)
        yield f"{size.name}|{begins}|all"
        yield f"{size.name}|{begins}|project={project}"


def _sum(panes: Mapping[tuple[str, int], int], size: Size, now: float, count: int) -> int:
    return sum(panes.get((size.name, at), 0) for at in hopping(size, pane_of(size, now), count))


def _newest(months: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(months.items())[-MONTHS_KEPT_MAX:])


def _millionths(usd: Decimal) -> int:
    return int(usd * MILLIONTHS)  # money has six digits behind its point


def _usd(millionths: float) -> float:
    return millionths / MILLIONTHS
