"""Why something is where it is: the sentences of the command line, and the facts behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.events import topics
from genoflow.projections.asking import asked
from genoflow.projections.asking.asked import Told, Unheard
from genoflow.projections.asking.file import FileName
from genoflow.projections.asking.kept import Kept
from genoflow.projections.asking.source import Source
from genoflow.projections.file_state import OF_RUN
from genoflow.projections.files import file_of

router = APIRouter(tags=["why"], route_class=ReadingRoute)


class ReasonOut(BaseModel):
    """One reason."""

    about: str = Field(description="of whom it speaks", examples=["S7"])
    sentence: str = Field(
        examples=["S7 waits for an order: no case names it; place one with `genoflow case open`"]
    )
    says: str = Field(examples=["waits for an order: no case names it"])
    since: datetime | None
    way: str | None = Field(description="what can be done", examples=["place one with …"])
    is_waiting: bool = Field(description="whether something is still to happen because of it")


class WhyOut(BaseModel):
    """What is known of a subject, and why it is where it is."""

    id: str = Field(examples=["S7"])
    facts: dict[str, Any] = Field(description="as `genoflow … show --json` tells them")
    reasons: list[ReasonOut] = Field(description="the weightiest first")


async def _source(request: Request, reading: ReadingHere) -> Kept:
    if reading.is_partial:  # a sentence may name what is not theirs
        raise Refusal(403, "partners find `waits_for` and `reason` in the row itself; ask for that")
    return Kept(reading.connection, request.app.state.codec, reading.at)


SourceHere = Annotated[Source, Depends(_source)]


async def _why(
    about: Callable[[Source, str], Awaitable[Told]], source: Source, kind: str, name: str
) -> WhyOut:
    try:
        return _told(await about(source, name), name)
    except Unheard as error:
        raise Refusal(404, f"{kind} {name}: nobody has heard of it; look at its id") from error


def _told(told: Told, name: str) -> WhyOut:
    reasons = [
        ReasonOut(
            about=whom, sentence=one.about(whom), says=one.says, since=one.since,
            way=one.way or None, is_waiting=one.is_waiting,
        )
        for whom, one in told.reasons
    ]  # fmt: skip
    return WhyOut(id=name, facts=told.facts, reasons=reasons)


@router.get("/samples/{sample_id}/why", summary="Why a sample is where it is", responses={404: {}})
@asks(Permission.SAMPLES_READ)
async def why_sample(source: SourceHere, sample_id: str) -> WhyOut:
    """Say what a sample waits for, since when, and what to do; its cases, where they wait."""
    return await _why(asked.about_sample, source, "sample", sample_id)


@router.get("/cases/{case_id}/why", summary="Why a case is where it is", responses={404: {}})
@asks(Permission.CASES_READ)
async def why_case(source: SourceHere, case_id: str) -> WhyOut:
    """Say for which members or which run a case waits, and for what these wait."""
    return await _why(asked.about_case, source, "case", case_id)


@router.get(
    "/execution/jobs/{job_id}/why", summary="Why a job is where it is", responses={404: {}}
)  # fmt: skip
@asks(Permission.RUNS_READ)
async def why_job(source: SourceHere, job_id: str) -> WhyOut:
    """Say how far a job is, how it ended, and what its results wait for."""
    return await _why(asked.about_pipeline_run, source, "job", job_id)


@router.get(
    "/sequencing-runs/{instrument_run_id}/why",
    summary="Why a run of an instrument is where it is",
    responses={404: {}},
)
@asks(Permission.SAMPLES_READ)
async def why_sequencing_run(source: SourceHere, instrument_run_id: str) -> WhyOut:
    """Say what keeps a run of an instrument from being demultiplexed, or that it is."""
    return await _why(asked.about_sequencing_run, source, "sequencing run", instrument_run_id)


@router.get("/files/{file_id}/why", summary="Why a file is where it is", responses={404: {}})
@asks(Permission.SAMPLES_READ)
async def why_file(reading: ReadingHere, source: SourceHere, file_id: UUID) -> WhyOut:
    """Say what a version of a file waits for, or what was found in it."""
    found = await file_of(reading.connection, file_id, at=reading.at)
    if found is None:
        raise Refusal(404, f"file {file_id}: is not known here; find its id at /v1/files")
    topic = topics.SEQUENCING_RUN if found["place"] == OF_RUN else topics.SAMPLE
    name = FileName(found["bucket"], found["object_key"], found["version_id"])
    told = await asked.about_version(source, topic, found["subject"], name)
    return _told(Told(told.key, told.facts["versions"][0], told.reasons), str(file_id))
