"""What every decider about proposals has in common: a rule says the fact, or why there is none.

A proposal is marked in the state as soon as it is taken, since its fact is read back only later:
one that comes between the two finds the subject as it will be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from genoflow.events.errors import Refused
from genoflow.events.event import E, Event
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.proposals import PROPOSALS
from genoflow.events.types import TEXT_CHARACTERS_MAX, Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.repeated import Remembering, is_repeated, with_this

CHANGED = "has changed since it was looked at; look again, then decide"


class Deciding(Part):
    """The fact that a decision is about, and where it stands."""

    event_id: UUID
    offset: int


@dataclass(frozen=True, slots=True)
class Ruled(Generic[E]):
    """What a rule allows: the fact, and what it was decided about."""

    fact: E
    about: Deciding | None = None  # none where it is about no earlier fact


class StandsAlready(Refused):
    """The fact that is asked for stands on the log, in the same words."""

    def __init__(self, reason: str, event_id: UUID) -> None:
        super().__init__(reason)
        self.event_id = event_id


R = TypeVar("R", bound=Remembering)
Heard = Callable[[Any, Event, int], dict[str, object]]  # (state, fact, offset)
Marked = Callable[[Event, UUID], dict[str, object]]  # (fact, id of the proposal that led to it)
Rule = Callable[[Any, Any], Ruled[Any]]  # (state, proposal); Refused where it is not allowed


def settled(rule: Rule, state: Any, proposal: Proposal) -> Ruled[Any] | ProposalRefused:
    """What a rule says of a proposal, held to what its author had seen."""
    try:
        ruled = rule(state, proposal)
    except Refused as error:
        return refusal(proposal, error)
    seen = proposal.seen_offset
    if seen is not None and ruled.about is not None and ruled.about.offset > seen:
        return refusal(proposal, Refused(f"{proposal.key}: {CHANGED}"))
    return ruled


def answered(rule: Rule, state: Any, proposal: Proposal) -> Decision:
    """The answer to a proposal, once, where the subject's own story is all that it needs."""
    if is_repeated(state, proposal):
        return NOTHING
    found = settled(rule, state, proposal)
    return Decision(events=(found.fact if isinstance(found, Ruled) else found,))


def kept(rule: Rule, heard: Heard, marked: Marked, state: R, event: Event, offset: int) -> R:
    """What is known of a subject behind an event: facts are heard, proposals mark what they do."""
    if not isinstance(event, Proposal):
        return state.model_copy(update=heard(state, event, offset))
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    found = settled(rule, state, event)
    if isinstance(found, Ruled):
        change |= marked(found.fact, event.envelope.event_id)
    return state.model_copy(update=change)


def refusal(proposal: Proposal, error: Refused) -> ProposalRefused:
    """The answer that says no, in the words of the rule."""
    _, refused = PROPOSALS[type(proposal)]
    subject = {refused.about.key: getattr(proposal, proposal.about.key)}
    return refused(
        **subject,
        proposal_event_id=proposal.envelope.event_id,
        reason=str(error)[:TEXT_CHARACTERS_MAX],
        standing_event_id=error.event_id if isinstance(error, StandsAlready) else None,
    )
