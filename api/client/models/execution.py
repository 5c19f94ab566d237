"""Execution; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer
from genoflow.api.client.models.shared import Channel


class UnderWay(Answer):
    """Runs that are not over."""

    runs: int
    cost_usd: float
    """of their tasks that have ended, as estimated"""


class BudgetMonth(Answer):
    """One month of a project: what its runs may cost, and what they do."""

    project_id: str
    month: str
    """a calendar month in UTC"""
    month_usd: float | None
    """null: there is no budget"""
    warn_percent: tuple[int, ...]
    """shares that are told of"""
    reached_percent: tuple[int, ...]
    """that were told of"""
    spent_usd: float
    """billed, and estimated without a bill"""
    billed_usd: float
    """of runs with a bill of this month"""
    estimated_usd: float
    """of runs without one"""
    share_percent: float | None
    """of the budget"""
    runs: int
    """that are counted"""
    runs_unpriced: int
    """of which nobody knows what they cost"""
    under_way: UnderWay | None
    """now; null for another month"""
    set_by: str | None
    """the account that set the budget"""
    reason: str | None


class Budget(Answer):
    """A budget as it was set or lifted."""

    event_id: UUID
    """of the decision"""
    project_id: str
    from_month: str
    """the first month that it is for"""
    month_usd: float | None
    """null where it was lifted"""
    warn_percent: tuple[int, ...]


class Failure(Answer):
    """Why a job failed: whose hand can mend it, and what shows it."""

    failure_class: str
    """data, pipeline, infrastructure or lab"""
    rule: str | None
    """of docs/failures.md"""
    advice: str | None
    """for whoever reads no code"""
    evidence: tuple[str, ...]
    """what the rule went by"""


class JobAccepted(Answer):
    """A job that was asked for."""

    job_id: UUID
    """ask for it at /v1/execution/jobs/{id}"""
    status: str
    estimated_start: datetime | None
    """null where nobody knows"""
    estimated_duration: str | None
    """that of the last job like it, as ISO 8601 has it; null where there is none"""
    case_id: str
    """the case that it is"""
    proposal_id: UUID
    """what became of it is at /v1/proposals/{id}"""
    subscriptions: tuple[Channel, ...]
    """who is told of it, by channel"""


class Progress(Answer):
    """How far a job is; null where nobody knows."""

    current_step: str | None
    completed_steps: int | None
    """tasks that are done"""
    total_steps: int | None
    """tasks in all: of this job once it is done, before that of the last like it"""
    percentage: float | None


class Range(Answer):
    """Between which moments something happens in so many of a hundred cases."""

    low: datetime
    high: datetime
    percent: float
    learned_from: int
    """runs that went before"""


class Usage(Answer):
    """What the tasks of every attempt took; null where none of them has told it."""

    cpu_hours: float | None
    memory_gb_hours: float | None
    cost_usd: float | None
    """estimated by the table of prices"""
    billed_usd: float | None
    """as far as bills are known"""


class JobDetail(Answer):
    """A job, and what is foretold of it."""

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
    stuck: str | None
    """why nothing is heard of it; null as long as there is news in time"""
    reason: str | None
    """why its newest attempt failed, was lost, or was ended"""
    failure: Failure | None
    """of its newest attempt, where that failed"""
    case_id: str | None
    case_revision: int | None
    pipeline: str | None
    pipeline_version: str | None
    reference: str | None
    priority: str | None
    priority_kept: str | None
    """why its job stays where it is, where another priority was asked for"""
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
    input_bytes: int | None
    """of the files that it was asked for with"""
    void_reads: int
    """read sets that it took and that do not count any more"""
    event_id: UUID
    """the newest event behind this answer"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    estimated_start: datetime | None
    """null where nobody can say"""
    estimated_start_range: Range | None
    estimated_start_unknown: str | None
    """why there is none"""
    estimated_completion: datetime | None
    """null where nobody can say"""
    estimated_completion_range: Range | None
    estimated_completion_unknown: str | None
    """why there is none"""


class NotificationsIn(Answer):
    """Who is told when the job has started, is completed, or has failed."""

    email: str | None = None
    webhook_url: str | None = None


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
    stuck: str | None
    """why nothing is heard of it; null as long as there is news in time"""
    reason: str | None
    """why its newest attempt failed, was lost, or was ended"""
    failure: Failure | None
    """of its newest attempt, where that failed"""
    case_id: str | None
    case_revision: int | None
    pipeline: str | None
    pipeline_version: str | None
    reference: str | None
    priority: str | None
    priority_kept: str | None
    """why its job stays where it is, where another priority was asked for"""
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
    input_bytes: int | None
    """of the files that it was asked for with"""
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
    cpu_seconds: float | None = None
    peak_rss_bytes: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    machine_type: str | None = None
    cost_usd: float | None = None
    container: str | None = None
    container_digest: str | None = None
    work_uri: str | None = None
    log_uri: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
