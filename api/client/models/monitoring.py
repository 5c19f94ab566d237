"""Monitoring; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from genoflow.api.client.answers import Answer


class Health(Answer):
    """Whether all is well, and with what."""

    status: str
    """one of healthy, unhealthy"""
    version: str
    checks: Mapping[str, str]


class Metric(Answer):
    """One figure."""

    timestamp: datetime
    """of when it is"""
    metric_name: str
    value: float
    unit: str


class Metrics(Answer):
    """The figures of now, or of each moment of the time that is asked for, in its order."""

    metrics: tuple[Metric, ...]
