"""A run as a person looks at it: as it moves, what it wrote, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from genoflow.api.job_orders import case_of_job
from genoflow.deploy.attempt_folder import RUNS
from genoflow.deploy.run_explain import explained
from genoflow.deploy.run_logs import Elsewhere, Found, of_run, of_task
from genoflow.deploy.run_watch import Lines, Seen, followed, last_line, screen, spent
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import NotThere
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.processors.running.names import job_name
from genoflow.projections.asking.asked import Unheard
from genoflow.projections.asking.source import Scanning
from tests.asked import RUN_ID, like, opened, requested, told
from tests.partition import CODEC, MOMENT
from tests.spec import heard

RUN = str(RUN_ID)
OF_RUN: dict[str, Any] = {"run_id": RUN_ID, "case_id": "C1"}
NOWHERE = Elsewhere("", lambda *_: None)


def submitted(attempt: int = 1) -> RunSubmitted:
    return like(RunSubmitted, **OF_RUN, attempt=attempt, job_id=f"J{attempt}", launcher="local")  # type: ignore[no-any-return]


def started(attempt: int = 1) -> RunStarted:
    return like(  # type: ignore[no-any-return]
        RunStarted, run_id=RUN_ID, attempt=attempt, job_id=f"J{attempt}", resumed=attempt > 1,
        engine="nextflow", engine_version="24",
    )  # fmt: skip


def task(kind: type[Any], name: str, attempt: int = 1, **more: Any) -> Any:
    """News of a task, whose hash is its name."""
    fields = {
        "run_id": RUN_ID, "attempt": attempt, "job_id": f"J{attempt}", "task_id": f"ab/{name}",
        "task_attempt": 1, "process": name, "task_name": f"{name} (S1)", "sample_id": "S1",
    }  # fmt: skip
    if kind is not TaskStarted:
        fields |= {"work_uri": None, "submitted_at": None, "started_at": None, "completed_at": None}
    return like(kind, **fields | more)


def failed(attempt: int = 1, **more: Any) -> RunFailed:
    fields: dict[str, Any] = {
        "will_retry": False, "exit_code": 7, "failed_process": "CALL", "missing_outputs": (),
        "reason_code": "exit code", "reason": "the step CALL failed.", "error_tail": "a\n\nb",
    }  # fmt: skip
    return like(RunFailed, **OF_RUN, attempt=attempt, **fields | more)  # type: ignore[no-any-return]


ALIGNED = task(TaskCompleted, "ALIGN", is_cached=False, work_seconds=12.0)
FAILED_TASK = task(
    TaskFailed, "CALL", exit_code=7, signal=None, will_retry=False, reason="no room.",
    error_tail="first\nno room is left\n",
)  # fmt: skip
BROKEN = (requested(), submitted(), started(), ALIGNED, FAILED_TASK, failed())
RETRY = RunRetryRequested(**OF_RUN, attempt=2, request_id="r", reason="more disk.")
CACHED = task(TaskCompleted, "ALIGN", 2, is_cached=True)
CALLED = task(TaskCompleted, "CALL", 2, is_cached=False, work_seconds=61.0)
DONE = like(RunSucceeded, **OF_RUN, attempt=2, tasks_completed=2, tasks_cached=1)
MENDED = (*BROKEN, RETRY, submitted(2), started(2), CACHED, CALLED, DONE)


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    """An empty log."""
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as memory:
        yield memory


async def looked(log: MemoryLog, *events: Event) -> list[Seen]:
    """What somebody sees of a run that is over, on a log where this has happened."""
    for event in told(*events):
        await log.append(event)
    return [seen async for seen, _ in followed(log, RUN)]


async def seen_of(log: MemoryLog, *events: Event) -> Seen:
    """The run as of now, of which more is to come."""
    for event in told(*events):
        await log.append(event)
    looks = followed(log, RUN)
    seen, is_news = await anext(looks)
    await looks.aclose()
    assert is_news
    return seen


# -- as it moves


async def test_who_watches_ends_with_the_run_and_as_it_ended(log: MemoryLog) -> None:
    [seen] = await looked(log, *BROKEN)
    assert (seen.is_over, seen.code, seen.run.state) == (True, 7, "failed")
    assert last_line(seen) == (
        f"run {RUN}: failed (the step CALL failed): 1 tasks are done; failed: CALL (S1)"
    )


async def test_a_run_that_goes_on_is_over_only_at_its_own_end(log: MemoryLog) -> None:
    seen = await seen_of(log, *BROKEN, RETRY)
    assert (seen.is_over, seen.run.waits_for) == (False, "to be submitted")
    looks = followed(log, RUN)
    assert not (await anext(looks))[0].is_over
    for event in MENDED[len(BROKEN) + 1 :]:
        await log.append(heard(event))
    *_, last = [one async for one, _ in looks]
    assert (last.is_over, last.code) == (True, 0)
    assert "2 tasks are done, 1 of them by an earlier attempt" in last_line(last)


async def test_a_run_that_failed_without_a_code_or_was_ended_ends_with_1(log: MemoryLog) -> None:
    [seen] = await looked(log, requested(), submitted(), failed(exit_code=None))
    assert seen.code == 1
    assert not replace(seen, run=replace(seen.run, waits_for="another attempt")).is_over


async def test_nothing_is_shown_of_a_run_of_which_nobody_has_heard(log: MemoryLog) -> None:
    with pytest.raises(NotThere, match="`genoflow run list` shows"):
        await looked(log)


async def test_who_watches_a_job_waits_for_its_run(log: MemoryLog) -> None:
    case_id = case_of_job(RUN_ID)
    await log.append(heard(opened().model_copy(update={"case_id": case_id})))
    told_of: list[str] = []
    looks = followed(log, RUN, told_of.append)
    first = asyncio.ensure_future(anext(looks))
    while not told_of:
        await asyncio.sleep(0.01)
    assert (told_of, first.done()) == ([case_id], False)
    await log.append(heard(requested()))
    assert (await first)[0].run.state == "requested"
    await looks.aclose()


async def test_a_screen_tells_how_far_it_is_and_fits(log: MemoryLog) -> None:
    at_work = task(TaskStarted, "CALL", native_id=None)
    seen = await seen_of(log, requested(), submitted(), started(), ALIGNED, at_work)
    at = MOMENT + timedelta(minutes=6)
    lines = screen(seen, at, 80, 24, usual=4)
    assert lines[1] == "running, waits for its tasks · 4 min 00 s"
    assert lines[2] == f"[{'#' * 7}{'-' * 23}] 1 of 4 tasks, 25 % · CALL"
    assert [line.split() for line in lines[4:]] == [
        ["ALIGN", "(S1)", "completed", "12", "s"],
        ["CALL", "(S1)", "at", "work", "2", "min", "00", "s"],
    ]
    assert screen(seen, at, 80, 24, usual=None)[2] == "1 tasks are done, 1 at work · CALL"
    small = screen(seen, at, 20, 7, usual=1)
    assert max(len(line) for line in small) == 20
    assert small[2].startswith("[###############----"), "more tasks than usual: never beyond 100 %"
    assert "(1 earlier ones are " in small


async def test_lines_tell_each_change_once(log: MemoryLog) -> None:
    [seen] = await looked(log, *MENDED)
    lines = Lines()
    assert lines.of(seen) == [
        f"run {RUN}: succeeded, waits for its results to be collected · attempt 2",
        "task ALIGN (S1): cached", "task CALL (S1): completed",
    ]  # fmt: skip
    assert lines.of(seen) == []


def test_a_length_of_time_is_told_as_people_read_it() -> None:
    found = [spent(one) for one in (-1, 4.9, 125, 3_725)]
    assert found == ["0 s", "4 s", "2 min 05 s", "1 h 02 min"]


# -- what it wrote


def text_of(found: Found) -> str:
    """All of it."""
    return "".join(found.pieces(0))


def test_what_an_engine_wrote_is_looked_for_where_it_may_be(tmp_path: Path) -> None:
    exited = like(RunExited, run_id=RUN_ID, attempt=1, error_tail="the end")
    story = told(requested(), submitted(), submitted(2), exited)
    assert text_of(of_run(tmp_path, RUN, story)) == "the end"
    with pytest.raises(NotThere, match=r"\(local job J1\)"):
        of_run(tmp_path, RUN, told(requested(), submitted()))
    job = tmp_path / "jobs/J1/stderr"
    shared = tmp_path / RUNS / RUN / "engine/.nextflow.log"
    for path in (job, shared):
        path.parent.mkdir(parents=True)
        path.write_text(path.name)
        assert of_run(tmp_path, RUN, story).path == path, "the nearer to the engine comes first"
    assert list(of_run(tmp_path, RUN, story).pieces(9)) == [".log"]


def test_what_a_task_wrote_is_looked_for_where_it_may_be(tmp_path: Path) -> None:
    story = told(*BROKEN)
    for name in ("CALL", "CALL (S1)", "ab/CALL"):
        assert text_of(of_task(tmp_path, RUN, story, name, NOWHERE)) == FAILED_TASK.error_tail
    asked: list[tuple[str, str]] = []

    def find(bucket: str, prefix: str) -> tuple[str, bytes]:
        asked.append((bucket, prefix))
        return f"s3://{bucket}/{prefix}", b"far away"

    far = Elsewhere("s3://bucket/nextflow", find)
    assert text_of(of_task(tmp_path, RUN, story, "CALL", far)) == "far away"
    assert asked == [("bucket", f"nextflow/{job_name(RUN_ID, 1)}/ab/CALL")]
    here = tmp_path / RUNS / RUN / "engine/tasks/ab/CALL0123/.command.err"
    here.parent.mkdir(parents=True)
    here.write_text("near")
    assert text_of(of_task(tmp_path, RUN, story, "CALL", far)) == "near"
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / ".command.log").write_text("as told")
    named = task(TaskFailed, "CALL", work_uri=elsewhere.as_uri())
    assert text_of(of_task(tmp_path, RUN, told(*BROKEN, named), "CALL", far)) == "as told"
    with pytest.raises(NotThere, match=r"those that there are: ALIGN \(S1\), CALL \(S1\)"):
        of_task(tmp_path, RUN, story, "SORT", NOWHERE)
    with pytest.raises(NotThere, match="is not there any more, or not here"):
        of_task(tmp_path, RUN, story, "ALIGN", NOWHERE)


# -- what is told of it


async def test_what_happened_is_told_in_its_order(log: MemoryLog) -> None:
    wish = heard(RerunRequested(case_id="C1", run_id=RUN_ID, request_id="x", reason="mended."))
    asked = heard(requested())
    cause = wish.envelope.event_id
    asked = asked.enveloped(asked.envelope.model_copy(update={"causation_id": cause}))
    for event in (wish, *told(asked, *MENDED[1:])):
        await log.append(event)
    said = await explained(Scanning(LogSubjects(log)), RUN.upper())
    text = "\n".join(said)
    order = [
        "it was asked for, for case C1", f"wanted run {RUN} again: mended.",
        "attempt 1 was given to local, job J1.", "it began, on nextflow 24.",
        "attempt 1 failed in the step CALL, exit code: the step CALL failed.",
        "Its task CALL (S1) ended with exit code 7: no room.", "    no room is left",
        "asked that it goes on (more disk), as attempt 2.", "it went on from what was done",
        "it succeeded: 2 tasks were done, 1 of them earlier.", "Now: ",
    ]  # fmt: skip
    places = [text.index(one) for one in order]
    assert places == sorted(places)


async def test_nothing_is_told_of_a_run_of_which_nobody_has_heard(log: MemoryLog) -> None:
    with pytest.raises(Unheard):
        await explained(Scanning(LogSubjects(log)), RUN)
