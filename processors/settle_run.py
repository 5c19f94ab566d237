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
from genoflow.processors import run_rules as rules
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.settling import Ruled, settled


class Run(rules.Run, Remembering):
    """What is known of a run, and which proposals were answered."""


def decide(state: Run, event: Proposal) -> Decision:
    """Answer a proposal once, by what stands before it in the order of the run."""
    if is_repeated(state, event):
        return NOTHING
    found = settled(_rule, state, event)
    return Decision(events=(found.fact if isinstance(found, Ruled) else found,))


def evolve(state: Run, event: Event, offset: int) -> Run:
    """Keep how far the run is, and what will be decided about it."""
    if not isinstance(event, Proposal):
        return state.model_copy(update=rules.heard(state, event, offset))
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    found = settled(_rule, state, event)
    if isinstance(found, Ruled):
        change |= rules.marked(found.fact, event.envelope.event_id)
    return state.model_copy(update=change)


def _rule(
    state: Run, event: RunCancellationProposed | ResultsReleaseProposed | ResultsRetractionProposed
) -> Ruled[Any]:
    key, said = event.key, {"reason": event.reason, "request_id": event.request_id}
    if isinstance(event, RunCancellationProposed):
        return rules.cancelled(state, key, **said)
    if isinstance(event, ResultsReleaseProposed):
        return rules.released(state, key, role=event.role, **said)
    return rules.taken_back(state, key, role=event.role, reason_code=event.reason_code, **said)


SETTLE_RUN = Processor(
    "settle-run",
    reads=topics.RUN,
    on=(RunCancellationProposed, ResultsReleaseProposed, ResultsRetractionProposed),
    folds=(
        *rules.FACTS, RunCancellationRefused, ResultsReleaseRefused, ResultsRetractionRefused,
    ),
    emits=(
        RunCancelled, RunCancellationRefused, ResultsPublished, ResultsReleaseRefused,
        ResultsRetracted, ResultsRetractionRefused,
    ),
    decide=decide,
    evolve=evolve,
    state=Run,
    in_its_name=(RunCancelled, ResultsPublished, ResultsRetracted),
    knows_offsets=True,
    about="answers what callers propose about a run and its results",
)  # fmt: skip
