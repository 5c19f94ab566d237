"""Sequencing runs; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer


class Demultiplexed(Answer):
    """Reads of one library in one lane."""

    instrument_run_id: str
    attempt: int
    number: int
    lane: int
    sample_id: str
    library_id: str
    read_set_id: str | None
    reads: int
    bases: int | None
    perfect_index_fraction: float | None
    q30_fraction: float | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class SequencingRun(Answer):
    """How far a run of an instrument is."""

    instrument_run_id: str
    state: str
    since: datetime
    waits_for: str | None
    reason: str | None
    instrument_id: str | None
    instrument_model: str | None
    platform: str | None
    flow_cell_id: str | None
    lanes: int | None
    started_at: datetime | None
    completed_at: datetime | None
    mirrored_at: datetime | None
    total_bytes: int | None
    sheet_revision: int | None
    sheet_samples: int | None
    demultiplex_attempt: int | None
    reads_total: int | None
    reads_undetermined: int | None
    undetermined_fraction: float | None
    qc: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
