"""What follows from what: every writer and every reader of events, on one screen."""

from __future__ import annotations

from dataclasses import dataclass

from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.divergence_found import DivergenceFound
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_deleted import FileDeleted
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.key_issued import KeyIssued
from genoflow.events.key_revoked import KeyRevoked
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.notice_parked import NoticeParked
from genoflow.events.pipeline_activated import PipelineActivated
from genoflow.events.pipeline_deprecated import PipelineDeprecated
from genoflow.events.pipeline_not_validated import PipelineNotValidated
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.events.project_access_granted import ProjectAccessGranted
from genoflow.events.project_access_revoked import ProjectAccessRevoked
from genoflow.events.projection_cut_over import ProjectionCutOver
from genoflow.events.proposals import PROPOSALS
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.replay_completed import ReplayCompleted
from genoflow.events.replay_started import ReplayStarted
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.role_granted import RoleGranted
from genoflow.events.role_revoked import RoleRevoked
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.events.subjects_read import SubjectsRead
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.processors.abandon_uploads import ABANDON_UPLOADS
from genoflow.processors.analyze_qc import ANALYZE_QC
from genoflow.processors.answer_case import ANSWER_CASE
from genoflow.processors.await_members import AWAIT_MEMBERS
from genoflow.processors.charge_runs import CHARGE_RUNS
from genoflow.processors.check_claims import CHECK_CLAIMS
from genoflow.processors.check_qc import CHECK_QC
from genoflow.processors.check_results import CHECK_RESULTS
from genoflow.processors.check_run_qc import CHECK_RUN_QC
from genoflow.processors.checksum_files import CHECKSUM_FILES
from genoflow.processors.clock import CLOCKS
from genoflow.processors.collect_results import COLLECT_RESULTS
from genoflow.processors.deliver import DELIVER
from genoflow.processors.demultiplex import DEMULTIPLEX
from genoflow.processors.escalate_alerts import ESCALATE_ALERTS
from genoflow.processors.find_duplicates import FIND_DUPLICATES
from genoflow.processors.intake.notifications import PORCH as STORE_NOTIFICATIONS
from genoflow.processors.intake.scan_verdicts import PORCH as SCAN_VERDICTS
from genoflow.processors.intake.sweeper import SWEEPER
from genoflow.processors.intake.task_news import TASK_NEWS
from genoflow.processors.join_case import JOIN_CASE
from genoflow.processors.judge_reads import JUDGE_READS
from genoflow.processors.measure_alignments import MEASURE_ALIGNMENTS
from genoflow.processors.measure_reads import MEASURE_READS
from genoflow.processors.plan_notifications import PLAN_NOTIFICATIONS
from genoflow.processors.processor import Processor
from genoflow.processors.publish_results import PUBLISH_RESULTS
from genoflow.processors.queue_notifications import QUEUE_NOTIFICATIONS
from genoflow.processors.read_models import READ_MODELS, ReadModel
from genoflow.processors.register_read_sets import REGISTER_READ_SETS
from genoflow.processors.relabel import RELABEL
from genoflow.processors.repair_sources import REPAIR_SOURCES
from genoflow.processors.request_demultiplex import REQUEST_DEMULTIPLEX
from genoflow.processors.request_run import REQUEST_RUN
from genoflow.processors.restore_files import RESTORE_FILES
from genoflow.processors.retract_results import RETRACT_RESULTS
from genoflow.processors.scan_files import SCAN_FILES
from genoflow.processors.settle_case import SETTLE_CASE
from genoflow.processors.settle_run import SETTLE_RUN
from genoflow.processors.settle_sample import SETTLE_SAMPLE
from genoflow.processors.submit_run import SUBMIT_RUN
from genoflow.processors.supersede_runs import SUPERSEDE_RUNS
from genoflow.processors.sweep_files import SWEEP_FILES
from genoflow.processors.tell_case import TELL_CASE
from genoflow.processors.tell_claims import TELL_CLAIMS
from genoflow.processors.tell_content import TELL_CONTENT
from genoflow.processors.tell_lims import TELL_LIMS
from genoflow.processors.tell_runs import TELL_RUNS
from genoflow.processors.tell_samples import TELL_SAMPLES
from genoflow.processors.validate_files import VALIDATE_FILES
from genoflow.processors.watch_budgets import WATCH_BUDGETS
from genoflow.processors.watch_runs import WATCH_RUNS
from genoflow.processors.watch_silence import WATCH_SILENCE


