"""What a caller wants to be so, and why it is not: the two sides of a write that may be refused."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from genoflow.events.event import Event
from genoflow.events.types import Offset, Reason, RequestId


class Proposal(Event):
    """A fact that a decider may say no to, with what its author had seen."""

    request_id: RequestId = Field(description="of the request: sent again, it is the same proposal")
    seen_offset: Offset | None = Field(
        None,
        description="of the newest event of the subject that was seen; none where nobody asks",
    )


class ProposalRefused(Event):
    """Why a proposal did not become a fact, in words for whoever made it."""

    proposal_event_id: UUID = Field(description="the proposal")
    reason: Reason = Field(description="why, and what can be done")
    standing_event_id: UUID | None = Field(
        None, description="the fact that says the same and stands already; none where it is a no"
    )
