"""Ingestion; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class Finding(Answer):
    """A rule of its format that a file breaks, and where."""

    code: str
    severity: str
    """one of error, violation, note"""
    message: str
    line: int | None
    record: int | None
    """counted from 1; header lines are none"""
    byte: int | None
    """of the stored bytes"""


class FoundInFile(Answer):
    """What reading the file found; null where it was not read so far."""

    is_valid: bool | None
    """null until there is a verdict"""
    errors: int | None
    violations: int | None
    """a must of its format is broken"""
    notes: int | None
    findings: tuple[Finding, ...]
    """the worst first, 50 at most"""
    format_: str | None = Field(alias="format")
    compression: str | None
    reads: int | None
    bases: int | None
    md5: str | None
    sha256: str | None
    declared_md5: str | None
    """as whoever uploaded it announced"""
    declared_sha256: str | None


class Upload(Answer):
    """How far an upload is."""

    upload_id: UUID
    status: str
    """one of uploaded, processing, completed, failed"""
    progress_percentage: int
    """0 until it was read, 50 while it is validated, 100 when it is over; one of 0, 50, 100"""
    validation_results: FoundInFile | None
    """null until it was read"""
    error_message: str | None
    """why it failed, or why it is tried again"""
    file_path: str
    version_id: str
    sample_id: str | None
    """null until it is known"""
    file_size: int | None
    """bytes"""
    created_at: datetime
    """when it landed"""
    file_id: UUID
    """of /v1/files, for those who may read samples"""
    state: str
    since: datetime
    waits_for: str | None
    event_id: UUID
    """the newest event behind this answer"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class UploadSummary(Answer):
    """An upload in a list."""

    upload_id: UUID
    filename: str
    sample_id: str | None
    """null until it is known"""
    status: str
    """one of uploaded, processing, completed, failed"""
    file_size: int | None
    """bytes"""
    created_at: datetime
    """when it landed"""