@dataclass(frozen=True, slots=True)
class Porch:
    """Brings facts of the outside world onto the log."""

    name: str
    emits: tuple[type[Event], ...]
    about: str


Row = Porch | Processor | ReadModel

FLOW: tuple[Row, ...] = (
    Porch(
        "sequencer-watcher",
        emits=(
            SequencingRunStarted,
            SampleSheetAttached,
            SampleSheetRefused,
            SampleSheetAmended,
            SequencingRunCompleted,
            SequencingRunFailed,
            SequencingRunMirrored,
        ),
        about="takes in what instruments write: runs, sheets, and every file",
    ),
    Porch(
        "demultiplex-desk",
        emits=(DemultiplexReopened,),
        about="what a person decides about a demultiplexing that failed",
    ),
    REQUEST_DEMULTIPLEX,
    DEMULTIPLEX,
    REGISTER_READ_SETS,
    CHECK_RUN_QC,
    TELL_SAMPLES,
    Porch(
        "api",
        emits=tuple(PROPOSALS),
        about="what callers propose; a decider on the same topic answers",
    ),
    Porch(
        "orders",
        emits=(CaseOpened, CaseClosed, SampleMetadataAmended),
        about="orders of people and of their systems, checked before they are cases",
    ),
    SETTLE_CASE,
    JOIN_CASE,
    Porch(
        "catalog",
        emits=(
            PipelinePublished,
            PipelineValidated,
            PipelineNotValidated,
            PipelineActivated,
            PipelineDeprecated,
            ConfigurationSaved,
            QcProfilePublished,
            ReferencePublished,
            TargetSetPublished,
            RetentionPublished,
            MetadataSchemaPublished,
            AlertRulesPublished,
        ),
        about="documents that a person publishes, checked before one of them is",
    ),
    Porch(
        "accounts",
        emits=(
            RoleGranted,
            RoleRevoked,
            ProjectAccessGranted,
            ProjectAccessRevoked,
            KeyIssued,
            KeyRevoked,
        ),
        about="who may do what: changes of accounts and keys, from their outbox",
    ),
    Porch(
        "reads",
        emits=(SubjectsRead,),
        about="who was shown which subjects, told once a second",
    ),
    Porch(
        "qc-desk",
        emits=(QcOverridden, TopUpRequested, QcAnalysisProposed),
        about="what a person decides about reads that failed, or asks about any",
    ),
    SETTLE_SAMPLE,
    Porch(
        "label-desk",
        emits=(SampleRelabelled,),
        about="what a person says of reads that stand under a wrong label",
    ),
    RELABEL,
    Porch(
        "metadata-desk",
        emits=(SampleMetadataAmended,),
        about="what a person says of a sample beside its reads, as its project's schema has it",
    ),
    Porch(
        "sent-reads",
        emits=(SampleRegistered, ReadSetRegistered, SampleMetadataAmended, FileLanded),
        about="material that was made elsewhere, and files that are sent again",
    ),
    Porch(
        "file-desk",
        emits=(FileAssigned, FileLanded),
        about="whose a file is where its metadata do not say: it lands for that sample",
    ),
    Porch(
        STORE_NOTIFICATIONS,
        emits=(FileLanded, FileDeleted, FileTierChanged, FileRestored, NoticeParked),
        about="what the object store tells of its objects, and what a crawl finds in it",
    ),
    Porch(
        SCAN_VERDICTS,
        emits=(FileLanded, FileCleared, FileQuarantined, NoticeParked),
        about="what a virus scanner tells that looks into the object store by itself",
    ),
    Porch(
        "upload-desk",
        emits=(
            SampleRegistered,
            ReadSetRegistered,
            SampleMetadataAmended,
            UploadInitiated,
            FileLanded,
            UploadAbandoned,
        ),
        about="files that callers of the API send, part by part or whole",
    ),
    ABANDON_UPLOADS,
    CHECKSUM_FILES,
    SCAN_FILES,
    VALIDATE_FILES,
    TELL_CONTENT,
    FIND_DUPLICATES,
    TELL_CLAIMS,
    CHECK_CLAIMS,
    RESTORE_FILES,
    CHECK_QC,
    MEASURE_ALIGNMENTS,
    MEASURE_READS,
    JUDGE_READS,
    ANALYZE_QC,
    TELL_CASE,
    AWAIT_MEMBERS,
    REQUEST_RUN,
    Porch(
        "run-desk",
        emits=(RunCancelled, RunRetryRequested, RerunRequested, CasePriorityChanged),
        about="what a person decides about runs: an end, to go on, once more, or how urgent one is",
    ),
    SUBMIT_RUN,
    Porch(
        TASK_NEWS,
        emits=(RunStarted, TaskSubmitted, TaskStarted, TaskCompleted, TaskFailed),
        about="what an engine says of a run and its tasks: by weblog, and by its trace",
    ),
    COLLECT_RESULTS,
    CHECK_RESULTS,
    PUBLISH_RESULTS,
    Porch(
        "results-desk",
        emits=(ResultsPublished, ResultsRetracted),
        about="what a person decides about results that are held, or wrong",
    ),
    Porch(
        "download-desk",
        emits=(DownloadLinkIssued,),
        about="who may fetch which file of results, and until when",
    ),
    SETTLE_RUN,
    ANSWER_CASE,
    SUPERSEDE_RUNS,
    TELL_RUNS,
    RETRACT_RESULTS,
    WATCH_SILENCE,
    WATCH_RUNS,
    Porch(
        "cost-desk",
        emits=(RunCostRecorded,),
        about="what bills say that runs have cost",
    ),
    CHARGE_RUNS,
    Porch(
        "budget-desk",
        emits=(BudgetSet, BudgetLifted),
        about="what a person lets the runs of a project cost in a month",
    ),
    WATCH_BUDGETS,
    Porch(
        "watchtower",
        emits=(AlertRaised, AlertResolved),
        about="what the rules of alerts find on the log, and when it is over",
    ),
    Porch(
        "alert-desk",
        emits=(AlertAcknowledged, AlertResolved),
        about="who looks after an alert, and what a person says is over",
    ),
    Porch(
        "chart-desk",
        emits=(QualityChartRestarted,),
        about="which level of quality a person takes for normal from here on",
    ),
    ESCALATE_ALERTS,
    REPAIR_SOURCES,
    Porch(
        "subscriptions",
        emits=(SubscriptionCreated, SubscriptionCancelled),
        about="who wants to be told of what, and by which channel",
    ),
    *PLAN_NOTIFICATIONS,
    *QUEUE_NOTIFICATIONS,
    DELIVER,
    *TELL_LIMS,
    Porch(
        SWEEPER,
        emits=(DeletionProposed,),
        about="what a rule of retention lets go, by the time of day",
    ),
    Porch(
        "hold-desk",
        emits=(LegalHoldPlaced, LegalHoldReleased),
        about="whose files a person keeps, whatever the rules say",
    ),
    *SWEEP_FILES,
    *CLOCKS,
    Porch(
        "read-models",
        emits=(ProjectionCutOver,),
        about="what readers see of the log, when that becomes another build of it",
    ),
    Porch(
        "replay",
        emits=(ReplayStarted, DivergenceFound, ReplayCompleted),
        about="what a person tries on the record: the log, through this code or another",
    ),
    *READ_MODELS,
)


PROCESSORS: dict[str, Processor] = {row.name: row for row in FLOW if isinstance(row, Processor)}
