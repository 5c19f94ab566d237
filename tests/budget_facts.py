"""Budgets of a project, and what its runs are charged: the facts that their tests put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from genoflow.events import topics
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.codec import Codec
from genoflow.events.event import Event
from genoflow.events.identity import GENOFLOW
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_charged import RunCharged
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.task_resources import TaskResources
from tests.asked import like
from tests.partition import CODEC
from tests.run_facts import CASE, RUN_ID
from tests.spec import heard

PROJECT = "P1"
MARCH, APRIL = "2026-03", "2026-04"


def at(month: str, day: int = 1, minute: int = 0) -> datetime:
    """A moment of a month."""
    year, number = map(int, month.split("-"))
    return datetime(year, number, day, 9, minute, tzinfo=UTC)


def budget(usd: float = 100, since: str = MARCH, **fields: Any) -> BudgetSet:
    """So much a month from this one on, told by eight tenths and by all of it."""
    known: dict[str, Any] = {
        "project_id": PROJECT, "from_month": since, "month_usd": Decimal(str(usd)),
        "warn_percent": (80, 100), "role": "admin", "reason": "as agreed",
        "request_id": f"{since}-{usd}",
    }  # fmt: skip
    return heard(BudgetSet(**known | fields), at(since))


def lifted(since: str = APRIL, **fields: Any) -> BudgetLifted:
    """None from this month on."""
    known: dict[str, Any] = {
        "project_id": PROJECT, "from_month": since, "role": "admin", "reason": "the grant is over",
        "request_id": f"no-{since}",
    }  # fmt: skip
    return heard(BudgetLifted(**known | fields), at(since))


def run(number: int) -> UUID:
    """A run of the project."""
    return UUID(int=number, version=5)


def charged(
    number: int, usd: float | Decimal | None, former: float | Decimal = 0, **fields: Any
) -> RunCharged:
    """What one of its runs is charged, in place of what it was before."""
    known: dict[str, Any] = {
        "project_id": PROJECT, "run_id": run(number), "month": MARCH, "is_billed": False,
        "cost_usd": None if usd is None else Decimal(str(usd)), "former_usd": Decimal(str(former)),
    }  # fmt: skip
    fact = heard(RunCharged(**known | fields), at(known["month"], 2))
    # Two charges of one sum are two facts where they follow from two others.
    name = uuid5(GENOFLOW, f"{number} {usd} {former} {sorted(fields.items())}")
    return fact.enveloped(fact.envelope.model_copy(update={"event_id": name}))


def of_run(kind: type[Any], month: str = MARCH, minute: int = 0, **fields: Any) -> Any:
    """A fact of the run."""
    known: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE, "attempt": 1} | fields
    named = {name: value for name, value in known.items() if name in kind.model_fields}
    return heard(like(kind, **named), at(month, 3, minute))


def task(kind: type[Any], number: int, usd: float | None, month: str = MARCH, **more: Any) -> Any:
    """A task of it ended, and cost so much."""
    cost = None if usd is None else Decimal(str(usd))
    fields = {
        "task_id": f"ab/{number:06}", "task_attempt": 1, "is_cached": False,
        "resources": TaskResources(cost_usd=cost),
    }  # fmt: skip
    return of_run(kind, month, number % 60, **fields | more)


def bill(usd: float, month: str = MARCH, source: str = "aws-cur") -> RunCostRecorded:
    """A bill says so much of it."""
    return heard(
        RunCostRecorded(
            run_id=RUN_ID, source=source, month=month, cost_usd=Decimal(str(usd)), lines=1,
            document_sha256=f"{round(usd * 1_000_000):064x}",
        ),
        at(month, 9),
    )  # fmt: skip


async def each(events: Iterable[Event]) -> AsyncIterator[Event]:
    """As a log gives them."""
    for one in events:
        yield one


def taken(events: Iterable[tuple[Event, datetime]], codec: Codec = CODEC) -> list[Recorded]:
    """Records of one partition, which the log took at these moments."""
    return [
        Recorded(
            topics.BUDGET.name, 0, offset, int(moment.timestamp() * 1_000),
            event.key.encode(), *codec.encode(event), codec,
        )
        for offset, (event, moment) in enumerate(events)
    ]  # fmt: skip
