"""Runs and samples of a lab as the tower hears of them, seeded, and a plain recount of what it saw.

The recount is written without the tower's code: a loop over records with a handful of counters, so
that what both say is right, or both were misled by the log.
"""

from __future__ import annotations

import functools
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from genoflow.events.event import E, Event, begin
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.recorded import Recorded
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.events.validated import Validated
from tests.examples import bare_example, somebody, someone

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
PIPELINES = ("germline", "panel", "somatic")
ASSAYS = ("wgs", "panel", "tumour")
_example = functools.cache(bare_example)  # thousands are told of a few types


class Teller:
    """Tells facts at moments, each under an id of its own."""

    def __init__(self, seed: int, at: datetime = BEGIN) -> None:
        self.random = random.Random(seed)
        self.at = at

    def tell(self, model: type[E], at: datetime, **fields: Any) -> E:
        """One fact, with these fields in place of the example's."""
        example: E = _example(model)
        fact = example.model_copy(update=fields)
        told = begin(fact, occurred_at=at, actor=somebody(), by=someone())
        name = UUID(int=self.random.getrandbits(128), version=4)
        return told.enveloped(told.envelope.model_copy(update={"event_id": name}))

    def later(self, at: datetime, mean_seconds: float) -> datetime:
        """A moment behind this one."""
        return at + timedelta(seconds=self.random.lognormvariate(0, 0.4) * mean_seconds)

    def run(self, number: int, *, fails: float = 0.1) -> Iterator[Event]:
        """One pipeline run from its request to its end, tried again once where it fails."""
        run_id = UUID(int=number + 1, version=4)
        kind = self.random.randrange(len(PIPELINES))
        at = self.at + timedelta(seconds=number * 7)
        yield self.tell(
            RunRequested, at, run_id=run_id, pipeline=PIPELINES[kind], assay=ASSAYS[kind],
            project_id=f"P{number % 4}",
        )  # fmt: skip
        for attempt in (1, 2):
            at = self.later(at, 5)
            yield self.tell(RunSubmitted, at, run_id=run_id, attempt=attempt)
            at = self.later(at, 60)
            yield self.tell(RunStarted, at, run_id=run_id, attempt=attempt)
            for task in range(3):
                at = yield from self.task(run_id, attempt, task, at)
            at = self.later(at, 30)
            if self.random.random() >= fails:
                yield self.tell(RunSucceeded, at, run_id=run_id, attempt=attempt)
                return
            yield self.tell(RunFailed, at, run_id=run_id, attempt=attempt, will_retry=attempt == 1)
            if attempt == 1:
                at = self.later(at, 5)
                yield self.tell(RunRetryRequested, at, run_id=run_id, attempt=2)

    def task(self, run_id: UUID, attempt: int, number: int, at: datetime) -> Any:
        """One task; the moment of its end is returned."""
        named = {"run_id": run_id, "attempt": attempt, "task_id": f"t{number}", "task_attempt": 1}
        yield self.tell(TaskStarted, at, **named)
        at = self.later(at, 300)
        if self.random.random() < 0.05:
            yield self.tell(TaskFailed, at, **named, will_retry=False)
        else:
            yield self.tell(TaskCompleted, at, **named)
        return at

    def sample(self, number: int) -> Iterator[Event]:
        """Two files of a sample, and the verdict on its reads."""
        name, at = f"S{number}", self.at + timedelta(seconds=number * 11)
        for role in ("R1", "R2"):
            place = {
                "sample_id": name, "bucket": "raw", "object_key": f"{name}/{role}.fastq.gz",
                "version_id": "1", "role": role,
            }  # fmt: skip
            yield self.tell(FileLanded, at, **place, read_set_id=None)
            at = self.later(at, 90)
            if self.random.random() < 0.04:
                yield self.tell(FileRejected, at, **place)
            else:
                yield self.tell(Validated, at, **place)
        yield self.tell(QcRequested, at, sample_id=name, round=1, assay="wgs")
        at = self.later(at, 20)
        passed = self.random.random() < 0.9
        yield self.tell(QcPassed if passed else QcFailed, at, sample_id=name, round=1)


def lab(seed: int, runs: int, samples: int) -> list[Event]:
    """Everything that happens, in the order in which it does."""
    told = Teller(seed)
    events = [one for number in range(runs) for one in told.run(number)]
    events += [one for number in range(samples) for one in told.sample(number)]
    return sorted(events, key=lambda event: event.envelope.occurred_at)


@dataclass
class Recount:
    """What a loop over the log counts: by window, dimension and stage."""

    counts: Counter[tuple[str, int, str, str, str]] = field(default_factory=Counter)
    seconds: dict[tuple[str, int, str, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(
        self, record: Recorded, known: dict[str, str], stage: str, what: str,
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        """One thing that was seen of a stage."""
        taken = record.timestamp_ms // 1_000
        for size, length in (("minute", 60), ("hour", 3_600), ("day", 86_400)):
            begins = taken - taken % length
            names = ["all"]
            if size != "minute":
                names += [f"{name}={value}" for name, value in known.items()]
            for name in names:
                self.counts[size, begins, name, stage, what] += 1
                if seconds is not None:
                    self.seconds[size, begins, name, stage].append(seconds)


# Which words of an event name what began, and what came to an end how.
BEGINS: dict[type[Event], tuple[str, tuple[str, ...]]] = {
    RunRequested: ("submit", ()),
    RunRetryRequested: ("submit", ()),
    RunSubmitted: ("start", ("attempt",)),
    RunStarted: ("run", ("attempt",)),
    RunSucceeded: ("collect", ()),
    TaskStarted: ("task", ("attempt", "task_id")),
    FileLanded: ("validate", ("object_key",)),
    QcRequested: ("qc", ("round",)),
}
ENDS: dict[type[Event], tuple[str, str, tuple[str, ...]]] = {
    RunSubmitted: ("submit", "ended", ()),
    RunStarted: ("start", "ended", ("attempt",)),
    RunSucceeded: ("run", "ended", ("attempt",)),
    RunFailed: ("run", "failed", ("attempt",)),
    TaskCompleted: ("task", "ended", ("attempt", "task_id")),
    TaskFailed: ("task", "failed", ("attempt", "task_id")),
    Validated: ("validate", "ended", ("object_key",)),
    FileRejected: ("validate", "failed", ("object_key",)),
    QcPassed: ("qc", "ended", ("round",)),
    QcFailed: ("qc", "failed", ("round",)),
}


def recount(records: Iterable[Recorded]) -> Recount:
    """Count again, without the tower."""
    found = Recount()
    known: dict[str, dict[str, str]] = defaultdict(dict)
    since: dict[tuple[Any, ...], datetime] = {}
    seen: set[UUID] = set()
    for record in records:
        event: Any = record.event
        if event.envelope.event_id in seen:
            continue
        seen.add(event.envelope.event_id)
        at, key, kind = event.envelope.occurred_at, event.key, type(event)
        if kind is RunRequested:
            project = event.project_id
            known[key] = {"pipeline": event.pipeline, "assay": event.assay, "project": project}
        elif kind is QcRequested:
            known[key]["assay"] = event.assay
        if kind in ENDS:
            stage, what, words = ENDS[kind]
            if kind is RunFailed and event.will_retry:
                what = "retried"
            began = since.pop((stage, key, *(getattr(event, word) for word in words)), None)
            length = None if began is None else (at - began).total_seconds()
            found.note(record, known[key], stage, what, length)
        if kind in BEGINS:
            stage, words = BEGINS[kind]
            since[stage, key, *(getattr(event, word) for word in words)] = at
            found.note(record, known[key], stage, "began")
    return found
