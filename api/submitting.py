"""Jobs that somebody asks for: samples that were ordered, by a pipeline of their choice.

A job is a case of its own, so the flow does the rest. Its id is known before there is a run: it
comes from the name of the request, and the case hands it to the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import CallerHere, GuardedRoute, RequestName, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.job_orders import ENDED_WELL, NoJob, Takes, Wish, order_of_job
from genoflow.api.proposing import ProposalOut, ProposingHere
from genoflow.api.refusal import Refusal
from genoflow.api.subscribing import ChannelOut, SubscriptionIn, may_subscribe, subscribed
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.order import Order
from genoflow.events.types import DocumentId, SampleId
from genoflow.projections import cases, catalog
from genoflow.projections.run_usual import usual_seconds
from genoflow.projections.runs import RUNS
from genoflow.projections.store import Connection

A_JOB = "5d3a6f6e-1f6b-5c0e-9c55-0a4e9d8f7b21"
SOURCE = "api"
SAMPLES_MAX = 100  # as many as a case has
CASES_MAX = 100  # of one sample that are looked at, the newest of them
HOUR_SECONDS, MINUTE_SECONDS = 3_600, 60
OF_A_JOB = ("run_id", "configuration")  # which an order of people does not say
MEMBER_FIELDS = tuple(CaseMember.model_fields)

router = APIRouter(prefix="/execution", tags=["execution"], route_class=GuardedRoute)


class NotificationsIn(BaseModel):
    """Who is told when the job has started, is completed, or has failed."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(None, min_length=3, max_length=320)
    webhook_url: str | None = Field(None, min_length=3, max_length=2_048)


class JobIn(BaseModel):
    """Samples that were ordered, and what is to be made of them."""

    model_config = ConfigDict(extra="forbid")

    pipeline_id: DocumentId = Field(examples=["germline"])
    config_id: str | None = Field(
        None, min_length=1, max_length=200,
        description="a saved configuration of the pipeline; its own parameters otherwise",
    )  # fmt: skip
    sample_ids: list[SampleId] = Field(
        min_length=1, max_length=SAMPLES_MAX,
        description="one sample, or the members of one case", examples=[["S1"]],
    )  # fmt: skip
    priority: Literal["high", "normal", "low"] = "normal"
    notification_settings: NotificationsIn | None = None


class JobAccepted(BaseModel):
    """A job that was asked for."""

    job_id: UUID = Field(description="ask for it at /v1/execution/jobs/{id}", examples=[A_JOB])
    status: Literal["queued"]
    estimated_start: datetime | None = Field(description="null where nobody knows")
    estimated_duration: str | None = Field(
        description="that of the last job like it, as ISO 8601 has it; null where there is none",
        examples=["PT2H30M"],
    )
    case_id: str = Field(description="the case that it is", examples=[f"job-{A_JOB}"])
    proposal_id: UUID = Field(description="what became of it is at /v1/proposals/{id}")
    subscriptions: list[ChannelOut] = Field(description="who is told of it, by channel")


@router.post(
    "/jobs", summary="Ask for a job", status_code=201, response_model=JobAccepted,
    responses={
        200: {"model": JobAccepted, "description": "it was asked for before"},
        202: {"model": JobAccepted, "description": "not decided yet: Location names the proposal"},
    },
)  # fmt: skip
@asks(Permission.RUNS_WRITE)
async def submit(
    here: ProposingHere, caller: CallerHere, called: RequestName, said: JobIn
) -> JobAccepted:
    """Have a pipeline run for samples; it begins as soon as their reads are good.

    Assay, reference, regions and profile are those of the newest order of these samples. The
    results are the job's own, and take nobody's place.
    """
    job_id = uuid5(called, "job")
    wish = Wish(said.pipeline_id, said.sample_ids, said.priority, said.config_id)
    async with here.services.pool.acquire() as connection:
        pipeline = await _pipeline(connection, said.pipeline_id)
        orders = await _orders_of(connection, said.sample_ids)
        try:
            takes = _takes(pipeline, await _configured(connection, said.config_id))
            order = order_of_job(wish, takes, orders, job_id, SOURCE)
        except NoJob as error:
            raise _refusal(error.faults) from error
        seconds = await _usual(connection, pipeline, len(order.members))
    told_of = _subscription(said.notification_settings, job_id)
    if told_of is not None:
        may_subscribe(caller, told_of, here.writing)
    words = {name: getattr(order, name) for name in (*Order.model_fields, *OF_A_JOB)}
    settled: ProposalOut = await here.settle(
        CaseProposed(request_id=here.request_id, **words), status=201
    )
    channels: list[ChannelOut] = []
    if told_of is not None:
        made = await subscribed(told_of, caller, called, here.writing, here.response)
        channels = made.subscriptions
    return JobAccepted(
        job_id=job_id, status="queued", estimated_start=None,
        estimated_duration=None if seconds is None else duration(seconds),
        case_id=order.case_id, proposal_id=settled.proposal_id, subscriptions=channels,
    )  # fmt: skip


