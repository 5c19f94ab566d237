"""A task that is slower than its topic holds the reader: what waits in it has a limit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import POLL_RECORDS_MAX
from genoflow.events.topics import TOPICS
from genoflow.processors.ports import Ports
from genoflow.processors.task_loop import INBOX_RECORDS_MAX
from genoflow.processors.watch_silence import WATCH_SILENCE
from genoflow.processors.worker import Identity, Worker
from tests.contracts.logs import landed

EVENTS = 6 * INBOX_RECORDS_MAX
SECONDS_MAX = 60


class StillClock:
    """A clock that does not go."""

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)


async def most_waiting(log: MemoryLog) -> int:
    """The largest inbox that a task had until everything was taken."""
    stop, most, taken = asyncio.Event(), 0, 0
    worker = Worker(
        log, log.codec, [WATCH_SILENCE], Ports(clock=StillClock()), identity=Identity("w", "1")
    )
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(SECONDS_MAX):
        while taken < EVENTS:
            await asyncio.sleep(0)
            loops = [loop for station in worker.stations for loop in station.loops.values()]
            taken = sum(loop.records_taken for loop in loops)
            most = max([most, *(sum(len(t.records) for t in loop._inbox) for loop in loops)])
    stop.set()
    await running
    return most


async def test_the_inbox_has_a_limit_from_the_first_record_on() -> None:
    # The changelog is empty: the task takes over at its first record, and its inbox is full.
    log = MemoryLog(topics=[*TOPICS, WATCH_SILENCE.changelog, topics.WORKERS])
    await log.append_bulk(landed("S1", number) for number in range(EVENTS))
    assert await most_waiting(log) <= INBOX_RECORDS_MAX + POLL_RECORDS_MAX
