"""The read models of the flow: which events each of them reads, and what its rows tell."""

from __future__ import annotations

from dataclasses import dataclass

from genoflow.events import topics
from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.catalogue import EVENTS
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.events.duplicate_file_detected import DuplicateFileDetected
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_deleted import FileDeleted
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_restore_awaited import FileRestoreAwaited
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_stuck import RunStuck
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.events.task_news import TaskNews
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.topics import Topic
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed


@dataclass(frozen=True, slots=True)
class ReadModel:
    """Keeps a view of the log in Postgres; it never answers with an event."""

    name: str
    on: tuple[type[Event], ...]
    about: str


# What only goes on to those that wait: of files another model tells, and of a wish its answer.
HANDED_ON = (CaseFileRestored, RunFileRestored, RunPriorityRequested)


def _all_of(topic: Topic) -> tuple[type[Event], ...]:
    """Every type that stands on this topic and on no other; what is proposed changes no row."""
    return tuple(
        event
        for event in EVENTS
        if event.about.topics == (topic,)
        and not issubclass(event, Proposal | ProposalRefused)
        and event not in HANDED_ON
    )


# What was done with results is no part of what they are.
OF_RUNS = tuple(event for event in _all_of(topics.RUN) if event is not DownloadLinkIssued)
# What is said of a chart of quality is no document.
DOCUMENTS = tuple(event for event in _all_of(topics.CATALOG) if event is not QualityChartRestarted)
# Of a run, and nothing of what it left.
NO_RESULTS = (TaskNews, RunStuck, RunCostRecorded, RunPriorityChanged, RunPriorityKept)

READ_MODELS = (
    ReadModel("audit-trail", on=EVENTS, about="every event with who, when and because of what"),
    ReadModel(
        "files",
        on=(
            FileLanded,
            FileAssigned,
            FileChecksummed,
            FileChecksumMismatched,
            Validated,
            ValidationAttemptFailed,
            FileRejected,
            FileDeleted,
            ScanRequested,
            FileCleared,
            FileQuarantined,
            DuplicateFileDetected,
            FileTierChanged,
            FileRestoreAwaited,
            FileRestored,
        ),
        about="every version of a file: place, checksums, state, and what it waits for",
    ),
    ReadModel(
        "uploads",
        on=(UploadInitiated, UploadAbandoned, FileLanded),
        about="files that callers send: how they are sent, and what became of it",
    ),
    ReadModel(
        "sequencing-runs",
        on=(
            SequencingRunStarted,
            SequencingRunCompleted,
            SequencingRunFailed,
            SequencingRunMirrored,
            SampleSheetAttached,
            SampleSheetAmended,
            SampleSheetRefused,
            DemultiplexRequested,
            DemultiplexCompleted,
            DemultiplexFailed,
            DemultiplexReopened,
            SequencingRunQcPassed,
            SequencingRunQcFailed,
        ),
        about="how far every run of an instrument is, and the reads of each sample and lane in it",
    ),
    ReadModel(
        "samples",
        on=(
            SampleRegistered,
            CaseJoined,
            CaseLeft,
            ReadSetRegistered,
            ReadSetInvalidated,
            FileLanded,
            FileAssigned,
            FileChecksummed,
            FileChecksumMismatched,
            Validated,
            ValidationAttemptFailed,
            FileRejected,
            FileDeleted,
            ScanRequested,
            FileCleared,
            FileQuarantined,
            DuplicateFileDetected,
            FileTierChanged,
            FileRestoreAwaited,
            FileRestored,
            SequencingRunQcPassed,
            SequencingRunQcFailed,
            QcRequested,
            QcMetricsRecorded,
            QcPassed,
            QcFailed,
            QcOverridden,
            TopUpRequested,
            SampleRelabelled,
            SampleMetadataAmended,
            SampleListed,
            SampleUnlisted,
        ),
        about="where every sample is, since when, what it waits for and why",
    ),
    ReadModel(
        "runs",
        on=OF_RUNS,
        about="runs of pipelines and their tasks: how far each is, and what it took",
    ),
    ReadModel(
        "results",
        on=tuple(event for event in OF_RUNS if not issubclass(event, NO_RESULTS)),
        about="results of runs, whether they hold, and their files with checksums",
    ),
    ReadModel(
        "qc",
        on=(
            QcRequested,
            QcMetricsRecorded,
            QcPassed,
            QcFailed,
            QcOverridden,
            TopUpRequested,
            ReadSetInvalidated,
            SequencingRunQcPassed,
            SequencingRunQcFailed,
            QcAnalysisProposed,
            QcAnalysisRequested,
            QcAnalysisPassed,
            QcAnalysisFailed,
            QcAnalysisRefused,
        ),
        about="QC of reads and of sequencing runs: rounds, verdicts and metrics",
    ),
    ReadModel(
        "cases",
        on=_all_of(topics.CASE),
        about="what was ordered, who of its members is ready, and what each case waits for",
    ),
    ReadModel(
        "notifications",
        on=_all_of(topics.NOTIFICATION),
        about="who wants to be told of what, and what became of every notification",
    ),
    ReadModel(
        "budgets",
        on=_all_of(topics.BUDGET),
        about="what projects may spend on runs in a month, and what of that is spent",
    ),
    ReadModel(
        "alerts",
        on=_all_of(topics.ALERT),
        about="what needs a person: how far its ladder is, who took it up, and how it ended",
    ),
    ReadModel(
        "parked",
        on=(EventParked, EventRequeued, EventDiscarded),
        about="what a processor could not take, why, and what people decided about it",
    ),
    ReadModel(
        "documents",
        on=DOCUMENTS,
        about="pipelines, profiles, references, target sets and retention, and what is in force",
    ),
)
