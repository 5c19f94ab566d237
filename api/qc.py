"""QC: every round of a sample, every question about it, and metrics beside what was required."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.qc_answers import (
    QcAnalysisOut,
    QcOut,
    QcRoundOut,
    analysis_told,
    answer,
    round_told,
)
from genoflow.api.qc_jobs import job_found
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, ReadingHere, ReadingRoute
from genoflow.api.rows import key_of, page, page_of
from genoflow.projections import qc, qc_analyses

ORDER = {"first_at": datetime, "sample_id": str, "round": int}
QUESTIONS_ORDER = {"first_at": datetime, "analysis_id": UUID}

router = APIRouter(prefix="/qc", tags=["qc"], route_class=ReadingRoute)
Name = Annotated[str | None, Query(max_length=200)]
QcRoundsOut = page_of(QcRoundOut, "QcRounds", "rounds of QC, the newest first")
QcAnalysesOut = page_of(QcAnalysisOut, "QcAnalyses", "questions about samples, the newest first")


@router.get("/results", summary="Rounds of QC, page by page", response_model=QcRoundsOut)
@asks(Permission.QC_READ)
async def list_qc(
    reading: ReadingHere,
    sample_id: Name = None,
    state: Name = None,
    profile: Name = None,
    is_void: bool | None = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List rounds of QC by sample, state, profile, or whether their reads still count."""
    found = await qc.list_qc(
        reading.connection, sample_id=sample_id, state=state, profile=profile, is_void=is_void,
        after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit) | {"items": [round_told(one) for one in found]}


@router.get("/results/counts", summary="How many rounds of QC are in each state")
@asks(Permission.QC_READ)
async def count_qc(
    reading: ReadingHere, profile: Name = None, is_void: bool | None = None
) -> dict[str, int]:
    """Count rounds of QC by their state."""
    return await qc.count_qc(reading.connection, profile=profile, is_void=is_void, at=reading.at)


@router.get(
    "/analyses", summary="Questions by a profile, page by page", response_model=QcAnalysesOut
)
@asks(Permission.QC_READ)
async def list_qc_analyses(
    reading: ReadingHere,
    sample_id: Name = None,
    state: Name = None,
    profile: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List questions about samples by sample, state or profile; no round follows from one."""
    found = await qc_analyses.list_analyses(
        reading.connection, sample_id=sample_id, state=state, profile=profile,
        after=key_of(after, QUESTIONS_ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    listed = [analysis_told(one) for one in found]
    return page(found, QUESTIONS_ORDER, limit) | {"items": listed}


@router.get(
    "/results/{qc_job_id}", summary="One round of QC, or the answer to a question",
    response_model=QcOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.QC_READ)
async def show_qc(reading: ReadingHere, qc_job_id: str) -> dict[str, Any]:
    """Tell the verdict of a round or a question, and each metric beside what was required."""
    found, is_round = await job_found(reading, qc_job_id)
    measured = await qc.metrics_of(reading.connection, found["verdict_id"], at=reading.at)
    job = round_told(found) if is_round else analysis_told(found)
    return answer(job, measured, is_round=is_round)
