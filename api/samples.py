"""Where every sample is, since when, and what it waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from genoflow.api.errors import Refusal
from genoflow.api.guard import ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, ReadingHere, ReadingRoute
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import samples

ORDER = {"sample_id": str}
WAITING_ORDER = {"since": datetime, "sample_id": str}
HOURS_MAX = 100_000.0  # eleven years: whatever waits longer is older than the log

router = APIRouter(tags=["samples"], route_class=ReadingRoute)

SampleOut = shape(samples.SampleRow, "Sample", "Where a sample is, and what it waits for.")
ReadSetOut = shape(samples.ReadSetRow, "ReadSet", "Reads of a sample by one library and lane.")
SampleCaseOut = shape(samples.SampleCaseRow, "SampleCase", "A case that a sample joined.")
SampleWhole = shape(
    samples.SampleRow, "SampleWhole", "A sample with its read sets and its cases.",
    read_sets_of_it=(list[ReadSetOut], Field(description="those that do not count any more too")),  # type: ignore[valid-type]
    cases_of_it=(list[SampleCaseOut], Field(description="those that it left too")),  # type: ignore[valid-type]
)  # fmt: skip
SamplesOut = page_of(SampleOut, "Samples", "samples, by their ids")
WaitingOut = page_of(
    shape(
        samples.SampleRow, "WaitingSample", "A sample that waits, and the run that it waits for.",
        run=(str | None, Field(description="that should read it, where it waits for its reads")),
        run_state=(str | None, ...), run_since=(datetime | None, ...),
        run_waits_for=(str | None, ...), run_reason=(str | None, ...),
    ),
    "WaitingSamples", "samples that wait, the longest first",
)  # fmt: skip
Name = Annotated[str | None, Query(max_length=200)]


@router.get("/samples", summary="Samples, page by page", response_model=SamplesOut)
@asks(Permission.SAMPLES_READ)
async def list_samples(
    reading: ReadingHere,
    state: Name = None,
    project: Name = None,
    case: Name = None,
    run: Name = None,
    waits_for: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List samples by state, project, case, run of an instrument, or what they wait for."""
    found = await samples.list_samples(
        reading.connection, state=state, project=project, case=case, run=run, waits_for=waits_for,
        after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@router.get("/samples/counts", summary="How many samples are in each state")
@asks(Permission.SAMPLES_READ)
async def count_samples(
    reading: ReadingHere, project: Name = None, case: Name = None, run: Name = None
) -> dict[str, int]:
    """Count samples by their state."""
    return await samples.count_samples(
        reading.connection, project=project, case=case, run=run, at=reading.at
    )


@router.get("/samples/waiting", summary="Samples that are stuck", response_model=WaitingOut)
@asks(Permission.SAMPLES_READ)
async def list_waiting(
    reading: ReadingHere,
    services: ServicesHere,
    longer_than_hours: Annotated[float, Query(ge=0, le=HOURS_MAX)] = 24.0,
    project: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List samples that wait for the same thing for so long, the longest first, each with why."""
    behind = key_of(after, WAITING_ORDER)
    found = await samples.waiting(
        reading.connection, longer_than_hours * 3_600, services.clock(), project=project,
        after=None if behind is None else (behind[0], behind[1]), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, WAITING_ORDER, limit)


@router.get(
    "/samples/{sample_id}", summary="One sample", response_model=SampleWhole, responses={404: {}}
)
@asks(Permission.SAMPLES_READ)
async def show_sample(reading: ReadingHere, sample_id: str) -> dict[str, Any]:
    """Tell where a sample is, since when, what it waits for, and of which reads it is made."""
    connection, at = reading.connection, reading.at
    found = await samples.sample_of(connection, sample_id, at=at)
    if found is None:
        raise Refusal(404, f"sample {sample_id}: nobody has heard of it; look at its id")
    return told(
        found,
        read_sets_of_it=[told(o) for o in await samples.read_sets_of(connection, sample_id, at=at)],
        cases_of_it=[told(o) for o in await samples.cases_of(connection, sample_id, at=at)],
    )
