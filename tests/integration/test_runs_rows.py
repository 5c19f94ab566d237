"""Rows of runs and tasks: the states that people are told, progress, resources, pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.errors import Refused
from genoflow.events.results_held import ResultsHeld
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_resources import TaskResources
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.projections import run_tasks, runs
from genoflow.projections.asking import run as asking
from genoflow.projections.run_usual import PERCENT_MAX
from tests.asked import like
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    histories,
    rows_of,
    uses_of,
)
from tests.partition import MOMENT
from tests.run_facts import CASE, RUN_ID, requested
from tests.spec import heard

RUN = str(RUN_ID)
OTHER_ID = UUID(int=9)
READERS = ("submit-run", "collect-results", "check-results", "publish-results", "supersede-runs")
GB = 10**9


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, runs.Runs()) as opened:
        yield opened


def fact(kind: type[Any], run_id: UUID = RUN_ID, **fields: Any) -> Any:
    known: dict[str, Any] = {
        "run_id": run_id, "attempt": 1, "job_id": "J1", "case_id": CASE, "launcher": "local",
    }  # fmt: skip
    named = {name: value for name, value in known.items() if name in kind.model_fields}
    return like(kind, **named | fields)


def task(kind: type[Any], name: str, **fields: Any) -> Any:
    known: dict[str, Any] = {"task_id": name, "task_name": name, "process": name.upper()}
    return fact(kind, **known | {"task_attempt": 1} | fields)


def done(name: str, **fields: Any) -> Any:
    known = {
        "is_cached": False, "work_seconds": 1_800.0, "resources": None, "started_at": None,
        "completed_at": None,
    }  # fmt: skip
    return task(TaskCompleted, name, **known | fields)


async def told(rows: Rows) -> Any:
    found = await runs.run_of(rows.connection, RUN)
    assert found is not None
    return found


def test_the_flow_says_what_is_used() -> None:
    assert uses_of(runs.Runs()) == set(runs.USES)


async def test_a_run_says_how_far_it_is_step_by_step(rows: Rows) -> None:
    await rows.tell(requested(), fact(RunSubmitted), fact(RunStarted))
    await rows.tell(task(TaskSubmitted, "align"), task(TaskSubmitted, "call"))
    found = await told(rows)
    assert (found["state"], found["waits_for"]) == ("running", "its tasks")
    assert (found["tasks_submitted"], found["tasks_at_work"], found["current_step"]) == (
        2, 2, "CALL",
    )  # fmt: skip
    assert found["progress_percent"] is None  # no run like it has told how many there are
    await rows.tell(task(TaskStarted, "align"))
    assert (await told(rows))["current_step"] == "ALIGN"
    await rows.tell(done("align"), task(TaskStarted, "align"))  # late news
    found = await told(rows)
    assert (found["tasks_completed"], found["tasks_at_work"], found["current_step"]) == (
        1, 1, "CALL",
    )  # fmt: skip
    await rows.tell(done("call"), fact(RunExited), fact(RunSucceeded, tasks_completed=2))
    found = await told(rows)
    assert (found["state"], found["progress_percent"], found["tasks_expected"]) == (
        "succeeded", 100.0, 2,
    )  # fmt: skip
    assert found["ended_at"] is not None
    assert found["waits_for"] == "its results to be collected"
    assert not await rows.set_aside()


async def test_what_is_expected_is_what_the_newest_run_like_it_took(rows: Rows) -> None:
    await rows.tell(
        requested(), fact(RunSubmitted), fact(RunStarted), fact(RunSucceeded, tasks_completed=4)
    )
    later: dict[str, Any] = {"run_id": OTHER_ID}
    await rows.tell(
        requested(**later), fact(RunSubmitted, **later), fact(RunStarted, **later),
        done("align", **later),
    )  # fmt: skip
    found = await runs.run_of(rows.connection, str(OTHER_ID))
    assert found is not None
    assert (found["tasks_expected"], found["tasks_expected_or_usual"]) == (None, 4)
    assert (found["is_estimated"], found["progress_percent"]) == (True, 25.0)
    assert found["usual_seconds"] == 60.0
    more = [done(f"t{number}", **later) for number in range(9)]
    await rows.tell(*more)  # more than were expected
    found = await runs.run_of(rows.connection, str(OTHER_ID))
    assert found is not None
    assert found["progress_percent"] == PERCENT_MAX


async def test_resources_are_summed_over_every_try_but_what_was_cached(rows: Rows) -> None:
    used = TaskResources(
        cpus=4, cpu_percent=200.0, memory_bytes=8 * GB, peak_rss_bytes=2 * GB, cost_usd="0.000001"
    )
    asked = TaskResources(cpus=4, memory_bytes=8 * GB, cost_usd="0.1")
    await rows.tell(requested(), fact(RunSubmitted), fact(RunStarted), done("a", resources=used))
    failed = task(
        TaskFailed, "b", will_retry=True, resources=asked, started_at=MOMENT,
        completed_at=MOMENT + timedelta(minutes=30),
    )  # fmt: skip
    await rows.tell(failed, done("b", task_attempt=2), done("c", is_cached=True, resources=used))
    found = await told(rows)
    assert found["cpu_hours"] == pytest.approx(2 * 0.5 + 4 * 0.5)
    assert found["memory_gb_hours"] == pytest.approx(2 * 0.5 + 8 * 0.5)
    assert found["cost_usd"] == 0.100001
    assert (found["tasks_completed"], found["tasks_failed"], found["task_retries"]) == (3, 0, 1)
    tries = await run_tasks.tasks_of(rows.connection, RUN)
    assert [(one["task_id"], one["task_attempt"], one["state"]) for one in tries] == [
        ("a", 1, "completed"), ("b", 1, "failed"), ("b", 2, "completed"), ("c", 1, "completed"),
    ]  # fmt: skip


async def test_a_later_attempt_goes_on_from_what_was_done(rows: Rows) -> None:
    await rows.tell(
        requested(attempts_max=2), fact(RunSubmitted), fact(RunStarted), done("align"),
        task(TaskStarted, "call"), fact(RunLost, reason="no such job"),
    )  # fmt: skip
    found = await told(rows)
    assert (found["state"], found["reason"], found["tasks_at_work"]) == ("lost", "no such job", 0)
    again: dict[str, Any] = {"attempt": 2, "job_id": "J2"}
    await rows.tell(
        fact(RunFailed, will_retry=True, reason="lost"), fact(RunSubmitted, **again),
        fact(RunStarted, **again), task(TaskStarted, "call", **again),
    )  # fmt: skip
    found = await told(rows)
    assert (found["state"], found["attempt"], found["retries"], found["job_id"]) == (
        "running", 2, 1, "J2",
    )  # fmt: skip
    assert (found["tasks_completed"], found["tasks_at_work"], found["ended_at"]) == (1, 1, None)
    assert (found["reason"], found["current_step"]) == (None, "CALL")
    late = done("call")  # of the attempt that was lost
    await rows.tell(late, task(TaskSubmitted, "report"))
    tries = await run_tasks.tasks_of(rows.connection, RUN)
    assert [(one["attempt"], one["task_id"], one["state"]) for one in tries] == [
        (1, "align", "completed"), (1, "call", "completed"), (1, "report", "lost"),
        (2, "call", "started"),
    ]  # fmt: skip
    [at_work] = await run_tasks.tasks_of(rows.connection, RUN, state="started")
    assert at_work["attempt"] == 2


async def test_what_was_cancelled_stays_so_and_tells_why(rows: Rows) -> None:
    gone = fact(RunCancelled, attempt=None, reason="wrong tube")
    await rows.tell(requested(), gone, fact(RunSubmitted))
    found = await told(rows)
    assert (found["state"], found["reason"], found["waits_for"]) == (
        "cancelled",
        "wrong tube",
        None,
    )


async def test_late_news_of_a_loss_does_not_touch_a_run_that_succeeded(rows: Rows) -> None:
    await rows.tell(requested(), fact(RunSubmitted), fact(RunStarted), fact(RunSucceeded))
    await rows.tell(fact(RunLost, reason="no such job"))
    found = await told(rows)
    assert (found["state"], found["reason"]) == ("succeeded", None)


async def test_void_reads_are_counted(rows: Rows) -> None:
    await rows.tell(requested(), fact(RunInputsInvalidated))
    assert (await told(rows))["void_reads"] == 1


async def test_rows_as_of_then_are_those_of_then(rows: Rows) -> None:
    then = await rows.tell(requested(), fact(RunSubmitted))
    await rows.tell(fact(RunStarted), done("align"), fact(ResultsHeld))
    ask = {"connection": rows.connection, "at": then}
    found = await runs.run_of(run_id=RUN, **ask)
    assert found is not None
    assert (found["state"], found["tasks_completed"]) == ("submitted", 0)
    assert await runs.count_runs(**ask) == {"submitted": 1}
    assert await run_tasks.tasks_of(run_id=RUN, **ask) == []
    assert await runs.list_runs(**ask) == [found]
    assert await runs.count_runs(rows.connection) == {"held": 1}
    assert await runs.run_of(rows.connection, "nobody") is None


@pytest.mark.parametrize("seed", range(4))
async def test_every_history_gives_the_states_that_people_are_told(rows: Rows, seed: int) -> None:
    events = histories(READERS, seed)
    await are_equal_in_pieces(rows, events, seed)
    keys = dict.fromkeys(event.key for event in events)
    for key in keys:
        story = {e.envelope.event_id: e for e in events if e.key == key}
        run = asking.run_of(key, story.values())
        found = await runs.run_of(rows.connection, key)
        if not any(type(event) in runs.USES for event in story.values()):
            assert found is None
            continue
        assert found is not None
        assert (found["state"], found["attempt"]) == (asking.word(run), run.attempt)
        if run.stage is not None:
            assert (found["since"], found["case_id"]) == (run.at, run.case_id)
    assert not await rows.set_aside()


async def test_pages_meet_every_run_once_while_others_come(rows: Rows) -> None:
    first = [
        heard(requested(run_id=UUID(int=number)), MOMENT + timedelta(seconds=number // 3))
        for number in range(1, 24)
    ]
    await rows.tell(*first)
    seen: list[str] = []
    after: list[Any] | None = None
    for number in range(1, 99):
        found = await runs.list_runs(rows.connection, after=after, limit=5)
        if not found:
            break
        seen += [row["run_id"] for row in found]
        after = [found[-1][name] for name in runs.ORDER]
        new = heard(requested(run_id=UUID(int=100 + number)), MOMENT + timedelta(hours=1))
        await rows.tell(new, fact(RunSubmitted, run_id=UUID(int=number)))
    assert len(seen) == len(set(seen))
    assert set(seen) == {event.key for event in first}
    every = await all_pages(runs.list_runs, rows.connection, runs.ORDER, 7)
    assert [one["run_id"] for one in every][number - 1 :] == seen
    states = await runs.count_runs(rows.connection)
    assert states == {"requested": 23, "submitted": 5}
    asked = {"state": "submitted", "pipeline": "germline", "case_id": CASE, "launcher": "local"}
    few = await all_pages(runs.list_runs, rows.connection, runs.ORDER, 2, **asked)
    assert {one["run_id"] for one in few} == {str(UUID(int=n)) for n in range(1, 6)}
    assert await runs.list_runs(rows.connection, launcher="batch") == []
    with pytest.raises(Refused, match="a page has 1 to 1,000"):
        await runs.list_runs(rows.connection, limit=0)
    with pytest.raises(Refused, match="goes on behind first_at, run_id"):
        await runs.list_runs(rows.connection, after=[MOMENT])
