"""What `genoflow workers` shows: the newest word of each worker, and what nobody says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genoflow.deploy.commands.workers import lasted, progress, ranges
from genoflow.deploy.worker_status import LostEnd, Standing, TaskStatus, read_standing
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Withheld
from genoflow.events.log.recorded import Raw
from genoflow.processors.flow import PROCESSORS
from tests.contracts.logs import landed

ROW = PROCESSORS["watch-silence"]
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(topics.declared([ROW.changelog])) as opened:
        yield opened


async def say(
    log: MemoryLog, worker: str, *tasks: dict[str, Any], at: datetime = AT, **more: Any
) -> None:
    """Post a worker's status; with no task it has left."""
    status = {
        "worker": worker, "version": "1", "at": at.isoformat(), "tasks": tasks,
        "effects_running": 1, "effects": [effect()], **more,
    }  # fmt: skip
    value = json.dumps(status if tasks else {}).encode()
    await log.append_raw(topics.WORKERS.name, 0, [Raw(worker.encode(), value, (), 0)])


def task(partition: int, position: int, taken: int = 0) -> dict[str, Any]:
    return {
        "processor": ROW.name, "topic": ROW.reads.name, "partition": partition,
        "position": position, "records_taken": taken, "open_effects": 0, "parked_effects": 0,
        "parked_keys": 0,
    }  # fmt: skip


def effect() -> dict[str, Any]:
    return {
        "processor": ROW.name, "effect": "x", "effect_id": "1", "subject": "S", "try": 1,
        "running_seconds": 3.0, "progress": [1, 4, "bytes"],
    }  # fmt: skip


async def read(log: MemoryLog, *, later_seconds: float = 0) -> Standing:
    """What is shown so long after now."""
    return await read_standing(log, [ROW], datetime.now(UTC) + timedelta(seconds=later_seconds))


def of(standing: Standing, partition: int) -> TaskStatus:
    return standing.tasks[partition]


async def test_lag_and_rate_come_from_two_statuses_and_the_end_of_the_topic(log: MemoryLog) -> None:
    for number in range(8):
        await log.append(landed("S", number))
    [partition] = [at for (_, at), end in (await log.ends(ROW.reads.name)).items() if end]
    await say(log, "w", task(partition, 0, 0))
    await say(log, "w", task(partition, 6, 6), at=AT + timedelta(seconds=2))
    found = of(await read(log), partition)
    assert (found.worker, found.position, found.lag, found.rate_per_second) == ("w", 6, 2, 3.0)


async def test_a_worker_says_since_when_it_works_and_an_older_one_does_not(log: MemoryLog) -> None:
    await say(log, "w", task(0, 0), since=AT.isoformat())
    await say(log, "x", task(1, 0))
    found = {one.worker: one.since for one in (await read(log)).workers}
    assert found == {"w": AT, "x": None}


async def test_one_status_tells_no_rate(log: MemoryLog) -> None:
    await say(log, "w", task(0, 0))
    assert of(await read(log), 0).rate_per_second is None


async def test_a_worker_that_left_owns_nothing(log: MemoryLog) -> None:
    await say(log, "w", task(0, 0))
    await say(log, "w")
    standing = await read(log)
    assert standing.workers == ()
    assert {found.worker for found in standing.tasks} == {None}


async def test_a_silent_worker_is_shown_and_owns_nothing_then_is_gone(log: MemoryLog) -> None:
    await say(log, "w", task(0, 0))
    assert not (await read(log, later_seconds=9)).workers[0].is_silent
    standing = await read(log, later_seconds=11)
    assert standing.workers[0].is_silent
    assert of(standing, 0).worker is None
    assert (await read(log, later_seconds=70)).workers == ()


async def test_the_newest_word_on_a_task_counts(log: MemoryLog) -> None:
    await say(log, "a", task(0, 1), task(1, 0))
    await say(log, "b", task(0, 5))
    standing = await read(log)
    assert (of(standing, 0).worker, of(standing, 0).position) == ("b", 5)
    assert of(standing, 1).worker == "a"


async def test_where_nobody_works_the_changelog_tells_the_place(log: MemoryLog) -> None:
    for number in range(5):
        await log.append(landed("S", number))
    [partition] = [at for (_, at), end in (await log.ends(ROW.reads.name)).items() if end]
    before = of(await read(log), partition)
    assert (before.worker, before.position, before.lag) == (None, None, 5)
    session = log.task(ROW.name, ROW.reads, partition)
    await session.fence()
    await session.commit((), {b"task": b"{}"}, 2)
    await session.commit((), {f"state/{n}".encode(): b"{}" for n in range(50)}, 3)
    await session.close()
    after = of(await read(log), partition)
    assert (after.position, after.lag) == (3, 2)


def test_words_for_people() -> None:
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert [lasted(seconds) for seconds in (3.9, 61, 7_384)] == ["3 s", "1 min 01 s", "2 h 03 min"]
    assert progress(None) == "-"
    assert progress([1, 4, "bytes"]) == "25% of 4 bytes"
    assert progress([1_500, None, "reads"]) == "1,500 reads"


async def test_an_input_without_an_end_is_told_once_it_must_be_lost(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = ROW.reads.name
    now = datetime.now(UTC)
    young, old = now - timedelta(seconds=15), now - timedelta(seconds=41)

    async def withheld(asked: str) -> dict[tuple[str, int], Withheld]:
        assert asked == topic
        return {(topic, 1): Withheld(7, 3, young), (topic, 2): Withheld(9, 5, old)}

    monkeypatch.setattr(log, "withheld", withheld)
    found = await read_standing(log, [ROW], now)
    assert found.lost_ends == (LostEnd(topic, 2, 9, 5, old),)
