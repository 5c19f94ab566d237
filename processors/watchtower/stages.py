"""The stages of the flow as the tower sees them: what opens a wait, what ends it, who owes the end.

A stage begins and ends on one topic and under one key, so whoever reads a partition sees all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_ready import CaseReady
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_rejected import FileRejected
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.events.topics import Topic
from genoflow.events.validated import Validated
from genoflow.processors.watchtower.burn import KINDS as OF_MONEY

Items = Callable[[Any], tuple[str, ...]]  # what of its subject an event is about
Kinds = Mapping[type[Event], Items]


def _whole(_: Any) -> tuple[str, ...]:
    return ("",)


def _attempt(event: Any) -> tuple[str, ...]:
    return (str(event.attempt),)


def _round(event: Any) -> tuple[str, ...]:
    return (str(event.round),)


def _object(event: Any) -> tuple[str, ...]:
    return (f"{event.bucket}/{event.object_key}@{event.version_id or ''}",)


def _promised(event: ReadSetRegistered) -> tuple[str, ...]:
    return tuple(_slot(event.read_set_id, one.role, one.lane) for one in event.expected_files)


def _kept_promise(event: FileLanded) -> tuple[str, ...]:
    if event.read_set_id is None:
        return ()  # nobody promised it
    return (_slot(event.read_set_id, event.role, event.lane),)


def _slot(read_set: str | None, role: str | None, lane: int | None) -> str:
    return f"{read_set or '?'} {role or '?'}{'' if lane is None else f' lane {lane}'}"


def _task(event: Any) -> tuple[str, ...]:
    return (f"{event.attempt}/{event.task_id}/{event.task_attempt}",)


def _notification(event: Any) -> tuple[str, ...]:
    return (str(event.notification_id),)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a subject's way."""

    name: str
    topic: Topic
    begins: Kinds
    ends: Kinds
    owed_by: str  # the porch or row of the flow that says its end
    fails: Kinds = field(default_factory=dict)  # ends, too, and not well
    # What fails may be tried again: then it is counted as a retry.
    is_retried: Callable[[Any], bool] = lambda _: False
    goes_on: bool = False  # a retry is the same wait, not one of its own


STAGES: tuple[Stage, ...] = (
    Stage(
        "sequence", topics.SEQUENCING_RUN, {SequencingRunStarted: _whole},
        {SequencingRunCompleted: _whole}, "sequencer-watcher", {SequencingRunFailed: _whole},
    ),
    Stage(
        "demultiplex", topics.SEQUENCING_RUN, {DemultiplexRequested: _attempt},
        {DemultiplexCompleted: _attempt}, "demultiplex", {DemultiplexFailed: _attempt},
    ),
    Stage(
        "land", topics.SAMPLE, {ReadSetRegistered: _promised}, {FileLanded: _kept_promise},
        "store-notifications",
    ),
    Stage(
        "validate", topics.SAMPLE, {FileLanded: _object}, {Validated: _object},
        "validate-files", {FileRejected: _object},
    ),
    Stage(
        "qc", topics.SAMPLE, {QcRequested: _round}, {QcPassed: _round}, "check-qc",
        {QcFailed: _round},
    ),
    Stage("assemble", topics.CASE, {CaseOpened: _whole}, {CaseReady: _whole}, "await-members"),
    Stage("turnaround", topics.CASE, {CaseOpened: _whole}, {CaseClosed: _whole}, "settle-case"),
    Stage(
        "submit", topics.RUN, {RunRequested: _whole, RunRetryRequested: _whole},
        {RunSubmitted: _whole}, "submit-run",
    ),
    Stage(
        "start", topics.RUN, {RunSubmitted: _attempt}, {RunStarted: _attempt}, "task-news",
        {RunLost: _attempt},
    ),
    Stage(
        "run", topics.RUN, {RunStarted: _attempt}, {RunSucceeded: _attempt}, "settle-run",
        {RunFailed: _attempt, RunLost: _attempt},
        is_retried=lambda event: getattr(event, "will_retry", True),
    ),
    Stage(
        "task", topics.RUN, {TaskStarted: _task}, {TaskCompleted: _task}, "task-news",
        {TaskFailed: _task}, is_retried=lambda event: bool(event.will_retry),
    ),
    Stage(
        "collect", topics.RUN, {RunSucceeded: _whole}, {ResultsCollected: _whole},
        "collect-results",
    ),
    Stage(
        "check", topics.RUN, {ResultsCollected: _whole}, {ResultsChecked: _whole},
        "check-results", {ResultsHeld: _whole},
    ),
    Stage(
        "publish", topics.RUN, {ResultsChecked: _whole}, {ResultsPublished: _whole},
        "publish-results",
    ),
    Stage(
        "tell", topics.NOTIFICATION, {NotificationQueued: _notification},
        {NotificationSent: _notification}, "deliver", {NotificationFailed: _notification},
        is_retried=lambda event: not event.is_final, goes_on=True,
    ),
)  # fmt: skip
BY_NAME = {stage.name: stage for stage in STAGES}
BY_TOPIC: Mapping[str, tuple[Stage, ...]] = {
    topic.name: tuple(stage for stage in STAGES if stage.topic is topic)
    for topic in dict.fromkeys(stage.topic for stage in STAGES)
}
# After them nobody waits for anything of their subject any more, and nothing is measured.
CLOSINGS = (RunCancelled, RunSuperseded, CaseClosed)
# What will not come: the files of reads that are no longer wanted.
WITHDRAWALS = (ReadSetInvalidated,)


def about(event: Event) -> dict[str, str]:
    """What this event says of its subject that figures are told apart by."""
    reader = _ABOUT.get(type(event))
    if reader is None:
        return {}
    return {name: value for name, value in reader(event).items() if value}


def instrument_of(instrument_run_id: str | None) -> str | None:
    """The instrument in the name of a run: `20260301_A00042_0007_BHXY` is of A00042."""
    parts = (instrument_run_id or "").split("_")
    return parts[1] if len(parts) > 2 else None


_ABOUT: Mapping[type[Event], Callable[[Any], dict[str, str | None]]] = {
    SequencingRunStarted: lambda e: {"instrument": e.instrument_id},
    SampleRegistered: lambda e: {"project": e.project_id},
    CaseJoined: lambda e: {"project": e.project_id, "assay": e.assay},
    ReadSetRegistered: lambda e: {"instrument": instrument_of(e.instrument_run_id)},
    QcRequested: lambda e: {"assay": e.assay},
    CaseOpened: lambda e: {"project": e.project_id, "assay": e.assay, "pipeline": e.pipeline},
    CaseReady: lambda e: {"project": e.project_id, "assay": e.assay, "pipeline": e.pipeline},
    RunRequested: lambda e: {
        "project": e.project_id, "assay": e.assay, "pipeline": e.pipeline,
    },
}  # fmt: skip
DIMENSIONS = ("pipeline", "instrument", "project", "assay")
_KINDS: tuple[type[Event], ...] = (
    *(kind for stage in STAGES for kind in (*stage.begins, *stage.ends, *stage.fails)),
    *CLOSINGS, *WITHDRAWALS, *_ABOUT, *OF_MONEY,
)  # fmt: skip
_HEARD = frozenset(kind.type() for kind in _KINDS)


def is_heard(kind: str) -> bool:
    """Whether an event of this type means anything here; others need not be decoded."""
    return kind in _HEARD
