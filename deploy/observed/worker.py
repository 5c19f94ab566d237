"""A worker's figures: how far each of its tasks is, what waits there, and how long commits take.

They are read off what the worker knows anyway, when somebody asks; work pays for two readings of
the clock in each transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from genoflow.deploy.observed.server import build_info
from genoflow.events.errors import Retry, Stop
from genoflow.events.log.port import Vector
from genoflow.processors.durations import BOUNDS_SECONDS
from genoflow.processors.task_loop import TaskLoop
from genoflow.processors.worker import Station, Worker

ENDS_SECONDS = 2.0  # how old the ends of topics may be that lags are counted to
ENDS_SECONDS_MAX = 3.0  # for the broker's answer: the one who asks waits for five
Status = Mapping[str, Any]  # what `genoflow workers` shows of a worker, or of one of its tasks
Ask = Callable[[str], Awaitable[Vector]]  # where a topic ends, as the log tells it
TASK = ("processor", "topic", "partition")
BOUNDS = (*(f"{bound:g}" for bound in BOUNDS_SECONDS), "+Inf")


class Ends:
    """Where the topics end that a worker reads, asked for when somebody wants to know."""

    def __init__(self, ask: Ask, topics: Iterable[str]) -> None:
        self._ask = ask
        self._topics = sorted(set(topics))
        self._found: Vector = {}
        self._asked_at = -ENDS_SECONDS
        self._asking = asyncio.Lock()
        self.refusal = ""  # why the log did not answer the last time; empty where it did

    async def now(self) -> Vector:
        """The ends of a moment ago; none where the log does not answer."""
        async with self._asking:
            if time.monotonic() - self._asked_at < ENDS_SECONDS:
                return self._found
            try:
                async with asyncio.timeout(ENDS_SECONDS_MAX):
                    found = await asyncio.gather(*map(self._ask, self._topics))
            except (Retry, Stop, TimeoutError) as error:
                self._found, self.refusal = {}, f"{type(error).__name__}: {error}".rstrip(": ")
            else:
                self._found, self.refusal = dict(chain.from_iterable(map(dict.items, found))), ""
            self._asked_at = time.monotonic()
            return self._found


class ObservedWorker:
    """A worker as it can be asked: `deploy/observed/server.py`."""

    def __init__(self, worker: Worker, ask: Ask, topics: Iterable[str], again: int) -> None:
        self._worker = worker
        self._ends = Ends(ask, topics)
        self._again = again

    async def figures(self) -> Sequence[Metric]:
        """The figures of now."""
        ends = await self._ends.now()
        status = self._worker.status()
        return [
            *_of_process(status, self._again, is_log_there=not self._ends.refusal),
            *_of_tasks(status["tasks"], ends),
            _of_commits(self._worker.stations),
        ]

    async def reasons(self) -> Sequence[str]:
        """Why it cannot work: no log, a group that it has not joined, a task on its way."""
        await self._ends.now()
        found = [self._ends.refusal] if self._ends.refusal else []
        stations = self._worker.stations
        if not stations:
            found.append("it has not begun")
        found += [
            f"{station.processor.name}: has not joined its group"
            for station in stations
            if not station.has_joined
        ]
        return found + [
            f"{loop.processor.name}[{loop.partition}]: is being taken over"
            for loop in _tasks(self._worker)
            if not loop.is_begun
        ]


def _tasks(worker: Worker) -> Iterator[TaskLoop]:
    for station in worker.stations:
        yield from list(station.loops.values())


def _of_process(status: Status, again: int, *, is_log_there: bool) -> Iterator[Metric]:
    yield build_info(status["version"], status["revision"])
    about = "Whether the log answered a moment ago."
    yield GaugeMetricFamily("genoflow_log_up", about, value=int(is_log_there))
    about = "How often this worker was started again since somebody started it."
    yield CounterMetricFamily("genoflow_worker_restarts", about, value=again)
    about = "Effects that are being done."
    yield GaugeMetricFamily("genoflow_effects_running", about, value=status["effects_running"])


def _of_tasks(tasks: Sequence[Status], ends: Vector) -> Iterator[Metric]:
    def gauge(name: str, about: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"genoflow_task_{name}", about, labels=TASK)

    lag = gauge("lag_records", "Records of its partition that it has not taken.")
    taken = CounterMetricFamily(
        "genoflow_task_records", "Records that it has taken since it has the partition.",
        labels=TASK,
    )  # fmt: skip
    told: dict[str, GaugeMetricFamily | CounterMetricFamily] = {
        "position": gauge("position", "The offset that the task takes next."),
        "records_taken": taken,
        "open_effects": gauge("open_effects", "Effects that are open, timers and parked ones too."),
        "parked_effects": gauge("parked_effects", "Effects that wait for a person."),
        "parked_keys": gauge("parked_keys", "Keys that wait for a person."),
    }
    for task in tasks:
        labels = [str(task[name]) for name in TASK]
        for name, family in told.items():
            family.add_metric(labels, task[name])
        end = ends.get((task["topic"], task["partition"]))
        if end is not None:
            lag.add_metric(labels, max(0, end - task["position"]))
    yield from (*told.values(), lag)


def _of_commits(stations: Sequence[Station]) -> Metric:
    found = HistogramMetricFamily(
        "genoflow_transaction_seconds", "How long transactions took to commit.",
        labels=("processor",),
    )  # fmt: skip
    for station in stations:
        within = station.commits.within()
        buckets = [(bound, float(count)) for bound, count in zip(BOUNDS, within, strict=True)]
        found.add_metric([station.processor.name], buckets, station.commits.total_seconds)
    return found
