"""What happened to a sample, a case or a run, with what it follows from."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from genoflow.api.guard import CallerHere, asks
from genoflow.api.identity.permissions import Caller, Permission
from genoflow.api.reading import Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.events import topics
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.projections.timeline import ENTRIES_MAX, timeline_of

# Whoever may read samples may not read subscriptions, keys and roles by calling them samples.
TOPICS = {
    "sample": (topics.SAMPLE.name,),
    "case": (topics.CASE.name,),
    "run": (topics.RUN.name, topics.SEQUENCING_RUN.name),
}

router = APIRouter(tags=["timelines"], route_class=ReadingRoute)


class EntryOut(BaseModel):
    """One line of a timeline."""

    event_id: UUID
    type: str = Field(examples=["Validated"])
    subject: str = Field(examples=["SIM-A"])
    occurred_at: datetime
    recorded_at: datetime
    causation_id: UUID | None
    producer: str = Field(examples=["validate-files"])
    payload: dict[str, Any] | None = Field(
        description="what it says; null where that asks for another permission"
    )


class TimelineOut(BaseModel):
    """A story, oldest first."""

    subject: str = Field(examples=["SIM-A"])
    entries: list[EntryOut]
    is_cut: bool = Field(description="whether it is longer than is shown")


# What names files of results, and what they showed.
OF_RESULTS = (
    ResultsCollected.type(), ResultsChecked.type(), ResultsHeld.type(), ResultsPublished.type(),
    ResultsAmended.type(), ResultsRetracted.type(),
)  # fmt: skip


async def _timeline(reading: Reading, caller: Caller, kind: str, subject: str) -> TimelineOut:
    found = await timeline_of(reading.connection, subject, is_partial=reading.is_partial)
    # A story that only touches this one is not told: it is another's, and would say with what.
    if not any(one.subject == subject and one.topic in TOPICS[kind] for one in found):
        raise Refusal(404, f"{kind} {subject}: nothing on the log is about it; look at its id")
    hidden = () if caller.may(Permission.RESULTS_READ) else OF_RESULTS
    entries = [
        EntryOut(
            event_id=one.event_id, type=one.type, subject=one.subject, occurred_at=one.occurred_at,
            recorded_at=one.recorded_at, causation_id=one.causation_id, producer=one.producer,
            payload=None if one.type in hidden else one.payload,
        )
        for one in found
    ]  # fmt: skip
    return TimelineOut(subject=subject, entries=entries, is_cut=len(found) >= ENTRIES_MAX)


@router.get("/samples/{sample_id}/timeline", summary="A sample's story", responses={404: {}})
@asks(Permission.SAMPLES_READ)
async def sample_timeline(reading: ReadingHere, caller: CallerHere, sample_id: str) -> TimelineOut:
    """Tell what happened to a sample, what it follows from, and what its runs came to."""
    return await _timeline(reading, caller, "sample", sample_id)


@router.get("/cases/{case_id}/timeline", summary="A case's story", responses={404: {}})
@asks(Permission.CASES_READ)
async def case_timeline(reading: ReadingHere, caller: CallerHere, case_id: str) -> TimelineOut:
    """Tell what happened to a case, and what its runs came to."""
    return await _timeline(reading, caller, "case", case_id)


@router.get("/runs/{run_id}/timeline", summary="A run's story", responses={404: {}})
@asks(Permission.RUNS_READ)
async def run_timeline(reading: ReadingHere, caller: CallerHere, run_id: str) -> TimelineOut:
    """Tell what happened to a run of a pipeline or of an instrument."""
    return await _timeline(reading, caller, "run", run_id)
