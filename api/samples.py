"""Where every sample is, since when, what it waits for, and what is said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from genoflow.api.guard import ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.events.metadata_value import VALUE_CHARACTERS_MAX
from genoflow.projections import sample_metadata, samples
from genoflow.projections.paging import Found

ORDER = {"sample_id": str}
WAITING_ORDER = {"since": datetime, "sample_id": str}
METADATA_MAX = 10  # conditions of one question: each is a look into one index
HOURS_MAX = 100_000.0  # eleven years: whatever waits longer is older than the log

router = APIRouter(tags=["samples"], route_class=ReadingRoute)

SampleOut = shape(samples.SampleRow, "Sample", "Where a sample is, and what it waits for.")
ReadSetOut = shape(samples.ReadSetRow, "ReadSet", "Reads of a sample by one library and lane.")
SampleCaseOut = shape(samples.SampleCaseRow, "SampleCase", "A case that a sample joined.")
SampleMetadataOut = shape(
    sample_metadata.SampleMetadataRow, "SampleMetadata",
    "All metadata of a sample, and the schema that they fit where its project has one.",
    metadata=(dict[str, sample_metadata.Value], Field(description="by their names",
                                                      examples=[{"tissue": "blood"}])),
)  # fmt: skip
SampleWhole = shape(
    samples.SampleRow, "SampleWhole", "A sample with its read sets, its cases and its metadata.",
    read_sets_of_it=(list[ReadSetOut], Field(description="those that do not count any more too")),  # type: ignore[valid-type]
    cases_of_it=(list[SampleCaseOut], Field(description="those that it left too")),  # type: ignore[valid-type]
    metadata_of_it=(SampleMetadataOut | None, Field(description="null where none are said")),
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
Said = Annotated[
    list[Annotated[str, Query(max_length=VALUE_CHARACTERS_MAX + 65)]],
    Query(max_length=METADATA_MAX, description="NAME:VALUE, such as tissue:blood; all have to hold",
          examples=[["tissue:blood"]]),
]  # fmt: skip


@router.get("/samples", summary="Samples, page by page", response_model=SamplesOut)
@asks(Permission.SAMPLES_READ)
async def list_samples(
    reading: ReadingHere,
    state: Name = None,
    project: Name = None,
    case: Name = None,
    run: Name = None,
    waits_for: Name = None,
    sheet_standing: Literal["listed", "unlisted"] | None = None,
    metadata: Said = [],  # noqa: B006 -- FastAPI copies it
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List samples by state, project, case, run, what they wait for, or what is said of them."""
    found = await samples.list_samples(
        reading.connection, state=state, project=project, case=case, run=run, waits_for=waits_for,
        sheet_standing=sheet_standing, metadata=metadata, after=key_of(after, ORDER), limit=limit,
        at=reading.at,
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
    found = await _known(reading, sample_id)
    said = await sample_metadata.metadata_of(connection, sample_id, at=at)
    return told(
        found,
        read_sets_of_it=[told(o) for o in await samples.read_sets_of(connection, sample_id, at=at)],
        cases_of_it=[told(o) for o in await samples.cases_of(connection, sample_id, at=at)],
        metadata_of_it=None if said is None else told(said),
    )


@router.get(
    "/samples/{sample_id}/metadata", summary="What is said of a sample",
    response_model=SampleMetadataOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.SAMPLES_READ)
async def show_metadata(reading: ReadingHere, sample_id: str) -> dict[str, Any]:
    """Tell all metadata of a sample, and which version of which schema they fit."""
    await _known(reading, sample_id)
    said = await sample_metadata.metadata_of(reading.connection, sample_id, at=reading.at)
    if said is None:
        raise Refusal(
            404, f"sample {sample_id}: no metadata are said of it; POST them to this address"
        )
    return told(said)


async def _known(reading: Reading, sample_id: str) -> Found:
    found = await samples.sample_of(reading.connection, sample_id, at=reading.at)
    if found is None:
        raise Refusal(404, f"sample {sample_id}: nobody has heard of it; look at its id")
    return found
