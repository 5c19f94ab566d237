"""Every event there is, in the order of the pages. A new event is one file and one line here."""

from __future__ import annotations

from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_reached import BudgetReached
from genoflow.events.budget_set import BudgetSet
from genoflow.events.case_answered import CaseAnswered
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_closure_proposed import CaseClosureProposed
from genoflow.events.case_closure_refused import CaseClosureRefused
from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_priority_proposed import CasePriorityProposed
from genoflow.events.case_priority_refused import CasePriorityRefused
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_ready import CaseReady
from genoflow.events.case_refused import CaseRefused
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.content_held import ContentHeld
from genoflow.events.content_released import ContentReleased
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.deletion_refused import DeletionRefused
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.divergence_found import DivergenceFound
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
from genoflow.events.key_issued import KeyIssued
from genoflow.events.key_revoked import KeyRevoked
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.lims_update_failed import LimsUpdateFailed
from genoflow.events.lims_updated import LimsUpdated
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.notice_parked import NoticeParked
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_planned import NotificationPlanned
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.pipeline_activated import PipelineActivated
from genoflow.events.pipeline_deprecated import PipelineDeprecated
from genoflow.events.pipeline_not_validated import PipelineNotValidated
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.events.project_access_granted import ProjectAccessGranted
from genoflow.events.project_access_revoked import ProjectAccessRevoked
from genoflow.events.projection_cut_over import ProjectionCutOver
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_override_proposed import QcOverrideProposed
from genoflow.events.qc_override_refused import QcOverrideRefused
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.qc_requested import QcRequested
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.repair_tried import RepairTried
from genoflow.events.replay_completed import ReplayCompleted
from genoflow.events.replay_started import ReplayStarted
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.rerun_refused import RerunRefused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_release_proposed import ResultsReleaseProposed
from genoflow.events.results_release_refused import ResultsReleaseRefused
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.results_retraction_proposed import ResultsRetractionProposed
from genoflow.events.results_retraction_refused import ResultsRetractionRefused
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.role_granted import RoleGranted
from genoflow.events.role_revoked import RoleRevoked
from genoflow.events.run_cancellation_proposed import RunCancellationProposed
from genoflow.events.run_cancellation_refused import RunCancellationRefused
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_charged import RunCharged
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_lost import RunLost
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_proposed import RunRetryProposed
from genoflow.events.run_retry_refused import RunRetryRefused
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_stuck import RunStuck
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.sample_claim_withdrawn import SampleClaimWithdrawn
from genoflow.events.sample_claimed import SampleClaimed
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
from genoflow.events.subject_silent import SubjectSilent
from genoflow.events.subjects_read import SubjectsRead
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.events.top_up_proposed import TopUpProposed
from genoflow.events.top_up_refused import TopUpRefused
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed

EVENTS: tuple[type[Event], ...] = (
    SequencingRunStarted,
    SampleSheetAttached,
    SampleSheetAmended,
    SampleSheetRefused,
    SequencingRunCompleted,
    SequencingRunMirrored,
    SequencingRunFailed,
    SequencingRunQcPassed,
    SequencingRunQcFailed,
    DemultiplexRequested,
    DemultiplexCompleted,
    DemultiplexFailed,
    SampleClaimed,
    SampleClaimWithdrawn,
    SampleListed,
    SampleUnlisted,
    DemultiplexReopened,
    SampleRegistered,
    SampleRelabelled,
    SampleMetadataAmended,
    CaseJoined,
    CaseLeft,
    ReadSetRegistered,
    ReadSetInvalidated,
    UploadInitiated,
    UploadAbandoned,
    FileLanded,
    FileAssigned,
    FileChecksummed,
    FileChecksumMismatched,
    Validated,
    ValidationAttemptFailed,
    FileRejected,
    FileDeleted,
    DeletionProposed,
    DeletionRefused,
    LegalHoldPlaced,
    LegalHoldReleased,
    ScanRequested,
    FileCleared,
    FileQuarantined,
    DuplicateFileDetected,
    FileTierChanged,
    FileRestoreAwaited,
    FileRestored,
    QcRequested,
    ContaminationEstimated,
    ContaminationNotEstimated,
    TargetCoverageMeasured,
    TargetCoverageNotMeasured,
    QcMetricsRecorded,
    QcPassed,
    QcFailed,
    QcOverridden,
    QcOverrideProposed,
    QcOverrideRefused,
    TopUpRequested,
    TopUpProposed,
    TopUpRefused,
    QcAnalysisRequested,
    QcAnalysisPassed,
    QcAnalysisFailed,
    QcAnalysisProposed,
    QcAnalysisRefused,
    CaseOpened,
    CaseProposed,
    CaseRefused,
    CaseMemberReady,
    CaseMemberWithdrawn,
    CaseFileRestored,
    CaseReady,
    CaseAnswered,
    RerunRequested,
    RerunProposed,
    RerunRefused,
    CasePriorityChanged,
    CasePriorityProposed,
    CasePriorityRefused,
    CaseClosed,
    CaseClosureProposed,
    CaseClosureRefused,
    RunRequested,
    RunInputsAwaited,
    RunFileRestored,
    RunInputsRestored,
    RunSubmitted,
    RunStarted,
    RunExited,
    TaskSubmitted,
    TaskStarted,
    TaskCompleted,
    TaskFailed,
    RunSucceeded,
    RunFailed,
    RunRetryRequested,
    RunRetryProposed,
    RunRetryRefused,
    RunPriorityRequested,
    RunPriorityChanged,
    RunPriorityKept,
    RunCancelled,
    RunCancellationProposed,
    RunCancellationRefused,
    RunStuck,
    RunLost,
    RunCostRecorded,
    RunSuperseded,
    RunInputsInvalidated,
    ResultsCollected,
    ResultsChecked,
    ResultsHeld,
    ResultsPublished,
    ResultsReleaseProposed,
    ResultsReleaseRefused,
    ResultsAmended,
    ResultsRetracted,
    DownloadLinkIssued,
    ResultsRetractionProposed,
    ResultsRetractionRefused,
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
    QualityChartRestarted,
    SubscriptionCreated,
    SubscriptionCancelled,
    NotificationPlanned,
    NotificationQueued,
    NotificationSent,
    NotificationFailed,
    LimsUpdated,
    LimsUpdateFailed,
    RoleGranted,
    RoleRevoked,
    ProjectAccessGranted,
    ProjectAccessRevoked,
    KeyIssued,
    KeyRevoked,
    SubjectsRead,
    ContentHeld,
    ContentReleased,
    BudgetSet,
    BudgetLifted,
    RunCharged,
    BudgetReached,
    AlertRaised,
    AlertEscalated,
    AlertAcknowledged,
    AlertResolved,
    RepairTried,
    DeadlineSet,
    DeadlinePassed,
    DeadlineCancelled,
    SubjectSilent,
    EventParked,
    NoticeParked,
    EventRequeued,
    EventDiscarded,
    ProjectionCutOver,
    ReplayStarted,
    DivergenceFound,
    ReplayCompleted,
)
