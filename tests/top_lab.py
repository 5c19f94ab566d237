"""A lab at a moment, as `genoflow top` sees it: facts are told, a tower folds them, one looks.

`python -m tests.top_lab` prints the example of docs/top.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

from rich.console import Console

from genoflow.deploy.top.plain import print_shown
from genoflow.deploy.top.reading import Look
from genoflow.deploy.top.show import Seen, show
from genoflow.deploy.top.shown import Shown
from genoflow.deploy.worker_status import Standing, TaskStatus, WorkerStatus
from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.processors.watchtower.kept import Key
from genoflow.projections.alerts import USES, Alert, AlertRow
from tests.budget_facts import budget, charged, taken
from tests.tower_histories import BEGIN, lab
from tests.tower_rules import LATE
from tests.unit.test_tower_judge import Trial

MINUTE = timedelta(minutes=1)
NOW = BEGIN + timedelta(minutes=35)
SLOW = UUID(int=900, version=4)
NOBODY = Standing((), ())
LATE_FILES = LATE | {
    "rule": "late-validation", "stage": "validate", "severity": "critical", "group_by": "stage",
    "floor_seconds": 900.0, "ceiling_seconds": 1_800.0,
}  # fmt: skip


def rows_of(events: Iterable[Event]) -> list[AlertRow]:
    """Alerts as the read model has them."""
    known: dict[str, Alert] = {}
    for event in events:
        if type(event) in USES:
            known.setdefault(event.key, Alert()).take(event)
    return [one.row for one in known.values() if one.row is not None]


def seen(trial: Trial, **fields: Any) -> Seen:
    """What a trial's tower and alerts come to, with nobody at work."""
    known: dict[str, Any] = {
        "tower": trial.watch.tower, "standing": NOBODY, "alerts": rows_of(trial.said),
        "rules": [trial.document],
    }  # fmt: skip
    return Seen(**known | fields)


def task(processor: str, topic: str, partition: int, **fields: Any) -> TaskStatus:
    """A processor on a partition, taken and idle where nothing else is said."""
    usual: dict[str, Any] = {
        "worker": "lab-1-4711-c0ffee", "position": 100, "lag": 0, "rate_per_second": 0.0,
        "open_effects": 0, "parked_keys": 0, "parked_effects": 0,
    }  # fmt: skip
    return TaskStatus(processor, topic, partition, **usual | fields)


def at_work(now: datetime = NOW, **of_validation: Any) -> Standing:
    """A worker with what a few processors do; what validation does can be said."""
    worker = WorkerStatus(
        worker="lab-1-4711-c0ffee", version="0.1.0", heard_seconds_ago=0.8, effects_running=1,
        effects=({"effect": "validate-file", "subject": "S3"},),
        since=now - timedelta(hours=26),
    )  # fmt: skip
    tasks = [
        task(name, topics.SAMPLE.name, partition, **fields)
        for name, fields in (
            ("validate-files", {"open_effects": 2, "rate_per_second": 1.5, **of_validation}),
            ("check-qc", {}),
        )
        for partition in (0, 1)
    ]
    tasks += [task("settle-run", topics.RUN.name, 0), task("settle-run", topics.RUN.name, 1)]
    tasks[-1] = replace(tasks[-1], worker=None, lag=12, rate_per_second=None)
    return Standing((worker,), tuple(tasks))


_busy: list[tuple[Trial, Seen]] = []


async def busy() -> tuple[Trial, Seen]:
    """Half an hour of a lab in which one run and three files take too long; nobody changes it."""
    if not _busy:
        _busy.append(await _half_an_hour(NOW))
    return _busy[0]


def spending(now: datetime) -> list[tuple[Event, datetime]]:
    """A project whose month is over budget by tomorrow, and one that has no budget."""
    month = f"{now:%Y-%m}"
    fields: dict[str, Any] = {"month": month, "project_id": "P7"}
    return [
        (budget(100, since=month, project_id="P7"), now - 20 * MINUTE),
        (charged(1, 40, **fields), now - 15 * MINUTE),
        (charged(2, 36.5, **fields), now - 10 * MINUTE),
        (charged(3, 8.25, **fields | {"project_id": "P8"}), now - 5 * MINUTE),
    ]


