"""What was ordered, who of its members is ready, and what each case waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import (
    PAGE_DEFAULT,
    After,
    Limit,
    Moment,
    ReadingHere,
    ReadingRoute,
    with_zone,
)
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import cases

ORDER = {"first_at": datetime, "case_id": str}

router = APIRouter(tags=["cases"], route_class=ReadingRoute)

RUN = (str | None, Field(description="the newest run that is to answer it; its state is then told"))
CaseOut = shape(cases.CaseRow, "Case", "What was ordered, and how far it is.", run_id=RUN)
CasesOut = page_of(CaseOut, "Cases", "cases, the newest first")
MemberOut = shape(cases.CaseMemberRow, "CaseMember", "One sample of a case.")
CaseWhole = shape(
    cases.CaseRow, "CaseWhole", "A case with its members.",
    run_id=RUN,
    members_of_it=(list[MemberOut], Field(description="those that were withdrawn too")),  # type: ignore[valid-type]
)  # fmt: skip
Name = Annotated[str | None, Query(max_length=200)]
DueBefore = Annotated[Moment | None, Query(description="those that are due before this time")]


@router.get("/cases", summary="Cases, page by page", response_model=CasesOut)
@asks(Permission.CASES_READ)
async def list_cases(
    reading: ReadingHere,
    state: Name = None,
    project: Name = None,
    assay: Name = None,
    priority: Name = None,
    sample: Name = None,
    due_before: DueBefore = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List cases by state, project, assay, priority, member or due date, the newest first."""
    found = await cases.list_cases(
        reading.connection, state=state, project_id=project, assay=assay, priority=priority,
        sample_id=sample, due_before=_zoned(due_before), after=key_of(after, ORDER), limit=limit,
        at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@router.get("/cases/counts", summary="How many cases are in each state")
@asks(Permission.CASES_READ)
async def count_cases(
    reading: ReadingHere,
    project: Name = None,
    assay: Name = None,
    priority: Name = None,
    due_before: DueBefore = None,
) -> dict[str, int]:
    """Count cases by their state, that of its run where a case has one."""
    return await cases.count_cases(
        reading.connection, project_id=project, assay=assay, priority=priority,
        due_before=_zoned(due_before), at=reading.at,
    )  # fmt: skip


def _zoned(due_before: datetime | None) -> datetime | None:
    return None if due_before is None else with_zone("due_before", due_before)


@router.get("/cases/{case_id}", summary="One case", response_model=CaseWhole, responses={404: {}})
@asks(Permission.CASES_READ)
async def show_case(reading: ReadingHere, case_id: str) -> dict[str, Any]:
    """Tell how far a case is, what it waits for, and which of its members are ready."""
    found = await cases.case_of(reading.connection, case_id, at=reading.at)
    if found is None:
        said = "nobody has heard of it; the known ones are at /v1/cases"
        raise Refusal(404, f"case {case_id}: {said}")
    members = await cases.members_of(reading.connection, case_id, at=reading.at)
    return told(found, members_of_it=[told(one) for one in members])
