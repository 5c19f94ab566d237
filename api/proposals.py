"""What may be refused: each of these routes proposes a fact, and answers with what became of it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import CallerHere, GuardedRoute, asks
from genoflow.api.identity.permissions import Access, Permission, Role
from genoflow.api.job_orders import PRIORITIES, case_of_job
from genoflow.api.ports import NoOrder
from genoflow.api.proposing import BY_NAME, ProposalOut, ProposingHere, become
from genoflow.api.reading import ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.writing import OutsideHere
from genoflow.events.case_closure_proposed import CaseClosureProposed
from genoflow.events.case_priority_proposed import CasePriorityProposed
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.order import Order
from genoflow.events.qc_override_proposed import QcOverrideProposed
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.results_release_proposed import ResultsReleaseProposed
from genoflow.events.results_retraction_proposed import ResultsRetractionProposed
from genoflow.events.run_cancellation_proposed import RunCancellationProposed
from genoflow.events.run_retry_proposed import RunRetryProposed
from genoflow.events.top_up_proposed import TopUpProposed
from genoflow.events.types import CaseId, Count, LibraryId, Offset, Ordinal, Reason, SampleId
from genoflow.projections import cases, runs, samples
from genoflow.projections.event_search import event_of

A_CASE = {
    "case_id": "C7", "kind": "single", "assay": "wgs", "reference": "GRCh38",
    "members": [{"sample_id": "S7", "role": "single", "subject_ref": "P7"}],
}  # fmt: skip
WAITS: dict[int | str, dict[str, Any]] = {
    202: {"model": ProposalOut, "description": "not decided yet: Location names it"},
    404: {},
}

router = APIRouter(route_class=GuardedRoute)
reads = APIRouter(tags=["proposals"], route_class=ReadingRoute)


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="why", examples=["enough for this question"])
    seen_offset: Offset | None = Field(
        None,
        description="the offset in `place` of the row that was looked at: what has changed since "
        "is refused",
    )


class _Decided(_Said):
    role: Role | None = Field(
        None, description="in which of your roles you decide; the first that may, where none is"
    )


class OverrideIn(_Decided):
    """Why reads that failed may go on."""

    round: Ordinal | None = Field(None, description="the round that failed; the last otherwise")


class TopUpIn(_Said):
    """Why more reads can mend it, and how many."""

    round: Ordinal | None = Field(None, description="the round that failed; the last otherwise")
    reads_wanted: Count | None = Field(None, description="how many; the estimate of QC otherwise")
    library_id: LibraryId | None = Field(
        None, description="to be sequenced again; a new preparation otherwise"
    )


class CancelIn(_Said):
    """Why a run is not wanted any more."""


class ReleaseIn(_Decided):
    """Why results that are held are right all the same."""


class RetractIn(_Decided):
    """Why nobody may use results."""

    reason_code: Literal["withdrawn", "wrong"] = Field(
        description="withdrawn: consent or order was taken back; wrong: they are not right"
    )


class RerunIn(_Said):
    """What was mended, or why it is worth another try."""


class RetryIn(_Said):
    """What was mended, or why it is worth another try."""


class PriorityIn(_Said):
    """How urgent a job is from now on."""

    priority: Literal["high", "normal", "low"] = Field(
        description="what is submitted later has it, too"
    )


class CloseIn(_Said):
    """Why a case is closed without results."""

    outcome: Literal["cancelled", "withdrawn"] = Field(
        "cancelled", description="withdrawn: consent or order was taken back"
    )


# -- samples


async def _sample(here: ProposingHere, sample_id: str) -> None:
    lost = f"sample {sample_id}: nobody has heard of it; look at its id"
    await here.row(partial(samples.sample_of, sample_id=sample_id), lost)


@router.post(
    "/samples/{sample_id}/qc/override", summary="Let reads go on that failed", tags=["samples"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.QC_DECIDE)
async def override(here: ProposingHere, sample_id: SampleId, said: OverrideIn) -> ProposalOut:
    """Let a sample go on although its reads, or its run, failed; who lets it, answers for it."""
    await _sample(here, sample_id)
    role = here.role(Permission.QC_DECIDE, said.role)
    words = said.model_dump() | {"role": role}
    proposal = QcOverrideProposed(sample_id=sample_id, request_id=here.request_id, **words)
    return await here.settle(proposal)


@router.post(
    "/samples/{sample_id}/top-up", summary="Ask for more reads", tags=["samples"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.QC_DECIDE)
async def top_up(here: ProposingHere, sample_id: SampleId, said: TopUpIn) -> ProposalOut:
    """Ask the laboratory for more reads; the next round is judged on all of them."""
    await _sample(here, sample_id)
    words = said.model_dump()
    return await here.settle(
        TopUpProposed(sample_id=sample_id, request_id=here.request_id, **words)
    )


# -- runs and results


async def _case_of(here: ProposingHere, job_id: UUID) -> str | None:
    lost = f"job {job_id}: nobody has asked for it; its id is that of a run"
    row = await here.row(partial(runs.run_of, run_id=str(job_id)), lost)
    case_id: str | None = row["case_id"]
    return case_id


def _no_case(job_id: UUID) -> Refusal:
    return Refusal(404, f"job {job_id}: nobody knows for which case it is; look at its id")


@router.post(
    "/execution/jobs/{job_id}/cancel", summary="End a job", tags=["execution"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.RUNS_WRITE)
async def cancel(here: ProposingHere, job_id: UUID, said: CancelIn) -> ProposalOut:
    """End a job: it is stopped, and what it leaves does not count.

    One that has no run yet ends with the case that it is.
    """
    words = said.model_dump()
    async with here.services.pool.acquire() as connection:
        run = await runs.run_of(connection, str(job_id))
        case = await cases.case_of(connection, case_of_job(job_id)) if run is None else None
    if case is not None:
        closure = {"case_id": case["case_id"], "outcome": "cancelled", **words}
        return await here.settle(CaseClosureProposed(request_id=here.request_id, **closure))
    await _case_of(here, job_id)
    return await here.settle(
        RunCancellationProposed(run_id=job_id, request_id=here.request_id, **words)
    )


@router.post(
    "/execution/jobs/{job_id}/retry", summary="Let a job go on that failed", tags=["execution"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.RUNS_WRITE)
async def retry(here: ProposingHere, job_id: UUID, said: RetryIn) -> ProposalOut:
    """Submit a job once more that failed: as it was asked for, and from the step that failed."""
    await _case_of(here, job_id)
    words = said.model_dump()
    return await here.settle(RunRetryProposed(run_id=job_id, request_id=here.request_id, **words))


@router.post(
    "/execution/jobs/{job_id}/rerun", summary="Have a job once more", tags=["execution"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.RUNS_WRITE)
async def rerun(here: ProposingHere, job_id: UUID, said: RerunIn) -> ProposalOut:
    """Ask for another job in place of one that failed or was cancelled, with the newest editions.

    `seen_offset` is that of its case.
    """
    case_id = await _case_of(here, job_id)
    if case_id is None:
        raise _no_case(job_id)
    words = {"case_id": case_id, "run_id": job_id, **said.model_dump()}
    return await here.settle(RerunProposed(request_id=here.request_id, **words))


@router.post(
    "/execution/jobs/{job_id}/priority", summary="Let a job go before others, or behind them",
    tags=["execution"], response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.RUNS_WRITE)
async def change_priority(here: ProposingHere, job_id: UUID, said: PriorityIn) -> ProposalOut:
    """Change the priority of the case that a job is for: its job moves, as long as it waits.

    What came of that, the job tells later: one that works already goes on where it is.
    `seen_offset` is that of its case.
    """
    words = said.model_dump() | {"priority": PRIORITIES[said.priority]}
    async with here.services.pool.acquire() as connection:
        run = await runs.run_of(connection, str(job_id))
        case = await cases.case_of(connection, case_of_job(job_id)) if run is None else None
    case_id = case["case_id"] if case is not None else await _case_of(here, job_id)
    if case_id is None:
        raise _no_case(job_id)
    named = {"case_id": case_id, "run_id": None if case is not None else job_id}
    return await here.settle(CasePriorityProposed(request_id=here.request_id, **named, **words))


@router.post(
    "/results/{job_id}/release", summary="Publish results that are held", tags=["results"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.RESULTS_DECIDE)
async def release(here: ProposingHere, job_id: UUID, said: ReleaseIn) -> ProposalOut:
    """Publish the results of a job although its checks hold them back."""
    await _case_of(here, job_id)
    words = said.model_dump() | {"role": here.role(Permission.RESULTS_DECIDE, said.role)}
    return await here.settle(
        ResultsReleaseProposed(run_id=job_id, request_id=here.request_id, **words)
    )


@router.post(
    "/results/{job_id}/retract", summary="Withdraw published results", tags=["results"],
    response_model=ProposalOut, responses=WAITS,
)  # fmt: skip
@asks(Permission.RESULTS_DECIDE)
async def retract(here: ProposingHere, job_id: UUID, said: RetractIn) -> ProposalOut:
    """Declare the published results of a job void; the files stay where they are."""
    await _case_of(here, job_id)
    words = said.model_dump() | {"role": here.role(Permission.RESULTS_DECIDE, said.role)}
    return await here.settle(
        ResultsRetractionProposed(run_id=job_id, request_id=here.request_id, **words)
    )


# -- cases


@router.post(
    "/cases", summary="Place an order", tags=["cases"], status_code=201,
    response_model=ProposalOut,
    responses={200: {"model": ProposalOut, "description": "it stands already"}, 202: WAITS[202]},
)  # fmt: skip
@asks(Permission.CASES_WRITE)
async def place_order(
    here: ProposingHere,
    outside: OutsideHere,
    order: Annotated[dict[str, Any], Body(examples=[A_CASE])],
) -> ProposalOut:
    """Open a case, with the fields of CaseOpened; all that is wrong with it is told at once."""
    try:
        opened = outside.orders.read(order)
    except NoOrder as error:
        faults = [{"field": place, "reason": fact} for place, fact in error.faults]
        details = {"field": faults[0]["field"], "rejected_value": None, "faults": faults}
        raise Refusal(422, str(error), details=details) from error
    words = {name: getattr(opened, name) for name in Order.model_fields}
    return await here.settle(CaseProposed(request_id=here.request_id, **words), status=201)


@router.post(
    "/cases/{case_id}/close", summary="Close a case", tags=["cases"], response_model=ProposalOut,
    responses=WAITS,
)  # fmt: skip
@asks(Permission.CASES_WRITE)
async def close(here: ProposingHere, case_id: CaseId, said: CloseIn) -> ProposalOut:
    """Close a case without results; its runs end, and what was said of its samples stays."""
    lost = f"case {case_id}: nobody has heard of it; the known ones are at /v1/cases"
    await here.row(partial(cases.case_of, case_id=case_id), lost)
    words = said.model_dump()
    return await here.settle(
        CaseClosureProposed(case_id=case_id, request_id=here.request_id, **words)
    )


# -- what became of it


@reads.get(
    "/proposals/{proposal_id}", summary="What became of a proposal", response_model=ProposalOut,
    responses={404: {}},
)  # fmt: skip
@asks(Access.SIGNED_IN)
async def show(reading: ReadingHere, caller: CallerHere, proposal_id: UUID) -> ProposalOut:
    """Tell whether it is open, accepted or refused: to its author, and to readers of events."""
    if reading.at is not None:
        raise Refusal(422, "a proposal is told as it is now; leave as_of and at_position out")
    found = await event_of(reading.connection, proposal_id)
    kind = BY_NAME.get(found.type) if found is not None else None
    its_own = (str(caller.account), caller.actor.id)
    is_told = caller.may(Permission.EVENTS_READ) or (found and found.actor_id in its_own)
    if found is None or kind is None or not is_told:
        raise Refusal(404, f"proposal {proposal_id}: is not known here, or is not yours")
    return await become(reading.connection, kind, found.subject, proposal_id)
