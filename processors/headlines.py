"""Which events people are told of, and the one line that says what happened.

A headline holds ids, numbers and reason codes, never a free text: what a person wrote stays where
it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genoflow.events import topics
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.budget_reached import BudgetReached
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_ready import CaseReady
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.duplicate_file_detected import ANOTHER_SAMPLE, DuplicateFileDetected
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.subject_silent import SubjectSilent
from genoflow.events.topics import Topic

Headlines = Mapping[type[Event], Callable[[Any], str]]

OF_SEQUENCING_RUNS: Headlines = {
    SampleSheetRefused: lambda e: (
        f"The sample sheet of sequencing run {e.instrument_run_id} was refused: "
        f"{_count(len(e.problems), 'problem')}"
    ),
    SequencingRunFailed: lambda e: f"Sequencing run {e.instrument_run_id} failed: {e.reason_code}",
    SequencingRunQcFailed: lambda e: (
        f"Sequencing run {e.instrument_run_id} failed its quality control, round {e.round}"
    ),
    DemultiplexFailed: lambda e: (
        f"Demultiplexing of sequencing run {e.instrument_run_id} failed: {e.reason_code}"
    ),
    SampleUnlisted: lambda e: (
        f"Files of sample {e.claimed_sample_id} name sequencing run {e.instrument_run_id}, and "
        f"revision {e.sheet_revision} of its sheet does not hold the sample"
    ),
}
OF_SAMPLES: Headlines = {
    FileRejected: lambda e: (
        f"A file of sample {e.sample_id} was rejected: {e.reason_code}"
        f"{f' ({e.role})' if e.role else ''}"
    ),
    FileQuarantined: lambda e: (
        f"A file of {e.subject_key} is in quarantine: {e.scanner} found something"
    ),
    DuplicateFileDetected: lambda e: (
        f"A file of sample {e.sample_id} ({e.role}) holds the very bytes of another file, "
        f"of {'another' if e.manner == ANOTHER_SAMPLE else 'the same'} sample"
    ),
    QcPassed: lambda e: f"Sample {e.sample_id} passed its quality control, round {e.round}",
    QcFailed: lambda e: (
        f"Sample {e.sample_id} failed its quality control, round {e.round}: {e.reason_code}"
    ),
    QcOverridden: lambda e: f"A person let sample {e.sample_id} go on, round {e.round}",
    SubjectSilent: lambda e: (
        f"Nothing was heard of {e.subject_key} since {e.last_at:%Y-%m-%d %H:%M} UTC"
    ),
}
OF_CASES: Headlines = {
    CaseReady: lambda e: f"Case {e.case_id} is ready to be run, revision {e.revision}",
    CaseClosed: lambda e: f"Case {e.case_id} was closed: {e.outcome}",
}
OF_RUNS: Headlines = {
    RunStarted: lambda e: f"Run {e.run_id} has started, attempt {e.attempt}",
    RunSucceeded: lambda e: f"The run of case {e.case_id} succeeded",
    RunFailed: lambda e: (
        f"The run of case {e.case_id} failed: {e.reason_code}"
        f"{'; it is tried again' if e.will_retry else ''}"
    ),
    RunLost: lambda e: f"Run {e.run_id} was lost by {e.launcher}, attempt {e.attempt}",
    RunCancelled: lambda e: f"The run of case {e.case_id} was cancelled",
    ResultsHeld: lambda e: (
        f"The results of case {e.case_id} are held for a person: {_count(len(e.reasons), 'reason')}"
    ),
    ResultsPublished: lambda e: f"The results of case {e.case_id} are published",
    ResultsAmended: lambda e: f"The results of case {e.case_id} were amended: {e.reason_code}",
    ResultsRetracted: lambda e: f"The results of case {e.case_id} were retracted: {e.reason_code}",
}
OF_BUDGETS: Headlines = {
    BudgetReached: lambda e: (
        f"Project {e.project_id} has spent {e.percent} % of its budget for runs of {e.month}: "
        f"{e.spent_usd:,.2f} of {e.month_usd:,.2f} USD"
    ),
}
OF_ALERTS: Headlines = {
    AlertEscalated: lambda e: (
        f"Alert {e.alert_id} ({e.severity}{f', step {e.step} of {e.steps}' if e.step > 1 else ''})"
        f": {e.headline}"
    ),
    AlertResolved: lambda e: f"Alert {e.alert_id} is over",  # the plan adds what it was about
}
# One topic, one order: a row of the flow reads one of these.
TOLD: Mapping[Topic, Headlines] = {
    topics.SEQUENCING_RUN: OF_SEQUENCING_RUNS,
    topics.SAMPLE: OF_SAMPLES,
    topics.CASE: OF_CASES,
    topics.RUN: OF_RUNS,
    topics.BUDGET: OF_BUDGETS,
    topics.ALERT: OF_ALERTS,
}
TOLD_TYPES = tuple(kind.type() for headlines in TOLD.values() for kind in headlines)


def headline_of(topic: Topic, event: Event) -> str:
    """The line that says what happened."""
    return " ".join(TOLD[topic][type(event)](event).split())


def subjects_of(event: Event) -> tuple[str, ...]:
    """Every id by which somebody may have asked to hear of this event, its own key first."""
    fields: Any = event
    named = [event.key]
    for name in ("instrument_run_id", "sample_id", "claimed_sample_id", "case_id"):
        value = getattr(fields, name, None)
        if value is not None:
            named.append(str(value))
    if isinstance(event, AlertEscalated) and event.subject_key is not None:
        named.append(event.subject_key)
    named += getattr(fields, "sample_ids", ())
    named += [one.sample_id for one in getattr(fields, "members", ())]
    return tuple(dict.fromkeys(named))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
