"""QC: every round of a sample, its verdict, and its metrics beside what was required."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.errors import Refusal
from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, ReadingHere, ReadingRoute
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import qc

Status = Literal["queued", "running", "completed", "failed"]
PassFail = Literal["pass", "fail"]
# A round has no id but its sample and its number: its row speaks of the newest event, and not of
# the request. So a job is called by what its row is found by, and a top-up is the next one.
JOB = re.compile(r"(?P<sample>[^/]{1,200})\.(?P<round>[1-9][0-9]{0,3})")
A_JOB = "S7.1"
ORDER = {"first_at": datetime, "sample_id": str, "round": int}

router = APIRouter(prefix="/qc", tags=["qc"], route_class=ReadingRoute)
Name = Annotated[str | None, Query(max_length=200)]
JOB_FIELDS: dict[str, Any] = {
    "qc_job_id": (str, Field(description="the sample, a dot, the round", examples=[A_JOB])),
    "status": (Status, Field(description="of the job; the verdict is another thing")),
    "pass_fail": (
        PassFail | None,
        Field(description="as it stands now: with what a person decided; null where none holds"),
    ),
}  # fmt: skip
QcRoundOut = shape(qc.QcRow, "QcRound", "One round of a sample's QC.", **JOB_FIELDS)
QcRoundsOut = page_of(QcRoundOut, "QcRounds", "rounds of QC, the newest first")
QcMetricOut = shape(qc.QcMetricRow, "QcMetric", "One metric, what was required, and its verdict.")


class QcOut(BaseModel):
    """What QC found of a sample in one round."""

    qc_job_id: str = Field(description="the sample, a dot, the round", examples=[A_JOB])
    sample_id: str = Field(examples=["S7"])
    status: Status = Field(examples=["completed"])
    pass_fail: PassFail | None = Field(
        description="as it stands now: with what a person decided; null where none holds",
        examples=["pass"],
    )
    metrics: dict[str, float] = Field(
        description="by name; a metric of several things names them from the second one on",
        examples=[{"total_reads": 50000000, "gc_content": 42.5, "mean_quality": 35.2}],
    )
    reports: dict[str, str] = Field(description="none are kept yet", examples=[{}])
    measured: list[QcMetricOut] = Field(description="the same with thresholds and verdicts")  # type: ignore[valid-type]
    about: QcRoundOut = Field(description="the round itself")  # type: ignore[valid-type]


def _status(row: Mapping[str, Any]) -> Status:
    if row["state"] != qc.IN_QC:
        return "completed"
    if row["is_void"]:
        return "failed"  # nobody judges reads that do not count any more
    return "running" if row["waits_for"] == qc.TO_JUDGE else "queued"


def _pass_fail(row: Mapping[str, Any]) -> PassFail | None:
    if row["is_void"] or row["state"] == qc.IN_QC:
        return None
    return "fail" if row["state"] == qc.FAILED else "pass"


def _round(row: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{row['sample_id']}.{row['round']}"
    return told(row, qc_job_id=name, status=_status(row), pass_fail=_pass_fail(row))


def _by_name(measured: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in measured:
        name = one["metric"]
        if name in found:
            name = f"{name} of {one['measured_on'] or one['number']}"
        found[name] = one["value"]
    return found


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
    return page(found, ORDER, limit) | {"items": [_round(one) for one in found]}


@router.get("/results/counts", summary="How many rounds of QC are in each state")
@asks(Permission.QC_READ)
async def count_qc(
    reading: ReadingHere, profile: Name = None, is_void: bool | None = None
) -> dict[str, int]:
    """Count rounds of QC by their state."""
    return await qc.count_qc(reading.connection, profile=profile, is_void=is_void, at=reading.at)


@router.get(
    "/results/{qc_job_id}", summary="One round of QC", response_model=QcOut, responses={404: {}}
)
@asks(Permission.QC_READ)
async def show_qc(reading: ReadingHere, qc_job_id: str) -> dict[str, Any]:
    """Tell the verdict of a round, and each metric beside what was required."""
    named = JOB.fullmatch(qc_job_id)
    found = named and await qc.qc_of(
        reading.connection, named["sample"], int(named["round"]), at=reading.at
    )
    if not found:
        raise Refusal(
            404, f"QC {qc_job_id}: nobody has asked for it; its id is the sample, a dot and the "
            f"round, such as {A_JOB}",
        )  # fmt: skip
    measured = await qc.metrics_of(reading.connection, found["verdict_id"], at=reading.at)
    about = _round(found)
    return {
        **{name: about[name] for name in ("qc_job_id", "sample_id", "status", "pass_fail")},
        "metrics": _by_name(measured),
        "reports": {},
        "measured": [told(one) for one in measured],
        "about": about,
    }
