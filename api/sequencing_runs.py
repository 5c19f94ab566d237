"""Runs of instruments: how far each one is, what it waits for, and what was told apart in it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import (
    PAGE_DEFAULT,
    After,
    Limit,
    Moment,
    ReadingHere,
    ReadingRoute,
    with_zone,
)
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import sequencing_runs as runs

ORDER = {"instrument_run_id": str}
DEMULTIPLEXED_ORDER = {"attempt": int, "number": int}
ATTEMPT_MAX = 1_000_000  # of one run: more than anybody would make

router = APIRouter(tags=["sequencing runs"], route_class=ReadingRoute)

RunOut = shape(
    runs.SequencingRunRow, "SequencingRun", "How far a run of an instrument is."
)  # fmt: skip
RunsOut = page_of(RunOut, "SequencingRuns", "runs of instruments, by their ids")
DemultiplexedOut = page_of(
    shape(runs.DemultiplexedRow, "Demultiplexed", "Reads of one library in one lane."),
    "DemultiplexedPage", "libraries of lanes, in the order of their attempts",
)  # fmt: skip
Name = Annotated[str | None, Query(max_length=200)]


@router.get("/sequencing-runs", summary="Runs of instruments, page by page", response_model=RunsOut)
@asks(Permission.SAMPLES_READ)
async def list_runs(
    reading: ReadingHere,
    state: Name = None,
    flow_cell: Name = None,
    sample: Annotated[
        str | None, Query(max_length=200, description="that was told apart in it")
    ] = None,
    waits_since: Annotated[
        Moment | None, Query(description="those that wait for something since then or longer")
    ] = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List runs of instruments by state, flow cell, or a sample that was told apart in them."""
    found = await runs.list_sequencing_runs(
        reading.connection, state=state, flow_cell=flow_cell, sample=sample,
        waits_since=None if waits_since is None else with_zone("waits_since", waits_since),
        after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@router.get("/sequencing-runs/counts", summary="How many runs of instruments are in each state")
@asks(Permission.SAMPLES_READ)
async def count_runs(reading: ReadingHere) -> dict[str, int]:
    """Count runs of instruments by their state."""
    return await runs.count_sequencing_runs(reading.connection, at=reading.at)


@router.get(
    "/sequencing-runs/{instrument_run_id}",
    summary="One run of an instrument",
    response_model=RunOut,
    responses={404: {}},
)
@asks(Permission.SAMPLES_READ)
async def show_run(reading: ReadingHere, instrument_run_id: str) -> dict[str, Any]:
    """Tell how far a run of an instrument is, and what it waits for."""
    return told(await _known(reading, instrument_run_id))


@router.get(
    "/sequencing-runs/{instrument_run_id}/demultiplexed",
    summary="What was told apart in a run",
    response_model=DemultiplexedOut,
    responses={404: {}},
)
@asks(Permission.SAMPLES_READ)
async def list_demultiplexed(
    reading: ReadingHere,
    instrument_run_id: str,
    attempt: Annotated[
        int | None, Query(ge=1, le=ATTEMPT_MAX, description="all attempts if none is named")
    ] = None,
    sample: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List the reads of each library and lane in a run, of one attempt at it or of all."""
    await _known(reading, instrument_run_id)
    behind = key_of(after, DEMULTIPLEXED_ORDER)
    found = await runs.demultiplexed_of(
        reading.connection, instrument_run_id, attempt=attempt, sample=sample,
        after=None if behind is None else (behind[0], behind[1]), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, DEMULTIPLEXED_ORDER, limit)


async def _known(reading: ReadingHere, instrument_run_id: str) -> dict[str, Any]:
    found = await runs.sequencing_run_of(reading.connection, instrument_run_id, at=reading.at)
    if found is None:
        said = "nobody has heard of it; the known ones are at /v1/sequencing-runs"
        raise Refusal(404, f"sequencing run {instrument_run_id}: {said}")
    return found
