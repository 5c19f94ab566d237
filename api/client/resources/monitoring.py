"""Monitoring; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.monitoring import Alert, AlertWord, ChartWord, Health, Life, Metrics
from genoflow.api.client.pages import Pages
from genoflow.api.client.wire import Wire


class MonitoringCalls:
    """The calls of monitoring."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def health(self) -> Health:
        """Ask the database a question; 503 where it does not answer."""
        call = Call(method="GET", path="/v1/health", is_public=True)
        return self._wire.ask(call, {200: Health, 503: Health})

    def live(self) -> Life:
        """Answer, and no more: who hears nothing within some seconds starts it again."""
        call = Call(method="GET", path="/v1/health/live", is_public=True)
        return self._wire.ask(call, {200: Life})

    def ready(self) -> Life:
        """Ask the database a question; 503 with the reason where it does not answer."""
        call = Call(method="GET", path="/v1/health/ready", is_public=True)
        return self._wire.ask(call, {200: Life, 503: Life})

    def get_metrics(self) -> bytes:
        """Tell the figures of this process, open uploads, and how long files took to validate."""
        call = Call(method="GET", path="/v1/metrics")
        return self._wire.ask(call, {200: bytes})

    def list_metrics(
        self,
        *,
        metric_type: Literal["cpu", "memory", "jobs", "errors"] | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        step: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Metrics:
        """Count jobs, waiting samples and parked events, now or over a time; tell what processes
        take.

        `active_jobs` have no verdict yet, `failed_jobs` failed in their newest attempt, also
        where another follows, `waiting_samples` wait for anything, and `parked_events` wait
        for a person. With `start_time`, `end_time` or `step` they are told as they stood at
        each moment, by when the log took what changed them, 500 moments at most and none that
        is still to come.

        `cpu_usage` and `memory_usage` are those of each worker, by its own word of the last
        ten seconds, and of the process that answers, by `process`; children and jobs are not
        among them. They are told as they are now and never over a time.
        """
        call = Call(
            method="GET",
            path="/v1/monitoring/metrics",
            query={
                "metric_type": metric_type,
                "start_time": start_time,
                "end_time": end_time,
                "step": step,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return self._wire.ask(call, {200: Metrics})

    def list_alerts(
        self,
        *,
        state: Literal["raised", "acknowledged", "resolved"] | None = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        rule: str | None = None,
        kind: Literal["late", "missing", "rate", "drift", "event"] | None = None,
        subject: str | None = None,
        part_of: UUID | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[Alert]:
        """List alerts by state, severity, rule, kind, subject or the one that leads, newest
        first.
        """
        call = Call(
            method="GET",
            path="/v1/monitoring/alerts",
            query={
                "state": state,
                "severity": severity,
                "rule": rule,
                "kind": kind,
                "subject": subject,
                "part_of": part_of,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, Alert, "items")

    def get_alert(
        self,
        alert_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Alert:
        """Tell what an alert is about, how far its ladder is, who took it up, and how it ended."""
        call = Call(
            method="GET",
            path=path_of("/v1/monitoring/alerts/{alert_id}", alert_id=alert_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Alert})

    def acknowledge_alert(
        self,
        alert_id: UUID,
        *,
        reason: str,
        role: Literal[
            "admin",
            "lab_technician",
            "bioinformatician",
            "clinician",
            "data_steward",
            "operator",
            "partner",
            "auditor",
        ]
        | None = None,
        idempotency_key: str | None = None,
    ) -> AlertWord:
        """Say that you look after it: nobody else is told from here on.

        One that somebody acknowledged before is answered as it stands.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/monitoring/alerts/{alert_id}/acknowledge", alert_id=alert_id),
            fields={"reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: AlertWord})

    def resolve_alert(
        self,
        alert_id: UUID,
        *,
        reason: str,
        role: Literal[
            "admin",
            "lab_technician",
            "bioinformatician",
            "clinician",
            "data_steward",
            "operator",
            "partner",
            "auditor",
        ]
        | None = None,
        idempotency_key: str | None = None,
    ) -> AlertWord:
        """Say that it is over, where the log does not show it by itself."""
        call = Call(
            method="POST",
            path=path_of("/v1/monitoring/alerts/{alert_id}/resolve", alert_id=alert_id),
            fields={"reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: AlertWord})

    def restart_chart(
        self,
        chart_id: UUID,
        *,
        reason: str,
        role: Literal[
            "admin",
            "lab_technician",
            "bioinformatician",
            "clinician",
            "data_steward",
            "operator",
            "partner",
            "auditor",
        ]
        | None = None,
        idempotency_key: str | None = None,
    ) -> ChartWord:
        """Take what comes for normal: its alerts are over, and it begins anew.

        `genoflow charts list` shows the charts and their ids.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/monitoring/charts/{chart_id}/restart", chart_id=chart_id),
            fields={"reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: ChartWord})
