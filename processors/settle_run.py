"""What callers propose about a run or its results becomes a fact, or is refused with its reason."""

from __future__ import annotations

from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal
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
from genoflow.processors import run_rules as rules
from genoflow.processors.decision import Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering
from genoflow.processors.settling import Ruled, answered, kept


class Run(rules.Run, Remembering):
    """What is known of a run, and which proposals were answered."""


def decide(state: Run, event: Proposal) -> Decision:
    """Answer a proposal once, by what stands before it in the order of the run."""
    return answered(_rule, state, event)


def evolve(state: Run, event: Event, offset: int) -> Run:
    """Keep how far the run is, and what will be decided about it."""
    return kept(_rule, rules.heard, rules.marked, state, event, offset)


def _rule(state: Run, event: Any) -> Ruled[Any]:
    key, said = event.key, {"reason": event.reason, "request_id": event.request_id}
    if isinstance(event, RunCancellationProposed):
        return rules.cancelled(state, key, **said)
    if isinstance(event, RunRetryProposed):
        return rules.retried(state, key, **said)
    if isinstance(event, ResultsReleaseProposed):
        return rules.released(state, key, role=event.role, **said)
    assert isinstance(event, ResultsRetractionProposed)
    return rules.taken_back(state, key, role=event.role, reason_code=event.reason_code, **said)


SETTLE_RUN = Processor(
    "settle-run",
    reads=topics.RUN,
    on=(
        RunCancellationProposed, RunRetryProposed, ResultsReleaseProposed,
        ResultsRetractionProposed,
    ),
    folds=(
        *rules.FACTS, RunCancellationRefused, RunRetryRefused, ResultsReleaseRefused,
        ResultsRetractionRefused,
    ),
    emits=(
        RunCancelled, RunCancellationRefused, RunRetryRequested, RunRetryRefused,
        ResultsPublished, ResultsReleaseRefused,
        ResultsRetracted, ResultsRetractionRefused,
    ),
    decide=decide,
    evolve=evolve,
    state=Run,
    state_version=2,
    in_its_name=(RunCancelled, RunRetryRequested, ResultsPublished, ResultsRetracted),
    knows_offsets=True,
    about="answers what callers propose about a run and its results",
)  # fmt: skip
