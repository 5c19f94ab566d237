"""From a trace to facts of tasks: what ended, when, of which sample, and whether it was retried."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_resources import TaskResources
from genoflow.processors.intake.task_news import task_facts
from genoflow.processors.running.engine import Plan
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.nextflow import Nextflow
from tests.examples import someone
from tests.run_facts import requested
from tests.unit.test_prices import TABLE

STORY = UUID(int=5)
SUBMISSION = Submission(
    requested=requested(), attempt=1, job_id=UUID(int=9), caused_by=UUID(int=4),
    correlation_id=STORY,
)  # fmt: skip
ROW = {
    "task_id": "2", "hash": "ab/cdef01", "native_id": "77", "process": "ALIGN", "tag": "S1 S1.A",
    "name": "ALIGN (S1 S1.A)", "status": "COMPLETED", "exit": "0", "attempt": "1",
    "submit": "1000", "start": "1500", "complete": "4000", "duration": "3000", "realtime": "2500",
}  # fmt: skip


def facts(*rows: dict[str, str], is_over: bool = True) -> list[Any]:
    return [*task_facts(SUBMISSION, rows, is_over=is_over, by=someone())]


def test_a_task_that_ended_well_is_a_fact_of_its_run() -> None:
    [fact] = facts(ROW, is_over=False)
    assert isinstance(fact, TaskCompleted)
    assert (fact.process, fact.sample_id, fact.task_id, fact.exit_code) == (
        "ALIGN", "S1", "ab/cdef01", 0,
    )  # fmt: skip
    assert (fact.duration_seconds, fact.work_seconds) == (3.0, 2.5)
    assert fact.envelope.occurred_at == datetime.fromtimestamp(4, UTC)
    assert fact.envelope.correlation_id == STORY
    assert facts(ROW)[0].envelope.event_id == fact.envelope.event_id


def test_a_cached_task_and_one_of_no_sample() -> None:
    [fact] = facts({**ROW, "status": "CACHED", "tag": "-", "exit": "-"})
    assert (fact.is_cached, fact.sample_id) == (True, None)


def test_what_a_task_was_given_and_took_is_told_with_its_end() -> None:
    digest = f"sha256:{'a' * 64}"
    measured = {
        "cpus": "4", "memory": "8000000000", "%cpu": "250.4", "peak_rss": "2000000000",
        "read_bytes": "10", "write_bytes": "-", "container": f"lab/align@{digest}",
        "workdir": "/scratch/ab/cdef01",
    }  # fmt: skip
    [fact] = facts({**ROW, **measured})
    used = TaskResources(
        cpus=4, memory_bytes=8_000_000_000, cpu_percent=250.4, peak_rss_bytes=2_000_000_000,
        read_bytes=10, cpu_seconds=6.26,
    )  # fmt: skip
    assert fact.resources == used
    assert (fact.container_digest, fact.log_uri) == (
        digest, "file:///scratch/ab/cdef01/.command.log",
    )  # fmt: skip
    [failed] = facts({**ROW, **measured, "status": "FAILED", "exit": "1", "container": "a:1"})
    assert (failed.resources, failed.work_seconds) == (used, 2.5)
    assert (failed.container, failed.container_digest) == ("a:1", None)
    [short] = facts({**ROW, **measured, "peak_rss": "0", "read_bytes": "0"})
    unseen = used.model_copy(update={"peak_rss_bytes": None, "read_bytes": 0})
    assert short.resources == unseen, "it held something, and nobody looked"
    [bare] = facts(ROW)
    assert (bare.resources, bare.container, bare.log_uri) == (None, None, None)
    [remote] = facts({**ROW, "workdir": "s3://work/ab"})
    assert remote.log_uri == "s3://work/ab/.command.log"


def test_what_a_task_comes_to_is_told_where_prices_are_known() -> None:
    asked = requested(launcher="awsbatch")
    where = SUBMISSION.model_copy(update={"requested": asked})
    row = {**ROW, "cpus": "4", "realtime": "3600000"}
    [fact] = task_facts(where, [row], is_over=True, by=someone(), prices=TABLE)
    assert fact.resources is not None
    assert fact.resources.cost_usd == Decimal("0.080000")
    [cached] = task_facts(
        where, [{**row, "status": "CACHED"}], is_over=True, by=someone(), prices=TABLE
    )
    assert cached.resources is not None
    assert cached.resources.cost_usd is None  # it was paid for in the attempt that did it


def test_a_failure_is_said_when_it_is_known_what_came_of_it() -> None:
    failed = {**ROW, "status": "FAILED", "exit": "137"}
    again = {**ROW, "hash": "ef/000000", "attempt": "2"}
    assert facts(failed, is_over=False) == []
    first, second = facts(failed, again)
    assert isinstance(first, TaskFailed)
    assert (first.will_retry, first.exit_code) == (True, 137)
    assert "signal 9" in first.reason
    assert isinstance(second, TaskCompleted)
    [alone] = facts(failed)
    assert not alone.will_retry
    [aborted] = facts({**ROW, "status": "ABORTED", "exit": "-"})
    assert (aborted.exit_code, "ended with the run" in aborted.reason) == (None, True)


def test_half_a_line_is_not_read(tmp_path: Path) -> None:
    java, heard = tmp_path / "java", []
    header, row = "\\t".join(ROW), "\\t".join(ROW.values())
    java.write_text(f"#!/bin/sh\nprintf '{header}\\n{row}\\n{row[:-3]}' > trace.tsv\n")
    java.chmod(0o755)

    def news(rows: Any, is_over: bool) -> None:
        heard.append((list(rows), is_over))

    Nextflow(java, (), "1", {}).run(Plan(tmp_path, {}, tmp_path / "engine", "gf-1", news))
    assert heard == [([ROW], True)]
