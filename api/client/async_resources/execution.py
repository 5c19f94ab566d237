"""Execution; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.execution import (
    Budget,
    BudgetMonth,
    Job,
    JobAccepted,
    JobDetail,
    NotificationsIn,
    Task,
)
from genoflow.api.client.models.shared import Proposal
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncExecutionCalls:
    """The calls of execution."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list_jobs(
        self,
        *,
        state: str | None = None,
        case_id: str | None = None,
        pipeline: str | None = None,
        launcher: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Job]:
        """List jobs by state, case, pipeline or launcher, the one that was heard of last first."""
        call = Call(
            method="GET",
            path="/v1/execution/jobs",
            query={
                "state": state,
                "case_id": case_id,
                "pipeline": pipeline,
                "launcher": launcher,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Job, "items")

    async def submit(
        self,
        *,
        pipeline_id: str,
        sample_ids: Sequence[str],
        config_id: str | None = None,
        priority: Literal["high", "normal", "low"] | None = None,
        notification_settings: NotificationsIn | None = None,
        idempotency_key: str | None = None,
    ) -> JobAccepted:
        """Have a pipeline run for samples; it begins as soon as their reads are good.

        Assay, reference, regions and profile are those of the newest order of these samples.
        The results are the job's own, and take nobody's place.
        """
        call = Call(
            method="POST",
            path="/v1/execution/jobs",
            fields={
                "pipeline_id": pipeline_id,
                "config_id": config_id,
                "sample_ids": sample_ids,
                "priority": priority,
                "notification_settings": notification_settings,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {201: JobAccepted, 200: JobAccepted, 202: JobAccepted})

    async def count_jobs(
        self,
        *,
        case_id: str | None = None,
        pipeline: str | None = None,
        launcher: str | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count jobs by their state."""
        call = Call(
            method="GET",
            path="/v1/execution/jobs/counts",
            query={
                "case_id": case_id,
                "pipeline": pipeline,
                "launcher": launcher,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: dict[str, int]})

    async def get_job(
        self,
        job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> JobDetail:
        """Tell how far a job is, what it took, what it waits for, and when it will be done."""
        call = Call(
            method="GET",
            path=path_of("/v1/execution/jobs/{job_id}", job_id=job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: JobDetail})

    def list_tasks(
        self,
        job_id: str,
        *,
        state: str | None = None,
        attempt: int | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Task]:
        """List the tries of a job's tasks by attempt, each with what it took."""
        call = Call(
            method="GET",
            path=path_of("/v1/execution/jobs/{job_id}/tasks", job_id=job_id),
            query={
                "state": state,
                "attempt": attempt,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Task, "items")

    def list_budgets(
        self,
        *,
        project: str | None = None,
        month: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[BudgetMonth]:
        """Tell of each project with a budget, or with runs in the month, what is spent of it."""
        call = Call(
            method="GET",
            path="/v1/execution/budgets",
            query={
                "project": project,
                "month": month,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, BudgetMonth, "items")

    def get_budget(
        self,
        project: str,
        *,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[BudgetMonth]:
        """Tell what each month of a project cost, the newest first."""
        call = Call(
            method="GET",
            path=path_of("/v1/execution/budgets/{project}", project=project),
            query={
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, BudgetMonth, "items")

    async def set_budget(
        self,
        project: str,
        *,
        month_usd: float | str,
        reason: str,
        warn_percent: Sequence[int] | None = None,
        role: Literal[
            "admin",
            "lab_technician",
            "bioinformatician",
            "clinician",
            "data_steward",
            "operator",
            "partner",
            "auditor",
        ]
        | None = None,
        idempotency_key: str | None = None,
    ) -> Budget:
        """Say what the runs of this project may cost, from this month on; it stops no run.

        Another one takes the place of the last, and 0 lifts it.
        """
        call = Call(
            method="PUT",
            path=path_of("/v1/execution/budgets/{project}", project=project),
            fields={
                "month_usd": month_usd,
                "warn_percent": warn_percent,
                "reason": reason,
                "role": role,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Budget})

    async def cancel(
        self,
        job_id: UUID,
        *,
        reason: str,
        seen_offset: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """End a job: it is stopped, and what it leaves does not count.

        One that has no run yet ends with the case that it is.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/execution/jobs/{job_id}/cancel", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})

    async def retry(
        self,
        job_id: UUID,
        *,
        reason: str,
        seen_offset: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Submit a job once more that failed: as it was asked for, and from the step that
        failed.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/execution/jobs/{job_id}/retry", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})

    async def rerun(
        self,
        job_id: UUID,
        *,
        reason: str,
        seen_offset: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Ask for another job in place of one that failed or was cancelled, with the newest
        editions.

        `seen_offset` is that of its case.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/execution/jobs/{job_id}/rerun", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})

    async def change_priority(
        self,
        job_id: UUID,
        *,
        reason: str,
        priority: Literal["high", "normal", "low"],
        seen_offset: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Change the priority of the case that a job is for: its job moves, as long as it waits.

        What came of that, the job tells later: one that works already goes on where it is.
        `seen_offset` is that of its case.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/execution/jobs/{job_id}/priority", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset, "priority": priority},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})
