"""What makes the histories of budgets meet: few months, small sums, and runs of one project."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_charged import RunCharged
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_resources import TaskResources
from genoflow.processors.processor import Processor
from tests.examples import example

ROWS = ("charge-runs", "watch-budgets")
SELDOM = 0.1
ATTEMPTS = (1, 1, 2)
MONTHS = ("2026-03", "2026-04")
COSTS = (Decimal("0.25"), Decimal(1), Decimal("2.5"), None)


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of these rows have it."""
    assert row.name in ROWS
    if isinstance(event, RunCancelled) and source.random() > SELDOM:
        event = example(RunSucceeded, source.randrange(10**9))
    if isinstance(event, BudgetLifted) and source.random() > SELDOM:
        event = example(RunCharged, source.randrange(10**9))
    fields = _narrowed(event, source)
    if "attempt" in type(event).model_fields:
        fields["attempt"] = source.choice(ATTEMPTS)
    return type(event)(**dict(event) | fields).enveloped(event.envelope)


def _narrowed(event: Event, source: random.Random) -> dict[str, Any]:
    month, cost = source.choice(MONTHS), source.choice(COSTS)
    if isinstance(event, BudgetSet):
        return {"from_month": month, "month_usd": Decimal(5), "warn_percent": (80, 100)}
    if isinstance(event, RunCharged):
        return {"month": month, "cost_usd": cost, "former_usd": Decimal(0)}
    if isinstance(event, RunCostRecorded):
        return {"month": month, "cost_usd": cost or Decimal(3), "source": "aws-cur"}
    if isinstance(event, TaskCompleted | TaskFailed):
        return {"resources": TaskResources(cost_usd=cost)}
    fields: dict[str, Any] = {"from_month": month, "project_id": "P1"}  # lifted, or asked for
    return {name: value for name, value in fields.items() if name in type(event).model_fields}
