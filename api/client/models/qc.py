"""Qc; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class Analysis(Answer):
    """Where the answer will be: at /v1/qc/results/{qc_job_id}."""

    qc_job_id: str
    status: str
    """one of queued, running, completed, failed"""
    estimated_completion: datetime
    """an estimate until it is completed"""


class BoundsIn(Answer):
    """What is required of one metric, in the unit of that name."""

    required_min: float | None = None
    """the least that passes"""
    required_max: float | None = None
    """the most that passes"""
    warn_min: float | None = None
    """below it, it passes with a warning"""
    warn_max: float | None = None
    """above it, it passes with a warning"""


class QcAnalysis(Answer):
    """A question about a sample, by a profile."""

    sample_id: str
    analysis_id: UUID
    first_at: datetime
    state: str
    since: datetime
    profile: str
    asked_by: str
    data_path: str | None = None
    profile_version: str | None = None
    assay: str | None = None
    material: str | None = None
    files: int | None = None
    reason: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    verdict_id: UUID | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    qc_job_id: str
    """of the question"""
    status: str
    """of the job; the verdict is another thing; one of queued, running, completed, failed"""
    pass_fail: str | None
    """as it stands now: with what a person decided; null where none holds; one of pass, fail"""


class QcMetric(Answer):
    """One metric, what was required, and its verdict."""

    subject: str
    round_: int = Field(alias="round")
    verdict_id: UUID
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
    why: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class QcRound(Answer):
    """One round of a sample's QC."""

    sample_id: str
    round_: int = Field(alias="round")
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    is_void: bool | None = None
    assay: str | None = None
    profile: str | None = None
    profile_version: str | None = None
    reference: str | None = None
    read_sets: int | None = None
    requested_at: datetime | None = None
    measured_at: datetime | None = None
    decided_at: datetime | None = None
    verdict: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    instrument_run_id: str | None = None
    reads_missing: int | None = None
    reads_wanted: int | None = None
    overridden_by: str | None = None
    override_role: str | None = None
    override_reason: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    verdict_id: UUID | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    qc_job_id: str
    """the sample, a dot, the round"""
    status: str
    """of the job; the verdict is another thing; one of queued, running, completed, failed"""
    pass_fail: str | None
    """as it stands now: with what a person decided; null where none holds; one of pass, fail"""


class Qc(Answer):
    """What QC found of a sample, in one round or as an answer to a question."""

    qc_job_id: str
    """of the round, or of the question"""
    sample_id: str
    status: str
    """one of queued, running, completed, failed"""
    pass_fail: str | None
    """as it stands now: with what a person decided; null where none holds; one of pass, fail"""
    metrics: Mapping[str, float | None]
    """by name; a metric of several things names them from the second one on; null where
    `unknown` says why
    """
    unknown: Mapping[str, str]
    """why a metric is null"""
    reports: Mapping[str, str]
    """where its reports are, by their kind; none before its verdict"""
    measured: tuple[QcMetric, ...]
    """the same with thresholds and verdicts"""
    about: QcRound | None
    """the round; null where it is a question"""
    analysis: QcAnalysis | None
    """the question; null where it is a round"""
