"""Files; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class Assigned(Answer):
    """Whose it is now."""

    file_id: UUID
    """where it waited; for its sample it has an id of its own"""
    sample_id: str
    read_set_id: str
    role: str


class File(Answer):
    """A version of a file under the subject that it landed for."""

    file_id: UUID
    place: str
    """where that event stands"""
    subject: str
    bucket: str
    object_key: str
    version_id: str
    state: str
    since: datetime
    waits_for: str | None = None
    reason: str | None = None
    sample_id: str | None = None
    assigned_to: str | None = None
    instrument_run_id: str | None = None
    read_set_id: str | None = None
    role: str | None = None
    lane: int | None = None
    size_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    declared_md5: str | None = None
    declared_sha256: str | None = None
    format_: str | None = Field(default=None, alias="format")
    compression: str | None = None
    reads: int | None = None
    bases: int | None = None
    errors: int | None = None
    violations: int | None = None
    notes: int | None = None
    is_strict: bool | None = None
    validation_seconds: float | None = None
    upload_id: UUID | None = None
    landed_at: datetime | None = None
    landed_by: str | None = None
    deleted_at: datetime | None = None
    deletion: str | None = None
    deleted_by_rule: str | None = None
    is_cleared: bool | None = None
    scanned_by: str | None = None
    duplicate: str | None = None
    duplicate_of: str | None = None
    duplicate_sample_id: str | None = None
    storage_class: str | None = None
    restored_until: datetime | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
