"""Parked; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer


class Answered(Answer):
    """What was decided; the worker takes it up within a second where one runs."""

    parked_id: UUID
    state: str
    """one of requeued, discarded"""
    event_id: UUID
    """of the decision"""
    processor: str
    subject_key: str


class Parked(Answer):
    """One time that something was parked, and the answer to it."""

    parked_id: UUID
    parked_at: datetime
    caused_by: UUID | None
    processor: str
    processor_version: str
    input_topic: str
    input_partition: int
    input_offset: int
    effect_id: UUID | None
    subject_key: str
    parked_event_id: UUID | None
    parked_type: str | None
    taken_at: datetime
    error_class: str
    cause: str
    value_size_bytes: int
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    state: str
    since: datetime
    """when it was answered, or else parked"""
    waits_for: str | None
    answer_id: UUID | None
    """the event of the answer"""
    answered_by: str | None
    answered_as: str | None
    """in which role"""
    answer_reason: str | None
    is_edited: bool | None
    """whether it was requeued with other bytes"""
