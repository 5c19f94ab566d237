"""What a person lets the runs of a project cost, held against what the log says of its budget."""

from __future__ import annotations

from uuid import uuid5

from genoflow.api.desks import Append, Budget, BudgetWanted, Decided
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.errors import NotThere, Refused
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog
from genoflow.events.subjects import Subjects


async def budget_said(
    subjects: Subjects, wanted: BudgetWanted, decided: Decided
) -> tuple[Budget, bool]:
    """The budget that is wanted, and whether it is new; 0 lifts the one that stands.

    NotThere where none does.
    """
    project = wanted.project_id
    if wanted.month_usd < 0:
        raise Refused(f"{wanted.month_usd} USD: is less than nothing; 0 lifts the budget")
    story = (await subjects.events_of(topics.BUDGET, [project]))[project]
    told = [one for one in story if isinstance(one, BudgetSet | BudgetLifted)]
    same = (one for one in told if decided.request_id and one.request_id == decided.request_id)
    if (before := next(same, None)) is not None:
        return before, False
    if not wanted.month_usd and not isinstance(told[-1] if told else None, BudgetSet):
        raise NotThere(f"project {project!r}: has no budget that could be lifted")
    return decided.says(_fact(wanted, decided, len(told))), True


def _fact(wanted: BudgetWanted, decided: Decided, number: int) -> Budget:
    # Of how much was decided before: the same sum, set again later, is another decision.
    same = uuid5(external_id(BudgetSet.type(), wanted.project_id), str(number))
    request_id = decided.request_id or str(same)
    if not wanted.month_usd:
        return BudgetLifted(
            project_id=wanted.project_id, from_month=wanted.from_month, role=decided.role,
            reason=decided.reason, request_id=request_id,
        )  # fmt: skip
    return BudgetSet(
        project_id=wanted.project_id, from_month=wanted.from_month, month_usd=wanted.month_usd,
        warn_percent=tuple(sorted({*wanted.warn_percent})), role=decided.role,
        reason=decided.reason, request_id=request_id,
    )  # fmt: skip


class LogBudgets:
    """BudgetDesk over the log."""

    def __init__(self, log: EventLog) -> None:
        self._subjects = LogSubjects(log)

    async def put(self, wanted: BudgetWanted, decided: Decided, append: Append) -> Budget:
        """Say what the runs of a project may cost in a month, or that nothing is measured."""
        fact, is_new = await budget_said(self._subjects, wanted, decided)
        if is_new:
            await append(fact)
        return fact
