"""Records read ahead: in their order, with the places behind them, and ended with their reader."""

from __future__ import annotations

import asyncio

import pytest

from genoflow.events import topics
from genoflow.events.errors import MalformedEvent, StackFault
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Reader, Vector
from genoflow.events.log.recorded import Raw, Recorded
from genoflow.projections.ahead import Ahead
from tests.heard import joined, logged

SAMPLE = topics.SAMPLE.name
START = {(SAMPLE, 0): 0}


class Broken(Reader):
    """Answers once, and fails from then on."""

    def __init__(self) -> None:
        self.polls = 0

    async def poll(self, timeout_seconds: float, records_max: int = 1) -> list[Recorded]:
        """Nothing came; then the server is gone."""
        self.polls += 1
        if self.polls > 1:
            raise StackFault("the broker is gone")
        return []

    def positions(self) -> Vector:
        """At the beginning."""
        return START

    async def close(self) -> None:
        """Nothing is held."""


async def test_batches_come_in_order_with_the_places_behind_them() -> None:
    async with MemoryLog(partitions=1) as log:
        await logged(log, [joined(f"s{number}") for number in range(120)])
        async with await log.reader(START) as reader, Ahead(reader, 0.01, 50) as ahead:
            found = [await ahead.poll() for _ in range(4)]
    assert [len(records) for records, _ in found] == [50, 50, 20, 0]
    assert [here[SAMPLE, 0] for _, here in found] == [50, 100, 120, 120]
    assert [one.offset for records, _ in found for one in records] == list(range(120))


async def test_bytes_that_are_no_event_are_left_to_whoever_folds_them() -> None:
    async with MemoryLog(partitions=1) as log:
        await log.append_raw(SAMPLE, 0, [Raw(b"s1", b"junk", [], 0)])
        await logged(log, [joined("s1")])
        async with await log.reader(START) as reader, Ahead(reader, 0.01, 50) as ahead:
            records, _ = await ahead.poll()
    assert len(records) == 2
    with pytest.raises(MalformedEvent):
        _ = records[0].event


async def test_a_failure_is_told_when_its_records_are_asked_for() -> None:
    reader = Broken()
    async with Ahead(reader, 0.01, 50) as ahead:
        assert await ahead.poll() == ([], START)
        with pytest.raises(StackFault, match="the broker is gone"):
            await ahead.poll()


async def test_nothing_is_left_running_at_the_end() -> None:
    async with MemoryLog(partitions=1) as log:
        async with await log.reader(START) as reader, Ahead(reader, 30.0, 50) as ahead:
            await logged(log, [joined("s1")])
            await ahead.poll()
        assert asyncio.all_tasks() == {asyncio.current_task()}
