"""What the workers said of themselves lately, beside what is on the log.

A worker writes its status every two seconds and an empty one when it leaves. Where nobody owns a
partition, its place is read from the changelog, where it stands behind every transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from genoflow.events import topics
from genoflow.events.log.changelog import POSITION_KEY, position_of
from genoflow.events.log.port import EventLog, Vector
from genoflow.processors.processor import Processor

SHOWN_SECONDS = 60.0  # a worker that said nothing for this long is gone
SILENT_SECONDS = 10.0  # five statuses late: stopped, cut off, or dead without a word
# Each transaction ends with the position and a marker; a few more, for transactions that failed.
TAIL_RECORDS = 16
# The broker ends a dead worker's transaction within 20 s; what is open for twice that is lost.
LOST_END_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """One processor on one partition: who owns it, how far it is, and what waits there."""

    processor: str
    topic: str
    partition: int
    worker: str | None  # none: nobody works on it
    position: int | None  # none: it has never been begun
    lag: int | None
    rate_per_second: float | None = None  # none: only one status so far
    open_effects: int | None = None
    parked_keys: int | None = None
    parked_effects: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker: since when it works, when it was heard, and which effects it is doing."""

    worker: str
    version: str
    heard_seconds_ago: float
    effects_running: int
    effects: tuple[dict[str, Any], ...]
    since: datetime | None = None  # none: it has not begun, or is of an earlier release

    @property
    def is_silent(self) -> bool:
        """Whether it should have said something by now."""
        return self.heard_seconds_ago > SILENT_SECONDS


@dataclass(frozen=True, slots=True)
class LostEnd:
    """An input that nobody can read on, since the end of a transaction in it does not come."""

    topic: str
    partition: int
    offset: int
    records: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All workers and all tasks at one moment."""

    workers: tuple[WorkerStatus, ...]
    tasks: tuple[TaskStatus, ...]
    lost_ends: tuple[LostEnd, ...] = ()


@dataclass(slots=True)
class _Said:
    at: datetime
    now: dict[str, Any]
    before: dict[str, Any] = field(default_factory=dict)


async def read_standing(log: EventLog, processors: Iterable[Processor], now: datetime) -> Standing:
    """What the workers of the last minute said, and every partition of these processors."""
    rows = tuple(processors)
    said = await _statuses(log, now)
    workers = tuple(_worker(one, now) for _, one in sorted(said.items()))
    silent = {worker.worker for worker in workers if worker.is_silent}
    ends: Vector = {}
    lost: list[LostEnd] = []
    for topic in dict.fromkeys(row.reads.name for row in rows):
        ends |= await log.ends(topic)
        lost += await _lost_ends(log, topic, now)
    owned = _owned(said, silent, ends)
    free = [
        (row, partition)
        for row in rows
        for topic, partition in sorted(ends)
        if topic == row.reads.name and (row.name, topic, partition) not in owned
    ]
    kept = await positions_kept(log, free)
    names = {row.name: number for number, row in enumerate(rows)}
    tasks = [task for place, task in owned.items() if place[0] in names]
    tasks += [_unowned(row, partition, kept, ends) for row, partition in free]
    tasks.sort(key=lambda task: (names[task.processor], task.partition))
    return Standing(workers, tuple(tasks), tuple(lost))


async def _lost_ends(log: EventLog, topic: str, now: datetime) -> list[LostEnd]:
    return [
        LostEnd(topic, partition, found.offset, found.records, found.since)
        for (_, partition), found in sorted((await log.withheld(topic)).items())
        if (now - found.since).total_seconds() > LOST_END_SECONDS
    ]


async def _statuses(log: EventLog, now: datetime) -> dict[str, _Said]:
    topic = topics.WORKERS.name
    since = now - timedelta(seconds=SHOWN_SECONDS)
    start, stop = await log.offsets_at(topic, since), await log.ends(topic)
    said: dict[str, _Said] = {}
    async for record in log.read(start, stop):
        status = json.loads(record.value or b"{}")
        if not status:
            said.pop(record.key, None)
            continue
        before = said[record.key].now if record.key in said else {}
        said[record.key] = _Said(record.recorded_at, status, before)
    return said


def _worker(said: _Said, now: datetime) -> WorkerStatus:
    status = said.now
    return WorkerStatus(
        worker=status["worker"],
        version=status["version"],
        heard_seconds_ago=max(0.0, round((now - said.at).total_seconds(), 1)),
        effects_running=status["effects_running"],
        effects=tuple(status["effects"]),
        since=datetime.fromisoformat(since) if (since := status.get("since")) else None,
    )


def _owned(
    said: Mapping[str, _Said], silent: set[str], ends: Vector
) -> dict[tuple[str, str, int], TaskStatus]:
    """The newest word on each task counts: it has just moved where two workers name it."""
    found: dict[tuple[str, str, int], TaskStatus] = {}
    for one in sorted(said.values(), key=lambda said: said.at):
        if one.now["worker"] in silent:
            continue
        for task in one.now["tasks"]:
            place = (task["topic"], task["partition"])
            end = ends.get(place)
            found[task["processor"], *place] = TaskStatus(
                processor=task["processor"],
                topic=place[0],
                partition=place[1],
                worker=one.now["worker"],
                position=task["position"],
                lag=None if end is None else max(0, end - task["position"]),
                rate_per_second=_rate(one, task),
                open_effects=task["open_effects"],
                parked_keys=task["parked_keys"],
                parked_effects=task["parked_effects"],
            )
    return found


def _rate(said: _Said, task: Mapping[str, Any]) -> float | None:
    same = [
        old
        for old in said.before.get("tasks", ())
        if (old["processor"], old["partition"]) == (task["processor"], task["partition"])
    ]
    if not same:
        return None
    then, now = (datetime.fromisoformat(one["at"]) for one in (said.before, said.now))
    seconds = (now - then).total_seconds()
    taken = task["records_taken"] - same[0]["records_taken"]
    return round(taken / seconds, 1) if seconds > 0 and taken >= 0 else None


async def positions_kept(
    log: EventLog, tasks: Sequence[tuple[Processor, int]]
) -> dict[tuple[str, int], int]:
    """Where the changelogs of these tasks say that they go on; missing where one is empty."""
    start, stop = {}, {}
    for topic in dict.fromkeys(row.changelog.name for row, _ in tasks):
        wanted = {(topic, at) for row, at in tasks if row.changelog.name == topic}
        begins, ends = await log.starts(topic), await log.ends(topic)
        for place in wanted:
            start[place] = max(begins[place], ends[place] - TAIL_RECORDS)
            stop[place] = ends[place]
    kept = {}
    async for record in log.read(start, stop):
        if record.key_bytes == POSITION_KEY and record.value is not None:
            kept[record.topic, record.partition] = position_of(record.value)
    return kept


def _unowned(
    row: Processor, partition: int, kept: Mapping[tuple[str, int], int], ends: Vector
) -> TaskStatus:
    position = kept.get((row.changelog.name, partition))
    end = ends[row.reads.name, partition]
    return TaskStatus(
        processor=row.name,
        topic=row.reads.name,
        partition=partition,
        worker=None,
        position=position,
        lag=max(0, end - (position or 0)),
    )
