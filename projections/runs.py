"""Runs of pipelines and their tasks: how far each is, what it took, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_stuck import RunStuck
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.projections.as_of import relation
from genoflow.projections.course import Moments, course_of
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, one, page
from genoflow.projections.row import Row, Table
from genoflow.projections.run_failures import NO_FAILURE, failure_of
from genoflow.projections.run_ranks import ANSWERS, rank_of
from genoflow.projections.run_stages import RANK, UNKNOWN, Stages, attempt_of
from genoflow.projections.run_tasks import AT_WORK, LOST, OVER, TASKS, TaskKey, TaskRow, told
from genoflow.projections.run_tasks import WORDS as TASK_WORDS
from genoflow.projections.run_usual import beside_usual
from genoflow.projections.store import Connection

HOUR_SECONDS = 3_600
GIGABYTE = 10**9
BYTES_MAX = 2**62  # as much as one file may have, and a column holds
MILLIONTHS = 1_000_000  # of a dollar: whole numbers, so that sums are exact


@dataclass(frozen=True, slots=True)
class RunRow(Row):
    """One run; numbers of tasks are those of its newest attempt, with what that took over."""

    run_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    case_id: str | None = None
    case_revision: int | None = None
    pipeline: str | None = None
    pipeline_version: str | None = None
    reference: str | None = None
    members: int | None = None
    input_bytes: int | None = None
    priority: str | None = None
    priority_kept: str | None = None  # why its job stays, where another one was asked for
    due_at: datetime | None = None
    launcher: str | None = None
    job_id: str | None = None
    attempt: int = 0
    attempts_max: int | None = None
    retries: int = 0  # submissions after the first one
    reason: str | None = None  # why the newest attempt failed, was lost, or was ended
    failure_class: str | None = None  # of the same attempt, where it failed
    failure_rule: str | None = None
    advice: str | None = None  # for whoever reads no code
    evidence: str | None = None  # lines, word for word
    requested_at: datetime | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    tasks_submitted: int = 0  # all that were heard of
    tasks_at_work: int = 0
    tasks_completed: int = 0
    tasks_failed: int = 0
    tasks_expected: int | None = None  # known when it has succeeded
    current_step: str | None = None  # of the task that began last and still works
    task_retries: int = 0
    cpu_hours: float = 0.0  # of every attempt
    memory_gb_hours: float = 0.0
    cost_usd: float | None = None  # as estimated, task by task
    billed_usd: float | None = None  # as far as bills are known
    stuck: str | None = None  # why, as long as there is no news
    void_reads: int = 0  # read sets that it took and that do not count any more


RUNS = Table(
    "runs", RunRow, ("run_id",),
    indexes=(
        "(first_at, run_id)", "(state, first_at, run_id)", "(case_id, case_revision)",
        "(pipeline, pipeline_version, members, ended_at) where tasks_expected is not null",
        "(launcher, priority, started_at) where started_at is not null",
    ),
)  # fmt: skip
LOSING = (RunLost, RunFailed, RunCancelled)  # what worked then is heard of no more
ENDS = (RunExited, RunLost, RunFailed, RunSucceeded, RunCancelled)
UNDER_WAY = (RunSubmitted, RunStarted)


@dataclass(slots=True)
class RunState:
    """What is known of a run while its events are folded."""

    row: RunRow | None = None
    stages: Stages = field(default_factory=Stages)
    tasks: dict[TaskKey, TaskRow] = field(default_factory=dict)
    newest: dict[str, TaskKey] = field(default_factory=dict)  # the newest try of each task
    numbers: dict[str, int] = field(default_factory=dict)  # of tasks, by the state of their newest
    at_work: dict[TaskKey, str] = field(default_factory=dict)  # steps, the one that began last last
    cost_millionths: int | None = None
    billed: dict[tuple[str, str], int] = field(default_factory=dict)  # by source and month


def _change(state: RunState, /, **changes: Any) -> None:
    assert state.row is not None
    state.row = replace(state.row, **changes)


# -- the run


def _stage(state: RunState, event: Any) -> list[TaskRow]:
    before = state.stages.attempt
    if not state.stages.hear(event):
        return []
    assert state.row is not None
    case_id = getattr(event, "case_id", None)
    job_id = getattr(event, "job_id", None)
    _change(state, case_id=state.row.case_id or case_id, job_id=job_id or state.row.job_id)
    lost: list[TaskRow] = []
    if state.stages.attempt > before and state.stages.kind is not RunCancelled:
        lost = _begin_attempt(state)
    handler = OF_RUN.get(type(event))
    if handler is not None:
        handler(state, event)
    if isinstance(event, ENDS):
        _change(state, ended_at=state.row.ended_at or event.envelope.occurred_at)
    if isinstance(event, LOSING) and state.stages.kind is type(event):
        _change(state, reason=event.reason, **failure_of(event))
        lost += _lose_tasks(state)
    return lost


def _begin_attempt(state: RunState) -> list[TaskRow]:
    lost = _lose_tasks(state)
    for task_id, key in list(state.newest.items()):
        if state.tasks[key].state != "completed":
            _count(state, state.tasks[key].state, -1)
            del state.newest[task_id]
    _change(
        state, submitted_at=None, started_at=None, ended_at=None, reason=None,
        tasks_expected=None, retries=state.stages.attempt - 1, **NO_FAILURE,
    )  # fmt: skip
    return lost


def _lose_tasks(state: RunState) -> list[TaskRow]:
    assert state.stages.since is not None
    keys = list(state.at_work)
    return [
        _set(state, replace(state.tasks[key], state=LOST, since=state.stages.since)) for key in keys
    ]


def _requested(state: RunState, event: RunRequested) -> None:
    _change(
        state, case_id=event.case_id, case_revision=event.case_revision, pipeline=event.pipeline,
        pipeline_version=event.pipeline_version, reference=event.reference,
        members=len(event.members),
        input_bytes=min(BYTES_MAX, sum(f.size_bytes for one in event.members for f in one.files)),
        priority=event.priority, due_at=event.due_at,
        launcher=event.launcher, attempts_max=event.attempts_max,
        requested_at=event.envelope.occurred_at,
    )  # fmt: skip


def _submitted(state: RunState, event: RunSubmitted) -> None:
    _change(state, launcher=event.launcher, submitted_at=event.envelope.occurred_at)


def _started(state: RunState, event: RunStarted) -> None:
    assert state.row is not None
    _change(state, started_at=state.row.started_at or event.envelope.occurred_at)


def _succeeded(state: RunState, event: RunSucceeded) -> None:
    _change(state, tasks_expected=event.tasks_completed, reason=None)


def _invalid(state: RunState, event: RunInputsInvalidated) -> list[TaskRow]:
    assert state.row is not None
    _change(state, void_reads=state.row.void_reads + 1, case_id=state.row.case_id or event.case_id)
    return []


def _stuck(state: RunState, event: RunStuck) -> list[TaskRow]:
    if event.attempt == state.stages.attempt and state.stages.kind in UNDER_WAY:
        _change(state, stuck=f"{event.reason_code}: {event.reason}")
    return []


def _ranked(state: RunState, event: Any) -> list[TaskRow]:
    if attempt_of(event) >= state.stages.attempt:  # else of a submission that was given up
        _change(state, **rank_of(event))
    return []


def _billed(state: RunState, event: RunCostRecorded) -> list[TaskRow]:
    state.billed[event.source, event.month] = round(event.cost_usd * MILLIONTHS)
    _change(state, billed_usd=sum(state.billed.values()) / MILLIONTHS)
    return []


# -- its tasks


def _task(state: RunState, event: Any) -> list[TaskRow]:
    key = (event.attempt, event.task_id, event.task_attempt)
    before = state.tasks.get(key)
    row = told(before, event)
    is_given_up = event.attempt < state.stages.attempt or state.stages.kind in LOSING
    if row.state in AT_WORK and is_given_up:
        row = replace(row, state=LOST)
    if row.state in OVER and (before is None or before.state not in OVER):
        _spend(state, row)
    return [_set(state, row)]


def _set(state: RunState, row: TaskRow) -> TaskRow:
    key, before = row.try_key, state.tasks.get(row.try_key)
    newest = state.newest.get(row.task_id)
    if newest is None or key >= newest:
        if newest is not None:
            _count(state, state.tasks[newest].state, -1)
            del state.newest[row.task_id]
        # What was done in an attempt that was given up need not be done again.
        if row.attempt >= state.stages.attempt or row.state == "completed":
            state.newest[row.task_id] = key
            _count(state, row.state, 1)
    state.tasks[key] = row
    if before is None or before.state != row.state:
        state.at_work.pop(key, None)
        if row.state in AT_WORK:
            state.at_work[key] = row.process
    return row


def _current_step(state: RunState) -> str | None:
    """The step that began last and still works, else the one that waits last."""
    newest_first = list(reversed(state.at_work.items()))
    works = (step for key, step in newest_first if state.tasks[key].state == "started")
    return next(works, newest_first[0][1] if newest_first else None)


def _count(state: RunState, word: str, number: int) -> None:
    state.numbers[word] = state.numbers.get(word, 0) + number


def _spend(state: RunState, row: TaskRow) -> None:
    """Add what a task took; what was taken from an earlier attempt was paid for there."""
    assert state.row is not None
    if row.will_retry:
        _change(state, task_retries=state.row.task_retries + 1)
    if row.is_cached:
        return
    hours = (row.work_seconds or 0.0) / HOUR_SECONDS
    cores = row.cpu_percent / 100 if row.cpu_percent is not None else float(row.cpus or 0)
    memory = row.peak_rss_bytes if row.peak_rss_bytes is not None else row.memory_bytes
    if row.cost_usd is not None:
        cost = round(row.cost_usd * MILLIONTHS)
        state.cost_millionths = (state.cost_millionths or 0) + cost
    _change(
        state,
        cpu_hours=state.row.cpu_hours + cores * hours,
        memory_gb_hours=state.row.memory_gb_hours + (memory or 0) / GIGABYTE * hours,
        cost_usd=None if state.cost_millionths is None else state.cost_millionths / MILLIONTHS,
    )


OF_RUN: Mapping[type[Event], Callable[[RunState, Any], None]] = {
    RunRequested: _requested, RunSubmitted: _submitted, RunStarted: _started,
    RunSucceeded: _succeeded,
}  # fmt: skip
USES: Mapping[type[Event], Callable[[RunState, Any], list[TaskRow]]] = {
    **dict.fromkeys(RANK, _stage),
    **dict.fromkeys(TASK_WORDS, _task),
    RunInputsInvalidated: _invalid,
    RunStuck: _stuck,
    **dict.fromkeys(ANSWERS, _ranked),
    RunCostRecorded: _billed,
}


class Runs(ReadModel[RunState]):
    """A row a run, and a row a try of each of its tasks."""

    name = "runs"
    version = 3
    about = "runs of pipelines and their tasks: how far each is, and what it took"
    reads = (topics.RUN,)
    tables = (RUNS, TASKS)

    def begin(self, _: str) -> RunState:
        """Nothing was heard of it."""
        return RunState()

    def project(self, state: RunState, record: Recorded) -> Iterable[Row]:
        """The run as it is now, and the tasks that changed."""
        event = record.event
        handler = USES.get(type(event))
        if handler is None:
            return
        at = event.envelope.occurred_at
        state.row = state.row or RunRow(record.key, first_at=at, state=UNKNOWN, since=at)
        if isinstance(event, (*RANK, *TASK_WORDS)):  # news
            _change(state, stuck=None)
        yield from handler(state, event)
        stages = state.stages
        _change(
            state, state=stages.word, since=stages.since or state.row.first_at,
            waits_for=stages.waits_for, attempt=stages.attempt,
            tasks_submitted=len(state.newest),
            tasks_at_work=sum(state.numbers.get(word, 0) for word in AT_WORK),
            tasks_completed=state.numbers.get("completed", 0),
            tasks_failed=state.numbers.get("failed", 0),
            current_step=_current_step(state),
        )  # fmt: skip
        yield state.row


# -- queries

ORDER = ("first_at", "run_id")


async def run_of(connection: Connection, run_id: str, *, at: Vector | None = None) -> Found | None:
    """One run, with how far it is and how long runs like it took."""
    found = await one(connection, RUNS, Where().add("run_id = {}", run_id), at)
    if found is None:
        return None
    [told] = await beside_usual(connection, RUNS, [found], at)
    return told


def _where(
    state: str | None, case_id: str | None, pipeline: str | None, launcher: str | None
) -> Where:
    return (
        Where().add("state = {}", state).add("case_id = {}", case_id)
        .add("pipeline = {}", pipeline).add("launcher = {}", launcher)
    )  # fmt: skip


async def list_runs(
    connection: Connection,
    *,
    state: str | None = None,
    case_id: str | None = None,
    pipeline: str | None = None,
    launcher: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Runs, the one that was heard of last first."""
    where = _where(state, case_id, pipeline, launcher)
    select = f"select * from {relation(RUNS, at)}"
    found = await page(
        connection, select, where, ORDER, after=after, limit=limit, newest_first=True
    )
    return await beside_usual(connection, RUNS, found, at)


async def count_runs(
    connection: Connection,
    *,
    case_id: str | None = None,
    pipeline: str | None = None,
    launcher: str | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many runs there are in each state."""
    where = _where(None, case_id, pipeline, launcher)
    return await counts(connection, RUNS, where, at)


async def course(connection: Connection, states: Sequence[str], moments: Moments) -> list[int]:
    """How many runs were in one of these states at each moment."""
    return await course_of(connection, RUNS, "state = any($4::text[])", moments, list(states))
