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

    async def get_metrics(self) -> bytes:
        """Tell the figures of this process, open uploads, and how long files took to validate."""
        call = Call(method="GET", path="/v1/metrics")
        return await self._wire.ask(call, {200: bytes})

    async def list_metrics(
        self,
        *,
        metric_type: Literal["jobs", "errors"] | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        step: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Metrics:
        """Count active and failed jobs, waiting samples and parked events, now or over a time.

        `active_jobs` have no verdict yet, `failed_jobs` failed in their newest attempt, also
        where another follows, `waiting_samples` wait for anything, and `parked_events` wait
        for a person. With `start_time`, `end_time` or `step` they are told as they stood at
        each moment, by when the log took what changed them, 500 moments at most and none that
        is still to come. `cpu` and `memory` are not measured yet.
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
        return await self._wire.ask(call, {200: Metrics})
