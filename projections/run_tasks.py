"""One try of one task of a run, as the engine's news tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_resources import TaskResources
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.projections.as_of import relation
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, page
from genoflow.projections.row import Row, Table
from genoflow.projections.store import Connection

TaskKey = tuple[int, str, int]  # attempt of the run, the engine's hash, the engine's own try


@dataclass(frozen=True, slots=True)
class TaskRow(Row):
    """One try of one task in one attempt of a run."""

    run_id: str
    attempt: int
    task_id: str
    task_attempt: int
    job_id: str
    process: str
    name: str
    state: str  # submitted, started, completed, failed; lost where its attempt ended before it
    since: datetime
    sample_id: str | None = None
    number: int | None = None
    native_id: str | None = None
    queue: str | None = None
    machine: str | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_cached: bool = False
    will_retry: bool | None = None
    exit_code: int | None = None
    signal: str | None = None
    reason: str | None = None
    work_seconds: float | None = None
    cpus: int | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    cpu_seconds: float | None = None
    peak_rss_bytes: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    machine_type: str | None = None
    cost_usd: float | None = None
    container: str | None = None
    container_digest: str | None = None
    work_uri: str | None = None
    log_uri: str | None = None

    @property
    def try_key(self) -> TaskKey:
        """What tells it from the other tries of its run."""
        return self.attempt, self.task_id, self.task_attempt


ORDER = ("attempt", "task_id", "task_attempt")
TASKS = Table(
    "tasks", TaskRow, ("run_id", "attempt", "task_id", "task_attempt"), indexes=("(run_id, state)",)
)
WORDS: dict[type[Event], str] = {
    TaskSubmitted: "submitted", TaskStarted: "started", TaskCompleted: "completed",
    TaskFailed: "failed",
}  # fmt: skip
LOST = "lost"
AT_WORK = ("submitted", "started")
OVER = ("completed", "failed")
RANK = {"submitted": 0, "started": 1, LOST: 2, "completed": 3, "failed": 3}


def told(before: TaskRow | None, event: Any) -> TaskRow:
    """The row after this news; late news fills in what was not known, and takes nothing back."""
    word, at = WORDS[type(event)], event.envelope.occurred_at
    row = before or TaskRow(
        run_id=event.key, attempt=event.attempt, task_id=event.task_id,
        task_attempt=event.task_attempt, job_id=event.job_id, process=event.process,
        name=event.task_name, sample_id=event.sample_id, number=event.task_number, state=word,
        since=at,
    )  # fmt: skip
    if before is not None and RANK[word] >= RANK[before.state]:
        row = replace(row, state=word, since=at)
    return replace(row, **_USES[type(event)](row, event))


def _submitted(row: TaskRow, event: TaskSubmitted) -> dict[str, Any]:
    return {"queue": event.queue, "submitted_at": row.submitted_at or event.envelope.occurred_at}


def _started(row: TaskRow, event: TaskStarted) -> dict[str, Any]:
    at = row.started_at or event.envelope.occurred_at
    native_id = event.native_id or row.native_id
    return {"machine": event.machine, "native_id": native_id, "started_at": at}


def _over(row: TaskRow, event: TaskCompleted | TaskFailed) -> dict[str, Any]:
    found = event.resources or TaskResources()
    return {
        "native_id": event.native_id or row.native_id,
        "submitted_at": event.submitted_at or row.submitted_at,
        "started_at": event.started_at or row.started_at,
        "ended_at": event.completed_at or event.envelope.occurred_at,
        "exit_code": event.exit_code, "work_uri": event.work_uri, "log_uri": event.log_uri,
        "container": event.container, "container_digest": event.container_digest,
        "cpu_seconds": found.cpu_seconds,
        "work_seconds": _work_seconds(event), "cpus": found.cpus,
        "cpu_percent": found.cpu_percent, "memory_bytes": found.memory_bytes,
        "peak_rss_bytes": found.peak_rss_bytes, "read_bytes": found.read_bytes,
        "write_bytes": found.write_bytes, "machine_type": found.machine_type,
        "cost_usd": None if found.cost_usd is None else float(found.cost_usd),
    }  # fmt: skip


def _work_seconds(event: TaskCompleted | TaskFailed) -> float | None:
    if event.work_seconds is not None:
        return event.work_seconds
    if event.started_at is not None and event.completed_at is not None:
        return max(0.0, (event.completed_at - event.started_at).total_seconds())
    return None


def _completed(row: TaskRow, event: TaskCompleted) -> dict[str, Any]:
    return {"is_cached": event.is_cached, **_over(row, event)}


def _failed(row: TaskRow, event: TaskFailed) -> dict[str, Any]:
    more = {"will_retry": event.will_retry, "signal": event.signal, "reason": event.reason}
    return more | _over(row, event)


_USES: Mapping[type[Event], Callable[[TaskRow, Any], dict[str, Any]]] = {
    TaskSubmitted: _submitted, TaskStarted: _started, TaskCompleted: _completed,
    TaskFailed: _failed,
}  # fmt: skip


async def tasks_of(
    connection: Connection,
    run_id: str,
    *,
    state: str | None = None,
    attempt: int | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """The tries of a run's tasks, by attempt."""
    where = Where().add("run_id = {}", run_id).add("state = {}", state)
    where.add("attempt = {}", attempt)
    select = f"select * from {relation(TASKS, at)}"
    return await page(connection, select, where, ORDER, after=after, limit=limit)
