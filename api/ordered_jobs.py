"""Jobs that have no run yet: cases of their own, or wishes for one that are not decided."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from genoflow.api.job_orders import case_of_job
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_refused import CaseRefused
from genoflow.events.log.port import Vector
from genoflow.projections import cases
from genoflow.projections.event_search import KeptEvent, Wanted, search
from genoflow.projections.runs import RunRow
from genoflow.projections.store import Connection

ORDERED = "ordered"  # the state of a job that has no run yet
UNDECIDED = "its order to be accepted"
# What is told of a run by the runs like it, and of one that is not there by none.
UNTOLD: dict[str, Any] = {
    "tasks_expected_or_usual": None, "is_estimated": False, "progress_percent": None,
    "usual_seconds": None,
}  # fmt: skip


async def ordered_job(
    connection: Connection, job_id: str, at: Vector | None
) -> dict[str, Any] | None:
    """Such a job in the columns of a run; None where there is none."""
    try:
        name = UUID(job_id)
    except ValueError:
        return None
    case_id = case_of_job(name)
    case = await cases.case_of(connection, case_id, at=at)
    if case is not None:
        return _of_case(name, case)
    # The trail is of now and of all projects: whoever asks for less is told of cases alone.
    return await _proposed(connection, name, case_id) if at is None else None


def _of_case(name: UUID, case: dict[str, Any]) -> dict[str, Any]:
    is_closed = case["closed_at"] is not None
    row = RunRow(
        str(name), first_at=case["first_at"], state="cancelled" if is_closed else ORDERED,
        since=case["since"], waits_for=case["waits_for"], case_id=case["case_id"],
        case_revision=case["revision"], pipeline=case["pipeline"], reference=case["reference"],
        members=case["members"], priority=case["priority"], due_at=case["due_at"],
        reason=case["close_reason"], requested_at=case["opened_at"], ended_at=case["closed_at"],
    )  # fmt: skip
    return {**case, **asdict(row), **UNTOLD}


async def _proposed(connection: Connection, name: UUID, case_id: str) -> dict[str, Any] | None:
    types = (CaseProposed.type(), CaseRefused.type())
    found = await search(connection, Wanted(types=types, subjects=(case_id,)), limit=2)
    if not found or found[-1].type == CaseRefused.type():
        return None
    wish: KeptEvent = found[0]
    row = RunRow(
        str(name), first_at=wish.occurred_at, state=ORDERED, since=wish.occurred_at,
        waits_for=UNDECIDED, case_id=case_id, pipeline=wish.payload["pipeline"],
        reference=wish.payload["reference"], members=len(wish.payload["members"]),
        priority=wish.payload["priority"],
    )  # fmt: skip
    place = {
        "log_topic": wish.topic, "log_partition": wish.partition, "log_offset": wish.offset,
        "event_id": wish.event_id, "recorded_at": wish.recorded_at,
    }  # fmt: skip
    return {**asdict(row), **UNTOLD, **place}
