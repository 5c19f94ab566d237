"""What callers propose about reads that failed becomes a fact, or is refused with its reason."""

from __future__ import annotations

from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_override_proposed import QcOverrideProposed
from genoflow.events.qc_override_refused import QcOverrideRefused
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.top_up_proposed import TopUpProposed
from genoflow.events.top_up_refused import TopUpRefused
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.processors.decision import Decision
from genoflow.processors.processor import Processor
from genoflow.processors.qc_rules import Quality, heard, marked, overridden, topped_up
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.settling import Ruled, answered, settled


class Sample(Quality, Remembering):
    """The rounds of a sample, and which events it has heard."""


def decide(state: Sample, event: Proposal) -> Decision:
    """Answer a proposal once, by what stands before it in the order of the sample."""
    return answered(_rule, state, event)


def evolve(state: Sample, event: Event, offset: int) -> Sample:
    """Keep the verdict of each round, and what will be decided about it."""
    if is_repeated(state, event):
        return state
    if isinstance(event, Proposal):
        found, rounds = settled(_rule, state, event), state.rounds
        if isinstance(found, Ruled):
            rounds = marked(state, found.fact, event.envelope.event_id)
    else:
        rounds = heard(state, event, offset)
    return Sample(rounds=rounds, seen=with_this(state, event))


def _rule(state: Sample, event: QcOverrideProposed | TopUpProposed) -> Ruled[Any]:
    if isinstance(event, QcOverrideProposed):
        return overridden(
            state, event.sample_id, reason=event.reason, role=event.role,
            request_id=event.request_id, number=event.round,
        )  # fmt: skip
    return topped_up(
        state, event.sample_id, reason=event.reason, reads=event.reads_wanted,
        library_id=event.library_id, number=event.round,
    )  # fmt: skip


SETTLE_SAMPLE = Processor(
    "settle-sample",
    reads=topics.SAMPLE,
    on=(QcOverrideProposed, TopUpProposed),
    folds=(
        QcRequested, QcPassed, QcFailed, QcOverridden, TopUpRequested, QcOverrideRefused,
        TopUpRefused,
    ),
    emits=(QcOverridden, QcOverrideRefused, TopUpRequested, TopUpRefused),
    decide=decide,
    evolve=evolve,
    state=Sample,
    in_its_name=(QcOverridden, TopUpRequested),
    knows_offsets=True,
    about="answers what callers propose about reads that failed",
)  # fmt: skip
