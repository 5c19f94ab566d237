"""What callers propose about orders becomes a fact, or is refused with its reason.

An order is held to those of its samples, and a run to its own story: both are on other topics, so
an effect looks there. Until it answers, the case is marked, and no other proposal overtakes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_closure_proposed import CaseClosureProposed
from genoflow.events.case_closure_refused import CaseClosureRefused
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_priority_proposed import CasePriorityProposed
from genoflow.events.case_priority_refused import CasePriorityRefused
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_refused import CaseRefused
from genoflow.events.errors import Parked, Refused
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.rerun_refused import RerunRefused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.subjects import Subjects
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors import case_rules as rules
from genoflow.processors import run_rules
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated
from genoflow.processors.settling import Ruled, kept, settled

LOOK_AT_SAMPLES = "look-at-samples"
LOOK_AT_RUN = "look-at-run"


class Case(rules.Case, Remembering):
    """What is known of a case, and which proposals were answered."""


class Placing(Arguments):
    """An order that nothing in its own story speaks against."""

    order: CaseOpened
    proposal_id: UUID


class Repeating(Arguments):
    """The newest run of an open case, which somebody wants once more."""

    fact: RerunRequested
    proposal_id: UUID


def decide(state: Case, event: Proposal) -> Decision:
    """Answer a proposal once; ask elsewhere where nothing in the story of the case decides it."""
    if is_repeated(state, event):
        return NOTHING
    found = settled(_rule, state, event)
    if not isinstance(found, Ruled):
        return Decision(events=(found,))
    proposal_id = event.envelope.event_id
    if isinstance(found.fact, CaseOpened):
        placing = Placing(order=found.fact, proposal_id=proposal_id)
        return Decision(effects=(Effect(LOOK_AT_SAMPLES, placing),))
    if isinstance(found.fact, RerunRequested):
        repeating = Repeating(fact=found.fact, proposal_id=proposal_id)
        return Decision(effects=(Effect(LOOK_AT_RUN, repeating),))
    return Decision(events=(found.fact,))


def evolve(state: Case, event: Event, offset: int) -> Case:
    """Keep the order, its end and its newest run, and what will be decided about them."""
    return kept(_rule, rules.heard, rules.marked, state, event, offset)


def _rule(state: Case, event: Any) -> Ruled[Any]:
    if isinstance(event, CaseProposed):
        return rules.opened(state, event)
    if isinstance(event, CaseClosureProposed):
        fact = CaseClosed(case_id=event.case_id, outcome=event.outcome, reason=event.reason)
        return rules.closed(state, fact)
    if isinstance(event, CasePriorityProposed):
        said = {name: getattr(event, name) for name in ("reason", "run_id", "request_id")}
        return rules.ranked(state, event.case_id, event.priority, **said)
    assert isinstance(event, RerunProposed)
    about = rules.newest_again(state, event.case_id, str(event.run_id))
    wish = RerunRequested(
        case_id=event.case_id,
        run_id=event.run_id,
        request_id=event.request_id,
        reason=event.reason,
    )
    return Ruled(wish, about)


# -- the effects


async def look_at_samples(placing: Placing, attempt: Attempt) -> Sequence[Event]:
    """Open the case, unless one of its samples is somebody else's in another case."""
    order = placing.order
    members = [one.sample_id for one in order.members]
    events = await _subjects(attempt, LOOK_AT_SAMPLES).events_of(topics.SAMPLE, members)
    if faults := rules.other_subjects(order, events):
        return not_placed(placing, "\n".join(faults))
    return [order]


def not_placed(placing: Placing, reason: str) -> Sequence[Event]:
    """Say why an order is no case."""
    return [
        CaseRefused(
            case_id=placing.order.case_id,
            proposal_event_id=placing.proposal_id,
            reason=reason[:TEXT_CHARACTERS_MAX],
        )
    ]


async def look_at_run(repeating: Repeating, attempt: Attempt) -> Sequence[Event]:
    """Ask for the run once more, unless it is under way or has results."""
    key = str(repeating.fact.run_id)
    story = await _subjects(attempt, LOOK_AT_RUN).events_of(topics.RUN, [key])
    try:
        rules.can_be_had_again(run_rules.run_of(story[key]), key)
    except Refused as error:
        return not_again(repeating, str(error))
    return [repeating.fact]


def not_again(repeating: Repeating, reason: str) -> Sequence[Event]:
    """Say why a run is not had again."""
    return [
        RerunRefused(
            case_id=repeating.fact.case_id,
            proposal_event_id=repeating.proposal_id,
            reason=reason[:TEXT_CHARACTERS_MAX],
        )
    ]


def _subjects(attempt: Attempt, effect: str) -> Subjects:
    if attempt.ports.subjects is None:
        raise Parked(f"{effect}: this worker has no reader of subjects; wire one")
    return attempt.ports.subjects


SETTLE_CASE = Processor(
    "settle-case",
    reads=topics.CASE,
    on=(CaseProposed, CaseClosureProposed, RerunProposed, CasePriorityProposed),
    folds=(*rules.FACTS, CaseRefused, CaseClosureRefused, RerunRefused, CasePriorityRefused),
    emits=(
        CaseRefused, CaseClosed, CaseClosureRefused, RerunRefused,
        CasePriorityChanged, CasePriorityRefused,
    ),
    decide=decide,
    evolve=evolve,
    state=Case,
    state_version=2,
    effects=(
        Call(
            LOOK_AT_SAMPLES,
            arguments=Placing,
            emits=(CaseOpened, CaseRefused),
            perform=look_at_samples,
            gives_up=not_placed,
        ),
        Call(
            LOOK_AT_RUN,
            arguments=Repeating,
            emits=(RerunRequested, RerunRefused),
            perform=look_at_run,
            gives_up=not_again,
        ),
    ),
    in_its_name=(CaseOpened, CaseClosed, RerunRequested, CasePriorityChanged),
    knows_offsets=True,
    about="answers what callers propose about orders, their end and priority, and runs had again",
)  # fmt: skip
