"""Writes that another write could contradict: proposed here, decided in their subject's order.

1. The proposal is appended. Its id comes from the name of the request: sent again, it is the same.
2. A decider on the same topic answers with the fact, or with a refusal and its reason.
3. Whoever asked hears it within two seconds; after that they are told where it will be found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from genoflow.api.events import EventOut, told
from genoflow.api.guard import CallerHere, RequestName, ServicesHere
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission, Role
from genoflow.api.reading import POSITION
from genoflow.api.refusal import Refusal
from genoflow.api.services import Services
from genoflow.api.writing import Writing, WritingHere
from genoflow.events.proposal import Proposal
from genoflow.events.proposals import PROPOSALS
from genoflow.projections.event_search import KeptEvent, Wanted, event_of, search
from genoflow.projections.store import Connection
from genoflow.projections.vectors import to_word

WAIT_SECONDS_MAX = 2.0  # a decider answers within 200 ms where nothing is behind
PAUSE_SECONDS = 0.02
REFUSED = "REFUSED"
BY_NAME = {kind.type(): kind for kind in PROPOSALS}
AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"
Found = Mapping[str, Any]


class ProposalOut(BaseModel):
    """What became of a proposal."""

    proposal_id: UUID = Field(examples=[AN_ID])
    type: str = Field(description="what was proposed", examples=["QcOverrideProposed"])
    subject: str = Field(description="about whom or what", examples=["SIM-A"])
    state: Literal["open", "accepted", "refused"]
    reason: str | None = Field(description="why it was refused")
    fact: EventOut | None = Field(description="what it led to; one that stood already where it did")


@dataclass(frozen=True, slots=True)
class Proposing:
    """Proposals of one caller, within one request."""

    writing: Writing
    caller: Caller
    services: Services
    response: Response
    request_id: str

    async def row(self, find: Callable[[Connection], Awaitable[Found | None]], lost: str) -> Found:
        """The row of the subject; a Refusal of 404 where there is none."""
        async with self.services.pool.acquire() as connection:
            found = await find(connection)
        if found is None:
            raise Refusal(404, lost)
        return found

    def role(self, permission: Permission, named: Role | None) -> str:
        """The role in which the caller decides; a Refusal where it is none that may."""
        may = [one for one in Role if one in self.caller.roles & PERMISSIONS[permission]]
        if named is not None and named not in may:
            raise Refusal(
                403, f"{named} is no role of yours that allows {permission}; leave it out, or name "
                f"one of {', '.join(may)}", details={"field": "role", "rejected_value": named},
            )  # fmt: skip
        return named or may[0]

    async def settle(self, proposal: Proposal, *, status: int = 200) -> ProposalOut:
        """Append it and wait for its answer; a Refusal of 409 where that is no."""
        name = proposal.external_id()
        async with self.services.pool.acquire() as connection:
            before = await event_of(connection, name)
        if before is None:
            await self.writing.say(proposal)
        elif before.payload != proposal.payload():
            raise Refusal(
                422, "this Idempotency-Key was used for another proposal; take a new one",
                code="IDEMPOTENCY_KEY_REUSED",
            )  # fmt: skip
        for _ in range(int(WAIT_SECONDS_MAX / PAUSE_SECONDS)):
            async with self.services.pool.acquire() as connection:
                found = await become(connection, type(proposal), proposal.key, name)
            if found.state != "open":
                return self._answered(found, status)
            await asyncio.sleep(PAUSE_SECONDS)
        self.response.status_code = 202
        # Whoever follows the link waits for the rows to know the proposal.
        behind = self.response.headers.get(POSITION)
        known = f"?min_position={behind}" if behind else ""
        self.response.headers["Location"] = f"/v1/proposals/{name}{known}"
        return ProposalOut(
            proposal_id=name, type=proposal.type(), subject=proposal.key, state="open",
            reason=None, fact=None,
        )  # fmt: skip

    def _answered(self, found: ProposalOut, status: int) -> ProposalOut:
        if found.state == "refused":
            details = {"proposal_id": str(found.proposal_id)}
            raise Refusal(409, found.reason or "", code=REFUSED, details=details)
        if found.fact is not None:
            place = (found.fact.topic, found.fact.partition)
            self.response.headers[POSITION] = to_word({place: found.fact.offset + 1})
            is_new = found.fact.causation_id == found.proposal_id
            self.response.status_code = status if is_new else 200
        return found


async def become(
    connection: Connection, kind: type[Proposal], subject: str, proposal_id: UUID
) -> ProposalOut:
    """What became of a proposal, as far as the rows know it."""
    fact, refused = PROPOSALS[kind]
    types = (fact.type(), refused.type())
    answers = await search(
        connection, Wanted(types=types, subjects=(subject,), causation_id=proposal_id), limit=1
    )
    about: dict[str, Any] = {"proposal_id": proposal_id, "type": kind.type(), "subject": subject}
    if not answers:
        return ProposalOut(**about, state="open", reason=None, fact=None)
    [answer] = answers
    if answer.type != refused.type():
        return ProposalOut(**about, state="accepted", reason=None, fact=told(answer))
    standing = answer.payload["standing_event_id"]
    if standing is None:
        return ProposalOut(**about, state="refused", reason=answer.payload["reason"], fact=None)
    stands: KeptEvent | None = await event_of(connection, UUID(standing))
    stood = told(stands) if stands is not None else None
    return ProposalOut(**about, state="accepted", reason=None, fact=stood)


async def _proposing(
    writing: WritingHere,
    caller: CallerHere,
    services: ServicesHere,
    response: Response,
    request_name: RequestName,
) -> Proposing:
    return Proposing(writing, caller, services, response, str(request_name))


ProposingHere = Annotated[Proposing, Depends(_proposing)]
