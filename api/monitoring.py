"""Figures of the whole lab: as the rows tell them now, or their course over a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.execution import STATUSES, status_of
from genoflow.api.guard import ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.ports import Processes
from genoflow.api.reading import Moment, Reading, ReadingHere, ReadingRoute, with_zone
from genoflow.api.refusal import Refusal
from genoflow.api.writing import OutsideHere
from genoflow.events.errors import Retry
from genoflow.projections import parked, runs, samples
from genoflow.projections.course import POINTS_MAX, Moments

MetricType = Literal["cpu", "memory", "jobs", "errors"]
NAMES: Mapping[MetricType, tuple[str, ...]] = {
    "jobs": ("active_jobs", "waiting_samples"), "errors": ("failed_jobs", "parked_events"),
}  # fmt: skip
OF_PROCESSES = ("cpu", "memory")
ACTIVE = ("queued", "running")
POINTS_USUAL = 60  # where no step is named: a line of a dashboard
STEP_SECONDS_MAX = 31_536_000  # a year
DAY = timedelta(days=1)
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)  # nothing was recorded before, and a day fits before it

router = APIRouter(prefix="/monitoring", tags=["monitoring"], route_class=ReadingRoute)


class MetricOut(BaseModel):
    """One figure."""

    timestamp: datetime = Field(description="of when it is")
    metric_name: str = Field(examples=["active_jobs"])
    value: float = Field(examples=[25])
    unit: str = Field(description="count, percent (of one core) or bytes", examples=["count"])
    process: str | None = Field(
        None, description="whose it is, of cpu and memory: a worker's name, or this API's process"
    )


class MetricsOut(BaseModel):
    """The figures of now, or of each moment of the time that is asked for, in its order."""

    metrics: list[MetricOut]


@router.get("/metrics", summary="Figures of jobs, errors and processes")
@asks(Permission.MONITORING_READ)
async def list_metrics(
    reading: ReadingHere,
    outside: OutsideHere,
    services: ServicesHere,
    metric_type: MetricType | None = None,
    start_time: Annotated[
        Moment | None, Query(description="with its time zone; a day before the end without it")
    ] = None,
    end_time: Annotated[
        Moment | None, Query(description="with its time zone; now without it")
    ] = None,
    step: Annotated[
        int | None,
        Query(
            ge=1,
            le=STEP_SECONDS_MAX,
            description="seconds between two moments; without it there are about 60 of them",
        ),
    ] = None,
) -> MetricsOut:
    """Count jobs, waiting samples and parked events, now or over a time; tell what processes take.

    `active_jobs` have no verdict yet, `failed_jobs` failed in their newest attempt, also where
    another follows, `waiting_samples` wait for anything, and `parked_events` wait for a person.
    With `start_time`, `end_time` or `step` they are told as they stood at each moment, by when the
    log took what changed them, 500 moments at most and none that is still to come.

    `cpu_usage` and `memory_usage` are those of each worker, by its own word of the last ten
    seconds, and of the process that answers, by `process`; children and jobs are not among them.
    They are told as they are now and never over a time.
    """
    if reading.at is not None:
        raise Refusal(
            422, "as_of, at_position: figures are told as they are now; leave it out, and name a "
            "start_time and an end_time for those of another time",
        )  # fmt: skip
    now = services.clock()
    if start_time is None and end_time is None and step is None:
        taken = await _taken(outside.processes, metric_type)
        if metric_type in OF_PROCESSES:
            return MetricsOut(metrics=taken)
        counted = {name: [value] for name, value in (await _counted(reading)).items()}
        found = _told([now], counted, metric_type)
        return MetricsOut(metrics=[*found.metrics, *taken])
    if metric_type in OF_PROCESSES:
        raise Refusal(
            422, f"metric_type: {metric_type} is told as it is now, for what workers say of "
            "themselves is forgotten after a day; leave out start_time, end_time and step, or ask "
            "Prometheus: rate(process_cpu_seconds_total[5m]), process_resident_memory_bytes",
            details={"field": "metric_type", "rejected_value": metric_type},
        )  # fmt: skip
    moments = _moments(now, start_time, end_time, step)
    if moments is None:
        return MetricsOut(metrics=[])
    return _told(moments.all, await _course(reading, moments), metric_type)


async def _taken(processes: Processes, metric_type: MetricType | None) -> list[MetricOut]:
    """What processes take; where nobody asked for that by name, without what cannot be had."""
    if metric_type not in (None, *OF_PROCESSES):
        return []
    found = [processes.own()]
    try:
        found += await processes.workers()
    except Retry:
        if metric_type is not None:
            raise
    told = []
    for one in found:
        figures = (
            ("cpu", "cpu_usage", one.cpu_percent, "percent"),
            ("memory", "memory_usage", one.resident_bytes, "bytes"),
        )
        told += [
            MetricOut(
                timestamp=one.at, metric_name=name, value=value, unit=unit, process=one.process
            )
            for kind, name, value, unit in figures
            if metric_type in (None, kind) and value is not None
        ]
    return told


def _told(
    moments: list[datetime], values: Mapping[str, list[int]], metric_type: MetricType | None
) -> MetricsOut:
    wanted = [
        name for kind, names in NAMES.items() if metric_type in (None, kind) for name in names
    ]
    return MetricsOut(
        metrics=[
            MetricOut(timestamp=moment, metric_name=name, value=values[name][number], unit="count")
            for number, moment in enumerate(moments)
            for name in wanted
        ]
    )


def _moments(
    now: datetime, start_time: datetime | None, end_time: datetime | None, step: int | None
) -> Moments | None:
    """The moments that are asked for; None where all of them are still to come."""
    ends = now if end_time is None else with_zone("end_time", end_time)
    if start_time is None:
        begins = ends - DAY if ends >= EARLIEST else ends
    else:
        begins = with_zone("start_time", start_time)
    if begins > ends:
        raise Refusal(
            422, "start_time: is after end_time; exchange them",
            details={"field": "start_time", "rejected_value": begins.isoformat()},
        )  # fmt: skip
    if begins > now:
        return None
    seconds = (min(ends, now) - begins).total_seconds()
    every = step or max(1, math.ceil((ends - begins).total_seconds() / POINTS_USUAL))
    number = int(seconds // every) + 1
    if number > POINTS_MAX:
        least = math.ceil(seconds / (POINTS_MAX - 1))
        raise Refusal(
            422, f"step: {number:,} moments are asked for, and {POINTS_MAX} are the limit; take "
            f"{least:,} seconds or more, or a shorter time",
            details={"field": "step", "rejected_value": every},
        )  # fmt: skip
    return Moments(begins, timedelta(seconds=every), number)


async def _course(reading: Reading, moments: Moments) -> dict[str, list[int]]:
    connection = reading.connection
    active = [state for state, status in STATUSES.items() if status in ACTIVE]
    return {
        "active_jobs": await runs.course(connection, active, moments),
        "failed_jobs": await runs.course(connection, ["failed"], moments),
        "waiting_samples": await samples.waiting_course(connection, moments),
        "parked_events": await parked.course(connection, moments),
    }


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
