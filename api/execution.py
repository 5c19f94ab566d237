"""Jobs: runs of pipelines under the names of the execution API, and the tasks of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.ordered_jobs import ORDERED, ordered_job
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import run_tasks, runs
from genoflow.projections.estimates import SHARE, Estimate, Unknown
from genoflow.projections.run_forecast import forecast
from genoflow.projections.run_tasks import TaskRow

Status = Literal["queued", "running", "completed", "failed", "cancelled"]
# A job is completed when its outputs are whole; what becomes of its results, /results tells.
STATUSES: Mapping[str, Status] = {
    ORDERED: "queued", "unknown": "queued", "requested": "queued", "submitted": "queued",
    "running": "running", "exited": "running", "lost": "running", "failed": "failed",
    "cancelled": "cancelled",
}  # fmt: skip
ATTEMPTS_MAX = 1_000  # as many as an event can name
A_JOB = "5d3a6f6e-1f6b-5c0e-9c55-0a4e9d8f7b21"
ORDER = {"first_at": datetime, "run_id": str}
TASK_ORDER = {"attempt": int, "task_id": str, "task_attempt": int}

router = APIRouter(prefix="/execution", tags=["execution"], route_class=ReadingRoute)
Name = Annotated[str | None, Query(max_length=200)]


class ProgressOut(BaseModel):
    """How far a job is; null where nobody knows."""

    current_step: str | None = Field(examples=["call_variants"])
    completed_steps: int | None = Field(description="tasks that are done", examples=[5])
    total_steps: int | None = Field(
        description="tasks in all: of this job once it is done, before that of the last like it",
        examples=[8],
    )
    percentage: float | None = Field(examples=[62.5])


class UsageOut(BaseModel):
    """What the tasks of every attempt took; null where none of them has told it."""

    cpu_hours: float | None = Field(examples=[24.5])
    memory_gb_hours: float | None = Field(examples=[512.3])
    cost_usd: float | None = Field(description="estimated by the table of prices", examples=[15.75])
    billed_usd: float | None = Field(description="as far as bills are known", examples=[14.2])


class FailureOut(BaseModel):
    """Why a job failed: whose hand can mend it, and what shows it."""

    failure_class: str = Field(
        description="data, pipeline, infrastructure or lab", examples=["infrastructure"]
    )
    rule: str | None = Field(description="of docs/failures.md", examples=["disk full"])
    advice: str | None = Field(description="for whoever reads no code")
    evidence: list[str] = Field(description="what the rule went by", examples=[["exit code 137"]])


class JobOut(BaseModel):
    """A job: one run of a pipeline for a case."""

    job_id: str = Field(description="the id of the run", examples=[A_JOB])
    status: Status = Field(description="a job that is tried again is queued", examples=["running"])
    progress: ProgressOut
    resource_usage: UsageOut
    started_at: datetime | None = Field(description="of its newest attempt")
    completed_at: datetime | None = Field(description="null while another attempt may follow")
    state: str = Field(description="more precise than its status", examples=["submitted"])
    since: datetime = Field(description="since when it is in this state")
    waits_for: str | None = Field(examples=["its tasks"])
    stuck: str | None = Field(
        description="why nothing is heard of it; null as long as there is news in time",
        examples=["waits for the queue: AWS Batch has job 7 as RUNNABLE"],
    )
    reason: str | None = Field(description="why its newest attempt failed, was lost, or was ended")
    failure: FailureOut | None = Field(description="of its newest attempt, where that failed")
    case_id: str | None
    case_revision: int | None
    pipeline: str | None = Field(examples=["germline"])
    pipeline_version: str | None = Field(examples=["1"])
    reference: str | None
    priority: str | None
    priority_kept: str | None = Field(
        description="why its job stays where it is, where another priority was asked for",
        examples=["begun: the job of attempt 1 has its host, and goes on there"],
    )
    due_at: datetime | None
    launcher: str | None
    launcher_job_id: str | None = Field(description="how its launcher calls it")
    attempt: int
    attempts_max: int | None
    retries: int
    requested_at: datetime | None
    submitted_at: datetime | None
    tasks_submitted: int
    tasks_at_work: int
    tasks_failed: int
    task_retries: int
    is_estimated: bool = Field(description="whether the steps in all are those of another job")
    usual_seconds: float | None = Field(description="that the last job like it took")
    input_bytes: int | None = Field(description="of the files that it was asked for with")
    void_reads: int = Field(description="read sets that it took and that do not count any more")
    event_id: UUID = Field(description="the newest event behind this answer")
    recorded_at: datetime = Field(description="when the log took that event")
    place: str = Field(description="where that event stands", examples=["gf.…[3]@1201"])


class RangeOut(BaseModel):
    """Between which moments something happens in so many of a hundred cases."""

    low: datetime
    high: datetime
    percent: float = Field(examples=[80.0])
    learned_from: int = Field(description="runs that went before", examples=[41])


class JobDetailOut(JobOut):
    """A job, and what is foretold of it."""

    estimated_start: datetime | None = Field(description="null where nobody can say")
    estimated_start_range: RangeOut | None
    estimated_start_unknown: str | None = Field(description="why there is none")
    estimated_completion: datetime | None = Field(description="null where nobody can say")
    estimated_completion_range: RangeOut | None
    estimated_completion_unknown: str | None = Field(
        description="why there is none",
        examples=["7 earlier ones like it are known, and 12 are needed to say it"],
    )


JobsOut = page_of(JobOut, "Jobs", "jobs, the one that was heard of last first")
TasksOut = page_of(
    shape(TaskRow, "Task", "One try of one task of a job."), "Tasks", "tries of tasks, by attempt"
)


def status_of(state: str, waits_for: str | None) -> Status:
    """The status of a job whose run is in this state."""
    if state == "failed" and waits_for is not None:
        return "queued"  # another attempt follows
    return STATUSES.get(state, "completed")


def _failure(row: Mapping[str, Any]) -> FailureOut | None:
    if row["failure_class"] is None:
        return None
    return FailureOut(
        failure_class=row["failure_class"], rule=row["failure_rule"], advice=row["advice"],
        evidence=(row["evidence"] or "").splitlines(),
    )  # fmt: skip


def _job(row: Mapping[str, Any]) -> dict[str, Any]:
    status = status_of(row["state"], row["waits_for"])
    # Whoever has succeeded has done all of them, even where news of some was lost.
    steps = row["tasks_expected"]
    steps_done = row["tasks_completed"] if steps is None else steps
    return told(
        row,
        job_id=row["run_id"],
        launcher_job_id=row["job_id"],
        status=status,
        progress=ProgressOut(
            current_step=row["current_step"], completed_steps=steps_done,
            total_steps=row["tasks_expected_or_usual"], percentage=row["progress_percent"],
        ),
        resource_usage=UsageOut(
            # What nobody has told is counted as nothing, and a job that took nothing tells nothing.
            cpu_hours=row["cpu_hours"] or None, memory_gb_hours=row["memory_gb_hours"] or None,
            cost_usd=row["cost_usd"], billed_usd=row["billed_usd"],
        ),
        failure=_failure(row),
        completed_at=row["ended_at"] if status in {"completed", "failed", "cancelled"} else None,
    )  # fmt: skip


@router.get("/jobs", summary="Jobs, page by page", response_model=JobsOut)
@asks(Permission.RUNS_READ)
async def list_jobs(
    reading: ReadingHere,
    state: Name = None,
    case_id: Name = None,
    pipeline: Name = None,
    launcher: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List jobs by state, case, pipeline or launcher, the one that was heard of last first."""
    found = await runs.list_runs(
        reading.connection, state=state, case_id=case_id, pipeline=pipeline, launcher=launcher,
        after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit) | {"items": [_job(one) for one in found]}


