"""The porch of an engine's trace: a task that has ended becomes a fact, the same one each time.

A trace has rows only of tasks that have ended. Of those that wait or work, weblog's payload tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import begin
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_resources import TaskResources
from genoflow.processors.running.failures import Seen, classified
from genoflow.processors.running.last_words import complaints_of_task
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.prices import Prices

TASK_NEWS = "task-news"
SIGNALS_FROM = 128  # as shells say it: and the number of the signal
NAME_CHARACTERS_MAX = 100
NEVER = -1.0
TASK_LOG = ".command.log"  # as Nextflow calls what a task writes
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,20})?")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")
SUCCESSES = ("COMPLETED", "CACHED")
FAILURES = ("FAILED", "ABORTED")

Row = Mapping[str, str]


def task_facts(
    submission: Submission,
    rows: Sequence[Row],
    *,
    is_over: bool,
    by: Producer,
    prices: Prices | None = None,
) -> list[TaskCompleted | TaskFailed]:
    """What ended, in its envelope; failures only when all is over: then it is known what came."""
    facts = []
    for row in rows:
        if row["status"] in FAILURES and not is_over:
            continue
        again = any(_is_retry(row, other) for other in rows)
        fact = ended_fact(submission, row, will_retry=again, by=by, prices=prices)
        if fact is not None:
            facts.append(fact)
    return facts


def ended_fact(
    submission: Submission,
    row: Row,
    *,
    will_retry: bool,
    by: Producer,
    prices: Prices | None = None,
) -> TaskCompleted | TaskFailed | None:
    """What a row of the trace says of a task, in its envelope; None where it has not ended."""
    if row["status"] in SUCCESSES:
        return _enveloped(submission, row, _completed(submission, row, prices), by)
    if row["status"] in FAILURES:
        return _enveloped(submission, row, _failed(submission, row, will_retry, prices), by)
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


def _completed(submission: Submission, row: Row, prices: Prices | None) -> TaskCompleted:
    return TaskCompleted(
        **_ended_task(submission, row, prices),
        exit_code=_exit_code(row) or 0,
        is_cached=row["status"] == "CACHED",
        duration_seconds=_seconds(row, "duration"),
    )


def _failed(
    submission: Submission, row: Row, will_retry: bool, prices: Prices | None
) -> TaskFailed:
    code = _exit_code(row)
    how = "was ended with the run" if row["status"] == "ABORTED" else f"ended with exit code {code}"
    by_signal = f", which is signal {code - SIGNALS_FROM}" if code and code > SIGNALS_FROM else ""
    return TaskFailed(
        **_ended_task(submission, row, prices),
        exit_code=code,
        will_retry=will_retry,
        reason=f"the task {how}{by_signal}; the end of the run's own output says more",
        duration_seconds=_seconds(row, "duration"),
        **_verdict(row, code),
    )


def _verdict(row: Row, code: int | None) -> dict[str, object]:
    """Which kind of failure it is; one that was ended with its run has none of its own."""
    if row["status"] == "ABORTED":
        return {}
    verdict = classified(Seen(exit_code=code, lines=complaints_of_task(row.get("workdir", ""))))
    return {
        "failure_class": verdict.rule.failure_class, "failure_rule": verdict.rule.name,
        "evidence": verdict.evidence,
    }  # fmt: skip


def _ended_task(submission: Submission, row: Row, prices: Prices | None) -> dict[str, object]:
    image, work_uri = _word(row, "container"), _uri(_word(row, "workdir"))
    seconds = _seconds(row, "realtime")
    used = _resources(row, seconds)
    if used is not None and prices is not None and row["status"] != "CACHED":
        cost = prices.cost_of(submission.requested.launcher, used, seconds)
        used = used.model_copy(update={"cost_usd": cost})
    return task_fields(submission, row) | {
        "native_id": _word(row, "native_id"), "work_seconds": seconds, "resources": used,
        "container": image, "container_digest": _digest(image), "work_uri": work_uri,
        "log_uri": None if work_uri is None else f"{work_uri}/{TASK_LOG}",
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


def _resources(row: Row, seconds: float | None) -> TaskResources | None:
    """What it was given and what it took; None where the engine measured nothing."""
    percent = _measured(row, "%cpu")
    peak = _whole(row, "peak_rss") or None  # 0 of a task that ended before it was looked at
    known = {
        "cpus": _whole(row, "cpus"), "memory_bytes": _whole(row, "memory"),
        "cpu_percent": percent, "peak_rss_bytes": peak,
        "read_bytes": _whole(row, "read_bytes"), "write_bytes": _whole(row, "write_bytes"),
        "cpu_seconds": (
            None if percent is None or seconds is None else round(percent / 100 * seconds, 3)
        ),
    }  # fmt: skip
    return None if set(known.values()) == {None} else TaskResources.model_validate(known)


def _word(row: Row, name: str) -> str | None:
    found = row.get(name, "")
    return found if found not in ("", "-") else None


def _measured(row: Row, name: str) -> float | None:
    text = row.get(name, "")
    return round(float(text), 3) if NUMBER.fullmatch(text) else None


def _whole(row: Row, name: str) -> int | None:
    found = _measured(row, name)
    return None if found is None else int(found)


def _digest(image: str | None) -> str | None:
    """By which an image is named that cannot change; a tag can."""
    found = DIGEST.search(image or "")
    return found[0] if found else None


def _uri(place: str | None) -> str | None:
    if place is None:
        return None
    return f"file://{place}" if place.startswith("/") else place


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
