"""Monitoring; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from genoflow.api.client.call import Call
from genoflow.api.client.models.monitoring import Health, Metrics
from genoflow.api.client.wire import AsyncWire


class AsyncMonitoringCalls:
    """The calls of monitoring."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def health(self) -> Health:
        """Ask the database a question; 503 where it does not answer."""
        call = Call(method="GET", path="/v1/health", is_public=True)
        return await self._wire.ask(call, {200: Health, 503: Health})

    async def list_metrics(
        self,
        *,
        metric_type: Literal["jobs", "errors"] | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Metrics:
        """Count active and failed jobs, waiting samples and parked events as they are now.

        `active_jobs` have no verdict yet, `failed_jobs` failed in their newest attempt, also
        where another follows, `waiting_samples` wait for anything, and `parked_events` wait
        for a person. A time that does not hold now is answered with no figures: no course is
        kept yet, and neither are `cpu` and `memory`.
        """
        call = Call(
            method="GET",
            path="/v1/monitoring/metrics",
            query={
                "metric_type": metric_type,
                "start_time": start_time,
                "end_time": end_time,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: Metrics})
