"""Ingestion; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
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


class UploadBegun(Answer):
    """An upload that takes parts."""

    upload_id: UUID
    status: str
    """one of initiated, landed, abandoned"""
    file_path: str
    sample_id: str
    read_set_id: str
    role: str
    size_bytes: int
    part_bytes: int
    """how long each part is but the last"""
    parts: int
    """how many there are, numbered from 1"""
    checksum_algorithm: str
    created_at: datetime
    expires_at: datetime
    """what is not complete by then is given up"""


class UploadPartIn(Answer):
    """A part that is to be sent."""

    part_number: int
    checksum: str
    """of its bytes, by the upload's algorithm, in base64"""


class UploadCompleted(Answer):
    """A file that is whole in the store."""

    upload_id: UUID
    status: str
    file_path: str
    version_id: str
    sample_id: str
    size_bytes: int
    event_id: UUID
    """of the fact that it landed"""


class Upload(Answer):
    """How far an upload is."""

    upload_id: UUID
    status: str
    """one of initiated, uploaded, processing, completed, failed"""
    progress_percentage: int
    """while it is sent, of its bytes; then 0 until it was read, 50 while it is validated,
    100 when it is over
    """
    validation_results: FoundInFile | None
    """null until it was read"""
    error_message: str | None
    """why it failed, or why it is tried again"""
    file_path: str
    version_id: str | None
    """null until it is whole"""
    sample_id: str | None
    """null until it is known"""
    file_size: int | None
    """bytes"""
    created_at: datetime
    """when it was begun here, else when it landed"""
    completed_at: datetime | None = None
    """when it landed; null until it did"""
    filename: str | None = None
    """as its sender calls it"""
    file_id: UUID | None
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


class UploadPartLink(Answer):
    """Where a part goes: PUT exactly its bytes, with these headers."""

    part_number: int
    url: str
    """whoever has it can send this part, and nothing else"""
    headers: Mapping[str, str]
    expires_at: datetime


class UploadPartLinks(Answer):
    """Where parts go."""

    links: tuple[UploadPartLink, ...]


class UploadPart(Answer):
    """A part that is in the store."""

    part_number: int
    size_bytes: int
    checksum: str | None
    """in base64, by the upload's algorithm"""


class UploadParts(Answer):
    """What is in the store of an upload; nothing where it is whole or was given up."""

    upload_id: UUID
    status: str
    """one of initiated, landed, abandoned"""
    part_bytes: int | None
    parts: tuple[UploadPart, ...]
    missing: tuple[int, ...]
    """the numbers of those that are still to be sent"""


class UploadSent(Answer):
    """A file that was sent whole."""

    upload_id: UUID
    status: str
    file_path: str
    validation_results: None = None
    """null until it was read"""
    created_at: datetime
    version_id: str
    sample_id: str
    read_set_id: str
    role: str
    file_size: int
    """bytes"""
    sha256: str
    """of what came: compare it with what was sent"""
    event_id: UUID
    """of the fact that it landed"""


class UploadSummary(Answer):
    """An upload in a list."""

    upload_id: UUID
    filename: str
    sample_id: str | None
    """null until it is known"""
    status: str
    """one of initiated, uploaded, validating, completed, validation_failed, error, failed"""
    file_size: int | None
    """bytes"""
    created_at: datetime
    """when it landed, or was begun while it is open"""
