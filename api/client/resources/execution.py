"""Execution; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.execution import Job, Task
from genoflow.api.client.models.shared import Proposal
from genoflow.api.client.pages import Pages
from genoflow.api.client.wire import Wire


class ExecutionCalls:
    """The calls of execution."""

    def __init__(self, wire: Wire) -> None:
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
    ) -> Pages[Job]:
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
        return Pages(self._wire, call, Job, "items")

    def count_jobs(
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
        return self._wire.ask(call, {200: dict[str, int]})

    def get_job(
        self,
        job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Job:
        """Tell how far a job is, what it took, and what it waits for."""
        call = Call(
            method="GET",
            path=path_of("/v1/execution/jobs/{job_id}", job_id=job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Job})

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
    ) -> Pages[Task]:
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
        return Pages(self._wire, call, Task, "items")

    def cancel(
        self,
        job_id: UUID,
        *,
        reason: str,
        seen_offset: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """End a job: it is stopped, and what it leaves does not count."""
        call = Call(
            method="POST",
            path=path_of("/v1/execution/jobs/{job_id}/cancel", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset},
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: Proposal, 202: Proposal})

    def rerun(
        self,
        job_id: UUID,
        *,
        reason: str,
        seen_offset: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Ask for a job that failed or was cancelled once more; `seen_offset` is that of its
        case.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/execution/jobs/{job_id}/rerun", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset},
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: Proposal, 202: Proposal})
