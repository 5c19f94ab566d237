"""Figures of the whole lab as the rows tell them now; a course over time is not kept yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.errors import Refusal
from genoflow.api.execution import status_of
from genoflow.api.guard import ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import Reading, ReadingHere, ReadingRoute, with_zone
from genoflow.projections import parked, runs, samples

MetricType = Literal["jobs", "errors"]
NAMES: Mapping[MetricType, tuple[str, ...]] = {
    "jobs": ("active_jobs", "waiting_samples"), "errors": ("failed_jobs", "parked_events"),
}  # fmt: skip
ACTIVE = ("queued", "running")

router = APIRouter(prefix="/monitoring", tags=["monitoring"], route_class=ReadingRoute)


class MetricOut(BaseModel):
    """One figure."""

    timestamp: datetime = Field(description="when it was counted")
    metric_name: str = Field(examples=["active_jobs"])
    value: float = Field(examples=[25])
    unit: str = Field(examples=["count"])


class MetricsOut(BaseModel):
    """The figures of now, where now lies in the time that is asked for."""

    metrics: list[MetricOut]


@router.get("/metrics", summary="Figures of jobs and errors")
@asks(Permission.MONITORING_READ)
async def list_metrics(
    reading: ReadingHere,
    services: ServicesHere,
    metric_type: MetricType | None = None,
    start_time: Annotated[datetime | None, Query(description="with its time zone")] = None,
    end_time: Annotated[datetime | None, Query(description="with its time zone")] = None,
) -> MetricsOut:
    """Count active and failed jobs, waiting samples and parked events as they are now.

    `active_jobs` have no verdict yet, `failed_jobs` failed in their newest attempt, also where
    another follows, `waiting_samples` wait for anything, and `parked_events` wait for a person.
    A time that does not hold now is answered with no figures: no course is kept yet, and neither
    are `cpu` and `memory`.
    """
    if reading.at is not None:
        raise Refusal(
            422, "as_of, at_position: figures are told as they are now; leave it out, or ask for "
            "/execution/jobs/counts as they were",
        )  # fmt: skip
    now = services.clock()
    begins = now if start_time is None else with_zone("start_time", start_time)
    ends = now if end_time is None else with_zone("end_time", end_time)
    if None not in (start_time, end_time) and begins > ends:
        raise Refusal(
            422, "start_time: is after end_time; exchange them",
            details={"field": "start_time", "rejected_value": begins.isoformat()},
        )  # fmt: skip
    if not begins <= now <= ends:
        return MetricsOut(metrics=[])
    values = await _counted(reading)
    wanted = [
        name for kind, names in NAMES.items() if metric_type in (None, kind) for name in names
    ]
    return MetricsOut(
        metrics=[
            MetricOut(timestamp=now, metric_name=name, value=values[name], unit="count")
            for name in wanted
        ]
    )


async def _counted(reading: Reading) -> dict[str, int]:
    jobs = await runs.count_runs(reading.connection)
    parkings = await parked.count_parkings(reading.connection)
    return {
        "active_jobs": sum(
            number for state, number in jobs.items() if status_of(state, None) in ACTIVE
        ),
        "failed_jobs": jobs.get("failed", 0),
        "waiting_samples": sum((await samples.count_waiting(reading.connection)).values()),
        "parked_events": parkings.get(parked.WAITS, 0),
    }
