"""Results 2; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer
from genoflow.api.client.models.results import (
    AboutRun,
    AttemptMade,
    ChainEvent,
    Check,
    Decided,
    InputSample,
    Outputs,
    ParametersUsed,
    PipelineUsed,
    ProfileUsed,
    ReferenceUsed,
    TargetsUsed,
)


class TaskDone(Answer):
    """One task that ended."""

    attempt: int
    """the submission that it belongs to"""
    task_id: str
    """the engine's hash of it"""
    task_attempt: int
    """the engine's own tries"""
    process: str
    """the step of the pipeline"""
    name: str
    """as the engine shows it"""
    sample_id: str | None
    """where it worked on one sample"""
    ended: str
    """completed, cached or failed"""
    exit_code: int | None
    """none where it ended by a signal"""
    container: str | None
    """the image that it ran in, where that was told"""
    container_digest: str | None
    """of that image, where its name has it"""
    event_id: UUID
    """the TaskCompleted or TaskFailed"""


class Provenance(Answer):
    """From what, by what and by whom the results of a run were made."""

    format_: str = Field(alias="format")
    """what this is"""
    version: str
    """of this shape"""
    run: AboutRun
    pipeline: PipelineUsed
    parameters: ParametersUsed
    reference: ReferenceUsed
    targets: TargetsUsed | None
    """none for a whole genome"""
    profile: ProfileUsed
    inputs: tuple[InputSample, ...]
    """in the order of the request"""
    attempts: tuple[AttemptMade, ...]
    """the last one made the results"""
    tasks: tuple[TaskDone, ...]
    """that ended, in the order of the log"""
    decisions: tuple[Decided, ...]
    """in the order in which they were recorded"""
    checks: tuple[Check, ...]
    """of the results, as they were judged last"""
    outputs: Outputs
    events: tuple[ChainEvent, ...]
    """causes before what follows from them"""
    causes_elsewhere: tuple[UUID, ...]
    """what those events name and the stories of run, case, samples, instruments and
    documents do not hold: requests from outside
    """


class ResultChange(Answer):
    """One thing that is different now."""

    run_id: str
    changed_id: UUID
    number: int
    what: str
    sample_id: str | None
    before: str
    after: str
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class ResultCheck(Answer):
    """One metric of results as it was judged."""

    run_id: str
    checked_id: UUID
    number: int
    metric: str
    value: float
    unit: str
    measured_on: str | None
    declared: str | None
    found: str | None
    required_min: float | None
    required_max: float | None
    verdict: str
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class ResultFile(Answer):
    """One file with its checksum."""

    sample_id: str | None
    """none where it is of the whole case"""
    kind: str
    uri: str
    version_id: str
    """the store's version"""
    size_bytes: int
    sha256: str
    """of its bytes"""
    content_type: str
    state: str
    """only a published file may be used"""


class ResultsRow(Answer):
    """What a job came to, and whether it holds."""

    run_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None
    counts: bool | None = None
    case_id: str | None = None
    case_revision: int | None = None
    project_id: str | None = None
    pipeline: str | None = None
    pipeline_version: str | None = None
    reference: str | None = None
    profile: str | None = None
    profile_version: str | None = None
    manifest_sha256: str | None = None
    collected_at: datetime | None = None
    published_at: datetime | None = None
    reason_code: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    role: str | None = None
    superseded_by: str | None = None
    amends_run_id: str | None = None
    files: int | None = None
    size_bytes: int | None = None
    held_id: UUID | None = None
    checked_id: UUID | None = None
    changed_id: UUID | None = None
    void_reads: int | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class SampleResult(Answer):
    """What a job found out about one sample."""

    sample_id: str
    files: Mapping[str, str]
    """by kind; further ones of a kind are kind.2, kind.3, …"""
    metrics: Mapping[str, float]
    """as they were checked last"""


class Results(Answer):
    """What may be used of a job's results, then whether they hold and all that they are made
    of.
    """

    job_id: str
    """the id of the run"""
    sample_results: tuple[SampleResult, ...]
    """empty unless the results are published and hold"""
    clinical_report: str | None
    case_files: Mapping[str, str]
    """of the whole case, by kind, under the same rule"""
    state: str
    waits_for: str | None
    reasons: tuple[str, ...]
    """why they are held"""
    checksums: tuple[ResultFile, ...]
    """all files, also those not to be used"""
    checks: tuple[ResultCheck, ...]
    changes: tuple[ResultChange, ...]
    about: ResultsRow
