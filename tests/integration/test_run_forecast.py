"""What rows foretell of a run: when it begins and ends, by those like it; bills; being stuck."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.event import Event
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_started import RunStarted
from genoflow.events.run_stuck import RunStuck
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.projections import runs
from genoflow.projections.estimates import RUNS_MIN, Estimate, Unknown
from genoflow.projections.run_forecast import Forecast, forecast
from genoflow.projections.run_versions import run_versions
from tests.asked import like
from tests.integration.rows import Rows, rows_of
from tests.partition import MOMENT
from tests.run_facts import CASE, requested
from tests.spec import heard

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NEW = UUID(int=999)
EARLIER = 20


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, runs.Runs()) as opened:
        yield opened


def fact(kind: type[Event], run_id: UUID, at: datetime, **fields: Any) -> Event:
    known: dict[str, Any] = {
        "run_id": run_id, "attempt": 1, "job_id": "J1", "case_id": CASE, "launcher": "local",
        "task_attempt": 1,
    }  # fmt: skip
    named = {name: value for name, value in known.items() if name in kind.model_fields}
    told: Event = heard(like(kind, **named | fields), at)
    return told


def task(run_id: UUID, name: str, at: datetime) -> Event:
    return fact(
        TaskCompleted, run_id, at, task_id=name, task_name=name, process=name, completed_at=at,
        started_at=None, resources=None, is_cached=False,
    )  # fmt: skip


def begun(run_id: UUID, at: datetime, wait: timedelta) -> list[Event]:
    asked = heard(requested(run_id=run_id), at)
    return [asked, fact(RunSubmitted, run_id, at), fact(RunStarted, run_id, at + wait)]


def earlier(number: int) -> list[Event]:
    """A run that waited 4 to 6 minutes, did its first task in 20 and the other one in 40 to 60."""
    run_id, at = UUID(int=number + 1), MOMENT + number * HOUR
    wait, more = (4 + number % 3) * MINUTE, (40 + number % 5 * 5) * MINUTE
    first, last = at + wait + 20 * MINUTE, at + wait + 20 * MINUTE + more
    return [
        *begun(run_id, at, wait), task(run_id, "a", first), task(run_id, "b", last),
        fact(RunExited, run_id, last), fact(RunSucceeded, run_id, last, tasks_completed=2),
    ]  # fmt: skip


async def known(rows: Rows, number: int = EARLIER) -> None:
    await rows.tell(*(event for one in range(number) for event in earlier(one)))


async def told(rows: Rows, now: datetime, **how: Any) -> Forecast:
    found = await runs.run_of(rows.connection, str(NEW))
    assert found is not None
    return await forecast(rows.connection, found, now=now, **how)


def span_of(found: Estimate | Unknown) -> Estimate:
    assert isinstance(found, Estimate), found
    assert found.low <= found.at <= found.high
    return found


async def test_a_run_that_waits_is_told_by_waits_and_durations(rows: Rows) -> None:
    await known(rows)
    at = MOMENT + 100 * HOUR
    await rows.tell(*begun(NEW, at, MINUTE)[:2])
    found = await told(rows, at)
    start, done = span_of(found.start), span_of(found.completion)
    assert at + 4 * MINUTE <= start.low <= start.high <= at + 6 * MINUTE + MINUTE
    assert at + 64 * MINUTE <= done.low <= done.high <= at + 90 * MINUTE
    assert done.runs == EARLIER - 3
    assert await told(rows, at + 10 * MINUTE) != found  # it has waited longer than any
    late = (await told(rows, at + 10 * MINUTE)).start
    assert isinstance(late, Unknown)
    assert "longer already" in late.reason


async def test_a_run_that_works_is_told_by_the_tasks_that_are_left(rows: Rows) -> None:
    await known(rows)
    at = MOMENT + 100 * HOUR
    await rows.tell(*begun(NEW, at, MINUTE))
    whole = await told(rows, at + MINUTE)
    assert whole.start == Unknown("it has begun")
    assert at + 61 * MINUTE <= span_of(whole.completion).low
    slow = at + 120 * MINUTE  # its first task took six times as long as usual
    await rows.tell(task(NEW, "a", slow))
    rest = span_of((await told(rows, slow)).completion)
    assert slow + 35 * MINUTE <= rest.low <= rest.high <= slow + 65 * MINUTE


async def test_tasks_that_no_run_had_leave_the_whole_of_it(rows: Rows) -> None:
    await known(rows)
    at = MOMENT + 100 * HOUR
    await rows.tell(*begun(NEW, at, MINUTE), *(task(NEW, f"t{n}", at) for n in range(5)))
    assert span_of((await told(rows, at + 2 * MINUTE)).completion).low > at + 50 * MINUTE


async def test_what_nobody_can_say_has_a_reason(rows: Rows) -> None:
    await known(rows, RUNS_MIN - 1)
    at = MOMENT + 100 * HOUR
    asked, submitted, started = begun(NEW, at, MINUTE)
    awaited = fact(RunInputsAwaited, NEW, at, look=1)
    await rows.tell(asked, awaited)
    found = (await told(rows, at)).start
    assert isinstance(found, Unknown)
    assert "it waits for" in found.reason
    await rows.tell(submitted)
    few = Unknown("11 earlier ones like it are known, and 12 are needed to say it")
    assert (await told(rows, at)).start == few
    await rows.tell(started)
    assert (await told(rows, at)).completion == few
    then = await rows.tell()
    past = await told(rows, at, at=then)
    assert past.start == past.completion
    assert isinstance(past.start, Unknown)
    await rows.tell(fact(RunFailed, NEW, at + MINUTE, will_retry=True))
    again = (await told(rows, at)).completion
    assert isinstance(again, Unknown)
    assert "another attempt may follow" in again.reason


async def test_a_run_that_is_over_and_one_of_another_version_are_not_foretold(rows: Rows) -> None:
    await known(rows)
    found = await runs.run_of(rows.connection, str(UUID(int=1)))
    assert found is not None
    over = Unknown("it is over")
    assert await forecast(rows.connection, found, now=MOMENT) == Forecast(over, over)
    at = MOMENT + 100 * HOUR
    other = heard(requested(run_id=NEW, pipeline_version="2"), at)
    await rows.tell(other, *begun(NEW, at, MINUTE)[1:])
    completion = (await told(rows, at)).completion
    assert isinstance(completion, Unknown)
    assert completion.reason.startswith("0 earlier ones")


async def test_an_answer_is_kept_for_a_minute_while_a_run_is_under_way(rows: Rows) -> None:
    await rows.tell(*earlier(0), *begun(NEW, MOMENT, MINUTE))
    versions = await run_versions(rows.connection, [str(NEW), str(UUID(int=1)), "nobody"])
    assert versions.keys() == {str(NEW), str(UUID(int=1))}
    minutes = [one.rpartition("/")[2] for one in versions.values() if "/" in one]
    assert len(minutes) == 1
    assert minutes[0].isdecimal()


async def test_bills_are_summed_by_source_and_month_the_newest_of_each(rows: Rows) -> None:
    def bill(usd: str, month: str, digit: str, source: str = "aws-cur") -> Event:
        return fact(
            RunCostRecorded, NEW, MOMENT, cost_usd=usd, month=month, source=source,
            document_sha256=digit * 64,
        )  # fmt: skip

    await rows.tell(*begun(NEW, MOMENT, MINUTE))
    found = await runs.run_of(rows.connection, str(NEW))
    assert found is not None
    assert found["billed_usd"] is None
    await rows.tell(
        bill("1.5", "2026-03", "1"), bill("2.000001", "2026-03", "2"), bill("0.1", "2026-04", "2"),
        bill("3", "2026-04", "3", "other"),
    )  # fmt: skip
    found = await runs.run_of(rows.connection, str(NEW))
    assert found is not None
    assert found["billed_usd"] == 5.100001


async def test_a_run_is_stuck_until_there_is_news(rows: Rows) -> None:
    stuck = fact(RunStuck, NEW, MOMENT + HOUR, reason_code="no news", reason="it is mute")
    await rows.tell(*begun(NEW, MOMENT, MINUTE), stuck)

    async def says() -> str | None:
        found = await runs.run_of(rows.connection, str(NEW))
        assert found is not None
        return found["stuck"]  # type: ignore[no-any-return]

    assert await says() == "no news: it is mute"
    await rows.tell(task(NEW, "a", MOMENT + 2 * HOUR))
    assert await says() is None
    await rows.tell(fact(RunExited, NEW, MOMENT + 3 * HOUR), stuck)
    assert await says() is None
