"""What every subject has in common: when it was heard of, what it waits for, how that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.deletion_refused import DeletionRefused
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_deleted import FileDeleted
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.lims_update_failed import LimsUpdateFailed
from genoflow.events.lims_updated import LimsUpdated
from genoflow.events.measured import Measured
from genoflow.events.notification_planned import NotificationPlanned
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.sample_claimed import SampleClaimed
from genoflow.events.subject_silent import SubjectSilent
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.projections.words import listed

A_WORKER = "a worker does this: `genoflow workers` shows whether one runs"


@dataclass(frozen=True, slots=True)
class Answer:
    """One reason: what is so, as the end of a sentence about the subject, and the way on."""

    says: str
    since: datetime | None = None
    way: str = ""
    is_waiting: bool = True  # else nothing more is to happen because of it

    def about(self, subject: str) -> str:
        """The whole sentence."""
        since = f" (since {moment(self.since)})" if self.since else ""
        return f"{subject} {self.says}{since}{'; ' if self.way else ''}{self.way}"


@dataclass(slots=True)
class Subject:
    """A subject as its events tell it; `fold` is what changes it."""

    key: str
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_type: str = ""
    heard: int = 0  # how many events: also the order of two facts
    deadlines: dict[str, DeadlineSet] = field(default_factory=dict)  # open ones, by their name
    silent: SubjectSilent | None = None


S = TypeVar("S", bound=Subject)
Uses = Mapping[type[Event], Callable[[Any, Any], object]]


def fold(state: S, events: Iterable[Event], uses: Uses) -> S:
    """The same state after these events."""
    for event in events:
        at = event.envelope.occurred_at
        state.heard += 1
        state.first_at = state.first_at or at
        state.last_at, state.last_type = at, event.type()
        if not isinstance(event, DEADLINES):
            state.silent = None
        handler = uses.get(type(event)) or COMMON.get(type(event))
        if handler is not None:
            handler(state, event)
    return state


def _is_waited(state: Subject, event: DeadlineSet) -> None:
    state.deadlines[f"{event.processor}/{event.deadline}"] = event


def _is_over(state: Subject, event: DeadlinePassed | DeadlineCancelled) -> None:
    name = f"{event.processor}/{event.deadline}"
    waited = state.deadlines.get(name)
    if waited is not None and waited.envelope.event_id == event.deadline_id:
        del state.deadlines[name]


def _is_silent(state: Subject, event: SubjectSilent) -> None:
    state.silent = event


DEADLINES = (DeadlineSet, DeadlinePassed, DeadlineCancelled)
COMMON: Uses = {
    DeadlineSet: _is_waited,
    DeadlinePassed: _is_over,
    DeadlineCancelled: _is_over,
    SubjectSilent: _is_silent,
}
# What a subject waits for does not depend on these, where it does not use them itself: others are
# told, the answer to something parked is found where it is parked, files are of samples, and what
# was fetched of results is no part of what they wait for.
SAYS_NOTHING: tuple[type[Event], ...] = (
    NotificationPlanned,
    EventRequeued,
    EventDiscarded,
    FileChecksummed,
    FileChecksumMismatched,
    DownloadLinkIssued,
    UploadInitiated,  # a file that has not landed yet; `genoflow upload` shows how far it is
    UploadAbandoned,
    CaseFileRestored,  # handed on to the runs that wait; what a run waits for, it says itself
    RunFileRestored,
    DeletionProposed,  # whether a file is kept is no step of its subject
    DeletionRefused,
    LegalHoldPlaced,
    LegalHoldReleased,
    FileCleared,
    FileQuarantined,  # of a file of a run nothing waits; of a sample its questions take it
    FileDeleted,  # what was found in it stays; `genoflow file why` says it
    FileTierChanged,  # the same
    FileRestored,
    QcAnalysisRequested,  # a question that a person asked beside the flow
    QcAnalysisPassed,
    QcAnalysisFailed,
    LimsUpdated,  # told elsewhere; nothing waits for it here
    LimsUpdateFailed,
    SampleClaimed,  # the verdict on it is told
    ContaminationEstimated,  # its round waits for its metrics, of which these are a part
    ContaminationNotEstimated,
    TargetCoverageMeasured,
    TargetCoverageNotMeasured,
)


def notes(state: Subject) -> list[Answer]:
    """Who waits for it besides, and whether nothing is heard of it."""
    found = []
    if state.silent is not None:
        hours = state.silent.usual_seconds / 3_600
        found.append(
            Answer(
                f"is silent: the last news was {state.silent.last_type}, and some is usual within "
                f"{hours:g} h",
                state.silent.last_at,
                "see why above, or ask whoever has it in hand",
            )
        )
    found += [
        Answer(
            f"is watched: {wait.processor} waits until {moment(wait.due_at)} for {wait.purpose}",
            is_waiting=False,
        )
        for wait in state.deadlines.values()
    ]
    return found


def moment(time: datetime) -> str:
    """A time as people read it: UTC, to the minute."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def judged(measured: Iterable[Measured], *verdicts: str) -> str:
    """The metrics with one of these verdicts, each beside what was required."""
    return listed(_judged(one) for one in measured if one.verdict in verdicts)


def _judged(one: Measured) -> str:
    found = f"{one.metric} is {one.value:,.6g} {one.unit}"
    if one.found is not None or one.declared is not None:
        found = f"{one.metric} is {one.found or 'unknown'}, declared was {one.declared or 'none'}"
    whose = f" of {one.measured_on}" if one.measured_on else ""
    bounds = [
        f"{word} {bound:,.6g}"
        for word, bound in (("at least", one.required_min), ("at most", one.required_max))
        if bound is not None
    ]
    required = f" where {' and '.join(bounds)} is required" if bounds else ""
    return f"{found}{whose}{required}"
