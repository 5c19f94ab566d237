"""Execution; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer


class Progress(Answer):
    """How far a job is; null where nobody knows."""

    current_step: str | None
    completed_steps: int | None
    """tasks that are done"""
    total_steps: int | None
    """tasks in all: of this job once it is done, before that of the last like it"""
    percentage: float | None


class Usage(Answer):
    """What the tasks of every attempt took; null where none of them has told it."""

    cpu_hours: float | None
    memory_gb_hours: float | None
    cost_usd: float | None


class Job(Answer):
    """A job: one run of a pipeline for a case."""

    job_id: str
    """the id of the run"""
    status: str
    """a job that is tried again is queued; one of queued, running, completed, failed,
    cancelled
    """
    progress: Progress
    resource_usage: Usage
    started_at: datetime | None
    """of its newest attempt"""
    completed_at: datetime | None
    """null while another attempt may follow"""
    state: str
    """more precise than its status"""
    since: datetime
    """since when it is in this state"""
    waits_for: str | None
    reason: str | None
    """why its newest attempt failed, was lost, or was ended"""
    case_id: str | None
    case_revision: int | None
    pipeline: str | None
    pipeline_version: str | None
    reference: str | None
    priority: str | None
    due_at: datetime | None
    launcher: str | None
    launcher_job_id: str | None
    """how its launcher calls it"""
    attempt: int
    attempts_max: int | None
    retries: int
    requested_at: datetime | None
    submitted_at: datetime | None
    tasks_submitted: int
    tasks_at_work: int
    tasks_failed: int
    task_retries: int
    is_estimated: bool
    """whether the steps in all are those of another job"""
    usual_seconds: float | None
    """that the last job like it took"""
    void_reads: int
    """read sets that it took and that do not count any more"""
    event_id: UUID
    """the newest event behind this answer"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class Task(Answer):
    """One try of one task of a job."""

    run_id: str
    attempt: int
    task_id: str
    task_attempt: int
    job_id: str
    process: str
    name: str
    state: str
    since: datetime
    sample_id: str | None = None
    number: int | None = None
    native_id: str | None = None
    queue: str | None = None
    machine: str | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_cached: bool | None = None
    will_retry: bool | None = None
    exit_code: int | None = None
    signal: str | None = None
    reason: str | None = None
    work_seconds: float | None = None
    cpus: int | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    peak_rss_bytes: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    machine_type: str | None = None
    cost_usd: float | None = None
    work_uri: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