async def _half_an_hour(now: datetime) -> tuple[Trial, Seen]:
    trial = Trial(LATE | {"margin": 1.25, "observations_min": 5}, LATE_FILES)
    told = lab(seed=5, runs=40, samples=60)
    late: list[tuple[type[Event], datetime, dict[str, Any]]] = [
        (RunRequested, BEGIN, {"pipeline": "germline", "assay": "wgs", "project_id": "P7"}),
        (RunSubmitted, BEGIN + MINUTE, {"attempt": 1}),
        (RunStarted, BEGIN + 2 * MINUTE, {"attempt": 1}),
    ]
    said = [trial.teller.tell(kind, at, run_id=SLOW, **fields) for kind, at, fields in late]
    said += [
        trial.teller.tell(
            FileLanded, BEGIN + minute * MINUTE, sample_id=f"SLOW-{minute}", bucket="raw",
            object_key=f"SLOW-{minute}/R1.fastq.gz", version_id="1", role="R1", read_set_id=None,
        )
        for minute in (5, 9, 14)
    ]  # fmt: skip
    for event in sorted((*told, *said), key=lambda one: one.envelope.occurred_at):
        if event.envelope.occurred_at < now:
            trial.at = max(trial.at, event.envelope.occurred_at)
            await trial.log.append(event)
    # Partitions are read in any order; who leads a group would be another one each time.
    records = await trial.records()
    await trial.watch.take(sorted(records, key=lambda one: (one.recorded_at, *one.position)))
    await trial.watch.take(taken(spending(now)))
    await trial.look(now - MINUTE)
    lead = rows_of(trial.said)[0].alert_id
    word = AlertAcknowledged(alert_id=lead, role="operator", reason="the store is slow")
    trial.said.append(trial.teller.tell(AlertAcknowledged, now, **word.model_dump()))
    return trial, seen(trial, standing=at_work(now, lag=3), records_per_minute=14.2)


async def slow_runs(*seconds: int) -> Trial:
    """Thirty runs of 1,000 s, and some that began so long before `NOW` and go on."""
    trial = Trial(LATE)
    for number in range(30):
        await trial.run(number, 1_000)
    for number, ago in enumerate(seconds):
        at, run_id = NOW - timedelta(seconds=ago), UUID(int=800 + number, version=4)
        named = {"run_id": run_id, "pipeline": "germline", "assay": "wgs"}
        await trial.tell(RunRequested, at, **named, project_id=f"P{number}")
        await trial.tell(RunSubmitted, at, run_id=run_id, attempt=1)
        await trial.tell(RunStarted, at, run_id=run_id, attempt=1)
    await trial.fold()
    return trial


async def succeeds(trial: Trial, number: int, at: datetime) -> None:
    """One of them comes to its end."""
    await trial.tell(RunSucceeded, at, run_id=UUID(int=800 + number, version=4), attempt=1)
    await trial.fold()


def partition_of(trial: Trial, subject: str) -> int:
    """Where a subject stands."""
    [found] = [key.partition for key in trial.watch.tower.values if _is(key, subject)]
    return found


def _is(key: Key, subject: str) -> bool:
    return key.kind == "subject" and key.rest == subject


def printed(shown: Shown, width: int = 80) -> str:
    """The text of `--once`, as it goes into a pipe."""
    console = Console(file=StringIO(), width=width, highlight=False)
    print_shown(shown, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


class Given:
    """What looks see: a lab, or an error; a test puts another one in its place."""

    def __init__(self, now: Shown | Exception) -> None:
        self.now = now
        self.looks = 0

    @asynccontextmanager
    async def source(self) -> AsyncIterator[Look]:
        """As `looking` gives it."""
        yield self._look

    async def _look(self) -> Shown:
        self.looks += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


async def example() -> str:
    """What stands on the page."""
    _, found = await busy()
    return printed(show(found, NOW))


if __name__ == "__main__":
    print(asyncio.run(example()), end="")
