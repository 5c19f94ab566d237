"""The porch of weblog's payload: what an engine posts while it works becomes facts of its run.

The same task is named by the same hash here and in the trace, so whoever speaks first is believed
and the other says nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import InvalidEvent, Refused
from genoflow.events.event import Event, begin, explain
from genoflow.events.run_started import RunStarted
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.processors.intake.task_news import TASK_NEWS, Row, ended_fact, task_fields, time_of
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name
from genoflow.processors.running.prices import Prices

ENGINE = "nextflow"
RETRIED = "RETRY"
PLACE = "the payload of weblog"
# What a run says of itself besides; how it ended, its manifest says.
SAYS_NOTHING = ("completed", "error")


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


def _text(value: object) -> object:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=1_000)]


class _Trace(_Lenient):
    """What is known of a task, as the trace file would write it."""

    task_id: Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]
    hash: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=1_000)]
    process: Annotated[str, Field(min_length=1, max_length=1_000)]
    attempt: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}$")] = "1"
    status: Text = ""
    tag: Text = ""
    native_id: Text = ""
    queue: Text = ""
    exit: Text = ""
    submit: Text = ""
    start: Text = ""
    complete: Text = ""
    duration: Text = ""
    realtime: Text = ""
    error_action: Text = ""
    container: Text = ""
    workdir: Text = ""
    cpus: Text = ""
    memory: Text = ""
    percent: Text = Field("", alias="%cpu")
    peak_rss: Text = ""
    read_bytes: Text = ""
    write_bytes: Text = ""


class _Payload(_Lenient):
    runName: str  # noqa: N815 -- weblog's own names
    runId: UUID  # noqa: N815 -- the same
    event: str
    trace: _Trace | None = None
    metadata: dict[str, Any] | None = None


def told(
    submission: Submission,
    body: bytes,
    *,
    engine_version: str,
    by: Producer,
    prices: Prices | None = None,
) -> list[Event]:
    """The facts of one payload, in their envelopes; Refused where it is none, or another run's."""
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as error:
        raise Refused(f"{explain(PLACE, error)}; nothing is said of it") from error
    expected = job_name(submission.requested.run_id, submission.attempt)
    if payload.runName != expected:
        raise Refused(f"{PLACE} is about {payload.runName:.100}, and this is {expected}; ask there")
    try:
        return _facts(submission, payload, engine_version, by, prices)
    except InvalidEvent as error:
        raise Refused(f"{PLACE}: {error}; nothing is said of it") from error


def _facts(
    submission: Submission,
    payload: _Payload,
    engine_version: str,
    by: Producer,
    prices: Prices | None,
) -> list[Event]:
    if payload.event == "started":
        return [_said(submission, _started(submission, payload, engine_version), None, by)]
    if payload.event in SAYS_NOTHING:
        return []
    if payload.trace is None:
        raise Refused(f"{PLACE}: {payload.event:.100} comes without a trace; nothing is said of it")
    row = payload.trace.model_dump(by_alias=True)
    task = task_fields(submission, row)
    native_id = row["native_id"] or None
    if payload.event == "process_submitted":
        fact: Event = TaskSubmitted(**task, queue=row["queue"] or None)
        return [_said(submission, fact, time_of(row, "submit"), by)]
    if payload.event == "process_started":
        fact = TaskStarted(**task, native_id=native_id)
        return [_said(submission, fact, time_of(row, "start"), by)]
    if payload.event != "process_completed":
        raise Refused(f"{PLACE}: nobody knows the event {payload.event:.100}; it is left out")
    return _ended(submission, row, by, prices)


def _ended(submission: Submission, row: Row, by: Producer, prices: Prices | None) -> list[Event]:
    failed = row["status"] in ("FAILED", "ABORTED")
    if failed and not row["error_action"]:
        return []  # what comes of it, the trace says when the run is over
    fact = ended_fact(
        submission, row, will_retry=row["error_action"] == RETRIED, by=by, prices=prices
    )
    return [] if fact is None else [fact]


def _started(submission: Submission, payload: _Payload, engine_version: str) -> RunStarted:
    workflow = (payload.metadata or {}).get("workflow")
    resumed = isinstance(workflow, Mapping) and workflow.get("resume") is True
    return RunStarted(
        run_id=submission.requested.run_id,
        attempt=submission.attempt,
        job_id=str(submission.job_id),
        engine=ENGINE,
        engine_version=engine_version,
        session_id=str(payload.runId),
        resumed=resumed,
    )


def _said(submission: Submission, fact: Event, at: datetime | None, by: Producer) -> Event:
    return begin(
        fact,
        occurred_at=at or datetime.now(UTC),
        actor=Actor(kind="service", id=TASK_NEWS),
        by=by,
        correlation_id=submission.correlation_id,
        causation_id=submission.caused_by,
    )
