"""The porch of an engine's trace: a task that has ended becomes a fact, the same one each time.

A trace has rows only of tasks that have ended. Of those that wait or work, weblog's payload tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import begin
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.processors.running.manifest import Submission

TASK_NEWS = "task-news"
SIGNALS_FROM = 128  # as shells say it: and the number of the signal
NAME_CHARACTERS_MAX = 100
NEVER = -1.0
SUCCESSES = ("COMPLETED", "CACHED")
FAILURES = ("FAILED", "ABORTED")

Row = Mapping[str, str]


def task_facts(
    submission: Submission, rows: Sequence[Row], *, is_over: bool, by: Producer
) -> list[TaskCompleted | TaskFailed]:
    """What ended, in its envelope; failures only when all is over: then it is known what came."""
    facts = []
    for row in rows:
        if row["status"] in FAILURES and not is_over:
            continue
        again = any(_is_retry(row, other) for other in rows)
        fact = ended_fact(submission, row, will_retry=again, by=by)
        if fact is not None:
            facts.append(fact)
    return facts


def ended_fact(
    submission: Submission, row: Row, *, will_retry: bool, by: Producer
) -> TaskCompleted | TaskFailed | None:
    """What a row of the trace says of a task, in its envelope; None where it has not ended."""
    if row["status"] in SUCCESSES:
        return _enveloped(submission, row, _completed(submission, row), by)
    if row["status"] in FAILURES:
        return _enveloped(submission, row, _failed(submission, row, will_retry), by)
    return None


def _enveloped(
    submission: Submission, row: Row, fact: TaskCompleted | TaskFailed, by: Producer
) -> TaskCompleted | TaskFailed:
    return begin(
        fact,
        occurred_at=time_of(row, "complete") or time_of(row, "submit") or datetime.now(UTC),
        actor=Actor(kind="service", id=TASK_NEWS),
        by=by,
        correlation_id=submission.correlation_id,
        causation_id=submission.caused_by,
    )


def _completed(submission: Submission, row: Row) -> TaskCompleted:
    return TaskCompleted(
        **_ended_task(submission, row),
        exit_code=_exit_code(row) or 0,
        is_cached=row["status"] == "CACHED",
        duration_seconds=_seconds(row, "duration"),
        work_seconds=_seconds(row, "realtime"),
    )


def _failed(submission: Submission, row: Row, will_retry: bool) -> TaskFailed:
    code = _exit_code(row)
    how = "was ended with the run" if row["status"] == "ABORTED" else f"ended with exit code {code}"
    by_signal = f", which is signal {code - SIGNALS_FROM}" if code and code > SIGNALS_FROM else ""
    return TaskFailed(
        **_ended_task(submission, row),
        exit_code=code,
        will_retry=will_retry,
        reason=f"the task {how}{by_signal}; the end of the run's own output says more",
        duration_seconds=_seconds(row, "duration"),
    )


def _ended_task(submission: Submission, row: Row) -> dict[str, object]:
    native_id = row.get("native_id", "")
    return task_fields(submission, row) | {
        "native_id": native_id if native_id not in ("", "-") else None,
        "submitted_at": time_of(row, "submit"), "started_at": time_of(row, "start"),
        "completed_at": time_of(row, "complete"),
    }  # fmt: skip


def task_fields(submission: Submission, row: Row) -> dict[str, object]:
    """Which task it is, in the fields that all news of tasks have."""
    asked = submission.requested
    known = {one.sample_id for one in asked.members}
    first = row.get("tag", "").split(" ")[0]
    return {
        "run_id": asked.run_id, "attempt": submission.attempt, "job_id": str(submission.job_id),
        "task_id": row["hash"], "task_attempt": int(row.get("attempt") or 1),
        "task_number": int(row["task_id"]), "process": row["process"][:NAME_CHARACTERS_MAX],
        "task_name": row["name"][:NAME_CHARACTERS_MAX],
        "sample_id": first if first in known else None,
    }  # fmt: skip


def _is_retry(row: Row, other: Row) -> bool:
    return row["name"] == other["name"] and int(other["attempt"]) > int(row["attempt"])


def _milliseconds(row: Row, name: str) -> float:
    text = row.get(name, "")
    return float(text) if text.isdecimal() else NEVER


def time_of(row: Row, name: str) -> datetime | None:
    """A time of a row, which has them in milliseconds; None where it did not come to it."""
    found = _milliseconds(row, name)
    return datetime.fromtimestamp(found / 1_000, UTC) if found > 0 else None


def _seconds(row: Row, name: str) -> float | None:
    found = _milliseconds(row, name)
    return found / 1_000 if found >= 0 else None


def _exit_code(row: Row) -> int | None:
    code = row["exit"]
    return int(code) if code.isdecimal() and int(code) <= 255 else None
