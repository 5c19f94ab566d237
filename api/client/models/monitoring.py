"""Monitoring; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer


class Figure(Answer):
    """A number that an alert is about."""

    name: str
    value: float
    unit: str
    limit: float | None
    """what it may be"""


class Alert(Answer):
    """What needs a person."""

    alert_id: UUID
    raised_at: datetime
    state: str
    since: datetime
    rule: str
    rules_version: str
    rules_document_id: str | None
    kind: str
    severity: str
    alert_group: str
    part_of: UUID | None
    subject_topic: str | None
    subject_key: str | None
    headline: str
    hint: str | None
    figures: tuple[Figure, ...]
    """what was measured, and its limits"""
    expected_type: str | None
    expected_from: datetime | None
    due_at: datetime | None
    last_event_id: UUID | None
    last_type: str | None
    last_at: datetime | None
    tell_at: datetime
    stage: str | None
    item: str | None
    owed_by: str | None
    steps: int
    step: int | None = None
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_because: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    manner: str | None = None
    resolved_because: str | None = None
    resolving_event_id: UUID | None = None
    tries: int | None = None
    tried_at: datetime | None = None
    repaired: int | None = None
    repair_outcome: str | None = None
    repair_reason: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class AlertWord(Answer):
    """What stands on the log of an alert."""

    event_id: UUID
    """of the decision"""
    alert_id: UUID
    state: str
    """one of raised, acknowledged, resolved"""
    by: str
    """the account that said so"""
    at: datetime
    reason: str


class ChartWord(Answer):
    """What stands on the log of a chart."""

    event_id: UUID
    """of the decision"""
    chart_id: UUID
    of: str
    """of what it is a metric"""
    metric: str
    instrument_id: str
    chemistry: str
    assay: str
    by: str
    """the account that said so"""
    at: datetime
    """the chart takes the runs that start from here on"""
    reason: str


class Health(Answer):
    """Whether all is well, and with what."""

    status: str
    """one of healthy, unhealthy"""
    version: str
    checks: Mapping[str, str]


class Life(Answer):
    """Whether all is well, and otherwise why not."""

    status: str
    """one of ok, unavailable"""
    because: tuple[str, ...]


class Metric(Answer):
    """One figure."""

    timestamp: datetime
    """of when it is"""
    metric_name: str
    value: float
    unit: str
    """count, percent (of one core) or bytes"""
    process: str | None = None
    """whose it is, of cpu and memory: a worker's name, or this API's process"""


class Metrics(Answer):
    """The figures of now, or of each moment of the time that is asked for, in its order."""

    metrics: tuple[Metric, ...]