def duration(seconds: float) -> str:
    """A length of time as ISO 8601 has it, to the minute; below that to the second."""
    whole = round(seconds)
    if whole < MINUTE_SECONDS:
        return f"PT{max(whole, 1)}S"
    minutes = round(whole / MINUTE_SECONDS)
    hours, rest = divmod(minutes, MINUTE_SECONDS)
    return "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest or not hours else "")


def _refusal(faults: Sequence[tuple[str, str]]) -> Refusal:
    told = [{"field": place, "reason": fact} for place, fact in faults]
    details = {"field": told[0]["field"], "rejected_value": None, "faults": told}
    return Refusal(422, "\n".join(f"{place}: {fact}" for place, fact in faults), details=details)


def _subscription(said: NotificationsIn | None, job_id: UUID) -> SubscriptionIn | None:
    given = {} if said is None else said.model_dump(exclude_none=True)
    if not given:
        return None
    named = {"email": "email", "webhook_url": "webhook"}
    return SubscriptionIn(
        job_id=job_id, channels=[named[one] for one in given],
        events=["started", "completed", "failed"], **given,
    )  # fmt: skip


# -- what is known


async def _pipeline(connection: Connection, name: str) -> Mapping[str, Any] | None:
    found = await catalog.document_of(connection, name)
    if found is None or found["kind"] != "pipeline":
        return None
    return await catalog.content_of(connection, name, found["version"])


async def _configured(connection: Connection, name: str | None) -> str | None:
    """The pipeline that a configuration is of; None where nobody has saved it."""
    found = await catalog.document_of(connection, name) if name is not None else None
    if found is None or found["kind"] != "configuration":
        return None
    content = await catalog.content_of(connection, found["document_id"], found["version"])
    return str(content["pipeline"]) if content is not None else None


def _takes(pipeline: Mapping[str, Any] | None, configured: str | None) -> Takes | None:
    if pipeline is None:
        return None
    return Takes(pipeline["case_kinds"], pipeline["materials"], configured)


async def _orders_of(connection: Connection, sample_ids: Sequence[str]) -> list[CaseOpened]:
    """What was ordered for these samples and not taken back, the newest order last."""
    rows = {
        row["case_id"]: row
        for sample_id in dict.fromkeys(sample_ids)
        for row in await cases.list_cases(connection, sample_id=sample_id, limit=CASES_MAX)
        if row["opened_at"] is not None and not _is_taken_back(row)
    }
    in_order = sorted(rows.values(), key=lambda row: (row["opened_at"], row["case_id"]))
    return [await _order(connection, row) for row in in_order]


def _is_taken_back(row: Mapping[str, Any]) -> bool:
    return row["closed_at"] is not None and row["state"] != ENDED_WELL


async def _order(connection: Connection, row: Mapping[str, Any]) -> CaseOpened:
    members = [
        {name: one[name] for name in MEMBER_FIELDS}
        for one in await cases.members_of(connection, row["case_id"])
        if one["is_ordered"]
    ]
    words = {name: row[name] for name in Order.model_fields if name != "members"}
    return CaseOpened(**words, members=members)


async def _usual(
    connection: Connection, pipeline: Mapping[str, Any] | None, members: int
) -> float | None:
    assert pipeline is not None
    like = (pipeline["document_id"], pipeline["version"], members)
    return await usual_seconds(connection, RUNS, like)
