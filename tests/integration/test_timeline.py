"""The timeline: the same rows whoever builds them, however often, in whatever pieces."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from genoflow.deploy.demo.facts import Story
from genoflow.deploy.demo.generated_run import generate
from genoflow.events import topics
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.runner import catch_up
from genoflow.projections.store import Batch, apply, forget, position, prepare
from genoflow.projections.timeline import Timeline, timeline_of

TOPICS = [topic.name for topic in topics.TOPICS]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def story() -> list[Event]:
    """The facts of one generated run."""
    run = generate(1, NOW.date())
    return list(Story(run, NOW, Producer(service="test", version="0")).of_the_run())


async def rows(connection: Any) -> list[tuple[Any, ...]]:
    """Every row of the timeline, in one order."""
    found = await connection.fetch("select * from timeline order by event_id")
    return [tuple(row) for row in found]


@pytest.fixture
async def connection(postgres_url: str) -> Any:
    """A connection to an empty database."""
    opened = await asyncpg.connect(postgres_url)
    yield opened
    await opened.close()


async def test_a_sample_is_told_with_what_it_follows_from(connection: Any) -> None:
    async with MemoryLog() as log:
        for event in story():
            await log.append(event)
        assert await catch_up(log, connection, Timeline(), TOPICS) == 9
    told = await timeline_of(connection, "DEMO-001A")
    assert [entry.type for entry in told] == [
        "SequencingRunStarted", "SampleSheetAttached", "SequencingRunCompleted",
        "SampleRegistered", "ReadSetRegistered",
    ]  # fmt: skip
    assert {entry.subject for entry in told[3:]} == {"DEMO-001A"}


async def test_an_event_that_stands_twice_is_one_row(connection: Any) -> None:
    async with MemoryLog() as log:
        for event in story() + story():
            await log.append(event)
        assert await catch_up(log, connection, Timeline(), TOPICS) == 18
    assert len(await rows(connection)) == 9


async def test_pieces_and_a_rebuild_give_the_same_rows(connection: Any) -> None:
    async with MemoryLog() as log:
        for event in story():
            await log.append(event)
            await catch_up(log, connection, Timeline(), TOPICS)
        in_pieces = await rows(connection)
        assert await catch_up(log, connection, Timeline(), TOPICS) == 0
        await forget(connection, Timeline())
        assert await rows(connection) == []
        assert await catch_up(log, connection, Timeline(), TOPICS) == 9
        assert await rows(connection) == in_pieces


async def test_of_two_runners_one_writes(connection: Any) -> None:
    async with MemoryLog() as log:
        for event in story():
            await log.append(event)
        records = [r async for r in log.read_topic(topics.SEQUENCING_RUN.name)]
    partition = records[0].partition
    batch = Batch(topics.SEQUENCING_RUN.name, partition, 0, len(records), records)
    await prepare(connection, Timeline())
    assert await apply(connection, Timeline(), batch) is True
    assert await apply(connection, Timeline(), batch) is False
    ahead = Batch(topics.SEQUENCING_RUN.name, partition, 99, 100, records)
    assert await apply(connection, Timeline(), ahead) is False
    assert await position(connection, Timeline()) == {
        (topics.SEQUENCING_RUN.name, partition): len(records)
    }


async def test_a_batch_that_fails_leaves_neither_rows_nor_position(connection: Any) -> None:
    async with MemoryLog() as log:
        for event in story():
            await log.append(event)
        records = [r async for r in log.read_topic(topics.SEQUENCING_RUN.name)]
    await prepare(connection, Timeline())
    await connection.execute("alter table timeline add constraint none_of_these check (false)")
    batch = Batch(topics.SEQUENCING_RUN.name, records[0].partition, 0, len(records), records)
    with pytest.raises(asyncpg.CheckViolationError):
        await apply(connection, Timeline(), batch)
    assert await position(connection, Timeline()) == {}
    assert await rows(connection) == []
