"""A worker's figures, as Prometheus reads them, while its log comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as read_figures

from genoflow.deploy.observed import worker as observed_worker
from genoflow.deploy.observed.server import Given
from genoflow.deploy.observed.worker import ObservedWorker
from genoflow.events import topics
from genoflow.events.errors import LogUnavailable
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Vector
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import Ports
from genoflow.processors.watch_silence import WATCH_SILENCE
from genoflow.processors.worker import Identity, Worker
from tests.examples import example

SECONDS_MAX = 20.0
ROWS = (WATCH_SILENCE, PROCESSORS["clock-sample"])  # of whose deadlines the other one opens timers
TOPICS = [*topics.TOPICS, *(row.changelog for row in ROWS), topics.WORKERS]
READS = WATCH_SILENCE.reads.name
EVENTS = 12


class StillClock:
    """It is always the same time."""

    def now(self) -> datetime:
        """That time."""
        return datetime(2020, 1, 1, tzinfo=UTC)  # before all deadlines


class Ends:
    """Where a log ends, for who asks while it is not away."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.is_away = False

    async def __call__(self, topic: str) -> Vector:
        """Where this topic ends, or that nobody answers."""
        if self.is_away:
            raise LogUnavailable("kafka at nowhere: no broker answers")
        return await self._log.ends(topic)


@asynccontextmanager
async def working(log: MemoryLog, ends: Ends) -> AsyncIterator[ObservedWorker]:
    """A worker that watches for silence, as it can be asked."""
    worker = Worker(log, log.codec, ROWS, Ports(clock=StillClock()), identity=Identity("w", "9.9"))
    observed = ObservedWorker(worker, ends, [READS], 3)
    assert await observed.reasons() == ["it has not begun"]
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield observed
    finally:
        stop.set()
        await running


async def figures(observed: ObservedWorker) -> Mapping[str, float]:
    """All values, by name and labels, as they are read from the text."""
    registry = CollectorRegistry()
    registry.register(Given(await observed.figures()))
    text = generate_latest(registry).decode()
    return {
        f"{one.name}{sorted(one.labels.items())}": one.value
        for family in read_figures(text)
        for one in family.samples
    }


def added(found: Mapping[str, float], name: str) -> float:
    """The sum of a figure over its labels."""
    return sum(value for place, value in found.items() if place.partition("[")[0] == name)


@pytest.fixture(autouse=True)
def fresh_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed_worker, "ENDS_SECONDS", 0.0)


async def test_what_was_taken_and_what_waits_is_told() -> None:
    log = MemoryLog(topics=TOPICS)
    await log.append_bulk(example(FileLanded, seed) for seed in range(EVENTS))
    async with asyncio.timeout(SECONDS_MAX), working(log, Ends(log)) as observed:
        while not added(found := await figures(observed), "genoflow_task_open_effects"):
            await asyncio.sleep(0.01)  # timers, the last that follows from what stands there
        while added(found := await figures(observed), "genoflow_task_lag_records"):
            await asyncio.sleep(0.01)
        assert await observed.reasons() == []
        written = sum((await log.ends(READS)).values())
    assert added(found, "genoflow_task_position") == len(ROWS) * written
    assert added(found, "genoflow_task_records_total") >= EVENTS
    assert added(found, "genoflow_task_parked_keys") == 0
    commits = found["genoflow_transaction_seconds_count[('processor', 'watch-silence')]"]
    most = "genoflow_transaction_seconds_bucket[('le', '+Inf'), ('processor', 'watch-silence')]"
    assert found[most] == commits >= 1
    assert found["genoflow_build_info[('revision', 'unknown'), ('version', '9.9')]"] == 1
    assert found["genoflow_worker_restarts_total[]"] == 3
    assert found["genoflow_log_up[]"] == 1


async def test_a_log_that_is_away_is_told_and_its_lags_are_left_out() -> None:
    log = MemoryLog(topics=TOPICS)
    ends = Ends(log)
    async with asyncio.timeout(SECONDS_MAX), working(log, ends) as observed:
        while await observed.reasons():
            await asyncio.sleep(0.01)
        ends.is_away = True
        [reason] = await observed.reasons()
        assert "no broker answers" in reason
        found = await figures(observed)
        assert found["genoflow_log_up[]"] == 0
        assert not [name for name in found if name.startswith("genoflow_task_lag")]
        assert [name for name in found if name.startswith("genoflow_task_position")]
        ends.is_away = False
        assert await observed.reasons() == []
