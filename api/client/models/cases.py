"""Cases; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class Case(Answer):
    """What was ordered, and how far it is."""

    case_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    kind: str | None = None
    assay: str | None = None
    material: str | None = None
    reference: str | None = None
    target_set: str | None = None
    qc_profile: str | None = None
    pipeline: str | None = None
    project_id: str | None = None
    priority: str | None = None
    due_at: datetime | None = None
    source: str | None = None
    ordered_by: str | None = None
    members: int | None = None
    members_ready: int | None = None
    revision: int | None = None
    opened_at: datetime | None = None
    ready_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    rerun_of: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: str | None = None
    closing_run_id: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    run_id: str | None
    """the newest run that is to answer it; its state is then told"""


class CaseMember(Answer):
    """One sample of a case."""

    case_id: str
    sample_id: str
    state: str
    since: datetime
    role: str | None = None
    subject_ref: str | None = None
    declared_sex: str | None = None
    affected: bool | None = None
    is_ordered: bool | None = None
    round_: int | None = Field(default=None, alias="round")
    verdict: str | None = None
    reason: str | None = None
    read_set_id: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class CaseWhole(Answer):
    """A case with its members."""

    case_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    kind: str | None = None
    assay: str | None = None
    material: str | None = None
    reference: str | None = None
    target_set: str | None = None
    qc_profile: str | None = None
    pipeline: str | None = None
    project_id: str | None = None
    priority: str | None = None
    due_at: datetime | None = None
    source: str | None = None
    ordered_by: str | None = None
    members: int | None = None
    members_ready: int | None = None
    revision: int | None = None
    opened_at: datetime | None = None
    ready_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    rerun_of: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: str | None = None
    closing_run_id: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    run_id: str | None
    """the newest run that is to answer it; its state is then told"""
    members_of_it: tuple[CaseMember, ...]
    """those that were withdrawn too"""
