"""Every proposal, the fact that it asks for, and what is said where it does not become one."""

from __future__ import annotations

from collections.abc import Mapping

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_closure_proposed import CaseClosureProposed
from genoflow.events.case_closure_refused import CaseClosureRefused
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_priority_proposed import CasePriorityProposed
from genoflow.events.case_priority_refused import CasePriorityRefused
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_refused import CaseRefused
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_override_proposed import QcOverrideProposed
from genoflow.events.qc_override_refused import QcOverrideRefused
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.rerun_refused import RerunRefused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_release_proposed import ResultsReleaseProposed
from genoflow.events.results_release_refused import ResultsReleaseRefused
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.results_retraction_proposed import ResultsRetractionProposed
from genoflow.events.results_retraction_refused import ResultsRetractionRefused
from genoflow.events.run_cancellation_proposed import RunCancellationProposed
from genoflow.events.run_cancellation_refused import RunCancellationRefused
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_retry_proposed import RunRetryProposed
from genoflow.events.run_retry_refused import RunRetryRefused
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.top_up_proposed import TopUpProposed
from genoflow.events.top_up_refused import TopUpRefused
from genoflow.events.top_up_requested import TopUpRequested

PROPOSALS: Mapping[type[Proposal], tuple[type[Event], type[ProposalRefused]]] = {
    QcOverrideProposed: (QcOverridden, QcOverrideRefused),
    TopUpProposed: (TopUpRequested, TopUpRefused),
    QcAnalysisProposed: (QcAnalysisRequested, QcAnalysisRefused),
    RunCancellationProposed: (RunCancelled, RunCancellationRefused),
    RunRetryProposed: (RunRetryRequested, RunRetryRefused),
    ResultsReleaseProposed: (ResultsPublished, ResultsReleaseRefused),
    ResultsRetractionProposed: (ResultsRetracted, ResultsRetractionRefused),
    CaseProposed: (CaseOpened, CaseRefused),
    CaseClosureProposed: (CaseClosed, CaseClosureRefused),
    RerunProposed: (RerunRequested, RerunRefused),
    CasePriorityProposed: (CasePriorityChanged, CasePriorityRefused),
}
