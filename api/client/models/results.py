"""Results; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer


class Link(Answer):
    """One link, and what it leads to."""

    file_type: str
    """its name, as /v1/results/{job_id} shows it"""
    sample_id: str | None
    """null where it is of the whole case"""
    url: str
    """whoever has it fetches the file: pass it on to nobody"""
    expires_at: datetime
    size_bytes: int
    sha256: str
    """of the bytes: compare it with what came"""


class Links(Answer):
    """Links to files."""

    download_links: tuple[Link, ...]


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
