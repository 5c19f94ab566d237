"""Samples; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer


class Hold(Answer):
    """A hold as it was placed or released."""

    event_id: UUID
    """of the decision"""
    sample_id: str
    hold_id: str
    stands: bool
    """whether it stands now"""


class Metadata(Answer):
    """What is said of the sample now, and by which schema it was checked."""

    event_id: UUID
    """of the fact"""
    sample_id: str
    project_id: str | None
    schema_id: str | None
    """none where the project has no schema"""
    schema_version: str | None


class ReadSet(Answer):
    """Reads of a sample by one library and lane."""

    sample_id: str
    read_set_id: str
    state: str
    since: datetime
    waits_for: str | None
    reason: str | None
    material: str
    library_id: str | None
    instrument_run_id: str | None
    flow_cell_id: str | None
    lane: int | None
    index1: str | None
    index2: str | None
    sheet_revision: int | None
    demultiplex_attempt: int | None
    reads: int | None
    files_expected: int
    files_landed: int
    files_valid: int
    replaces_read_set_id: str | None
    replaced_by_read_set_id: str | None
    moved_to_sample_id: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class Relabelled(Answer):
    """What moves to the true sample; it is registered there anew with copies of its files."""

    event_id: UUID
    """of the decision"""
    sample_id: str
    true_sample_id: str
    read_set_ids: tuple[str, ...]


class Sample(Answer):
    """Where a sample is, and what it waits for."""

    sample_id: str
    state: str
    since: datetime
    waits_for: str | None
    reason: str | None
    known_since: datetime
    registered_by: str | None
    subject_ref: str | None
    project_id: str | None
    specimen: str | None
    declared_sex: str | None
    instrument_run_id: str | None
    read_sets: int
    cases: int
    qc_round: int | None
    true_sample_id: str | None
    sheet_standing: str | None
    sheet_run_id: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class SampleCase(Answer):
    """A case that a sample joined."""

    sample_id: str
    case_id: str
    state: str
    since: datetime
    reason: str | None
    case_kind: str | None
    role: str | None
    assay: str | None
    material: str | None
    reference: str | None
    target_set: str | None
    project_id: str | None
    priority: str | None
    due_at: datetime | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class SampleMetadata(Answer):
    """All metadata of a sample, and the schema that they fit where its project has one."""

    sample_id: str
    metadata: Mapping[str, str | bool | int | float]
    """by their names"""
    since: datetime
    project_id: str | None
    schema_id: str | None
    schema_version: str | None
    schema_sha256: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class SampleWhole(Answer):
    """A sample with its read sets, its cases and its metadata."""

    sample_id: str
    state: str
    since: datetime
    waits_for: str | None
    reason: str | None
    known_since: datetime
    registered_by: str | None
    subject_ref: str | None
    project_id: str | None
    specimen: str | None
    declared_sex: str | None
    instrument_run_id: str | None
    read_sets: int
    cases: int
    qc_round: int | None
    true_sample_id: str | None
    sheet_standing: str | None
    sheet_run_id: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    read_sets_of_it: tuple[ReadSet, ...]
    """those that do not count any more too"""
    cases_of_it: tuple[SampleCase, ...]
    """those that it left too"""
    metadata_of_it: SampleMetadata | None
    """null where none are said"""


class WaitingSample(Answer):
    """A sample that waits, and the run that it waits for."""

    sample_id: str
    state: str
    since: datetime
    waits_for: str | None
    reason: str | None
    known_since: datetime
    registered_by: str | None
    subject_ref: str | None
    project_id: str | None
    specimen: str | None
    declared_sex: str | None
    instrument_run_id: str | None
    read_sets: int
    cases: int
    qc_round: int | None
    true_sample_id: str | None
    sheet_standing: str | None
    sheet_run_id: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    run: str | None
    """that should read it, where it waits for its reads"""
    run_state: str | None
    run_since: datetime | None
    run_waits_for: str | None
    run_reason: str | None