@router.get("/jobs/counts", summary="How many jobs are in each state")
@asks(Permission.RUNS_READ)
async def count_jobs(
    reading: ReadingHere, case_id: Name = None, pipeline: Name = None, launcher: Name = None
) -> dict[str, int]:
    """Count jobs by their state."""
    return await runs.count_runs(
        reading.connection, case_id=case_id, pipeline=pipeline, launcher=launcher, at=reading.at
    )


async def _found(reading: Reading, job_id: str) -> dict[str, Any]:
    found = await runs.run_of(reading.connection, job_id, at=reading.at)
    found = found or await ordered_job(reading.connection, job_id, reading.at)
    if found is None:
        raise Refusal(
            404, f"job {job_id}: nobody has asked for it; its id is that of a run, as "
            f"/execution/jobs lists them",
        )  # fmt: skip
    return found


@router.get("/jobs/{job_id}", summary="One job", response_model=JobDetailOut, responses={404: {}})
@asks(Permission.RUNS_READ)
async def show_job(reading: ReadingHere, job_id: str) -> dict[str, Any]:
    """Tell how far a job is, what it took, what it waits for, and when it will be done."""
    found = await _found(reading, job_id)
    foretold = await forecast(reading.connection, found, now=datetime.now(UTC), at=reading.at)
    start = _foretold("estimated_start", foretold.start)
    return _job(found) | start | _foretold("estimated_completion", foretold.completion)


def _foretold(name: str, found: Estimate | Unknown) -> dict[str, Any]:
    if isinstance(found, Unknown):
        return {name: None, f"{name}_range": None, f"{name}_unknown": found.reason}
    bounds = RangeOut(
        low=found.low, high=found.high, percent=round(100 * SHARE, 1), learned_from=found.runs
    )
    return {name: found.at, f"{name}_range": bounds, f"{name}_unknown": None}


@router.get(
    "/jobs/{job_id}/tasks", summary="Tasks of a job", response_model=TasksOut, responses={404: {}}
)
@asks(Permission.RUNS_READ)
async def list_tasks(
    reading: ReadingHere,
    job_id: str,
    state: Name = None,
    attempt: Annotated[int | None, Query(ge=1, le=ATTEMPTS_MAX)] = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List the tries of a job's tasks by attempt, each with what it took."""
    await _found(reading, job_id)
    found = await run_tasks.tasks_of(
        reading.connection, job_id, state=state, attempt=attempt,
        after=key_of(after, TASK_ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, TASK_ORDER, limit)
