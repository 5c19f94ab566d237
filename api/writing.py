"""What every write has in common: who says it, through the porch, and where it stands then.

An answer says in `GenoFlow-Position` where the fact stands. Hand that to a question as
`min_position`, and its answer knows what was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Annotated, cast
from uuid import UUID, uuid5

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from genoflow.api.desks import Decided
from genoflow.api.guard import CallerHere, ServicesHere
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission, Role
from genoflow.api.ports import Clock, Outside
from genoflow.api.reading import POSITION
from genoflow.api.refusal import Refusal
from genoflow.api.tracing import Step
from genoflow.events.envelope import Producer
from genoflow.events.event import E, Event, begin
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Position
from genoflow.projections.vectors import to_word

# What a body says of the role; `Writing.role` finds which it is.
ActingAs = Annotated[
    Role | None, Field(description="in which of your roles; the one that allows it, if it is one")
]
SERVICE = "api"  # the porch, as the flow names it


async def _outside(request: Request) -> Outside:
    return cast("Outside", request.app.state.outside)


OutsideHere = Annotated[Outside, Depends(_outside)]


@dataclass(frozen=True, slots=True)
class Writing:
    """The porch, for one caller and one answer."""

    outside: Outside
    caller: Caller
    clock: Clock
    response: Response
    step: Step
    places: list[Position] = field(default_factory=list)

    def stated(self, fact: E, because: Event | None = None) -> E:
        """What the caller states, in its envelope; nothing is appended."""
        cause = because.envelope if because else None
        return begin(
            fact,
            occurred_at=self.clock(),
            actor=self.caller.actor,
            by=Producer(service=SERVICE, version=version("genoflow")),
            correlation_id=cause.correlation_id if cause else None,
            causation_id=cause.event_id if cause else None,
            # A story that goes on keeps its trace; the request's is linked to it.
            traceparent=cause.traceparent if cause else self.step.carried,
        )

    def role(self, permission: Permission, asked: Role | None = None) -> Role:
        """In which role the caller decides: the one that it names, or the one that allows it."""
        able = sorted(self.caller.roles & PERMISSIONS[permission])
        if asked is None and len(able) == 1:
            return able[0]
        if asked in able:
            return asked
        said = "is missing, and several allow it" if asked is None else f"{asked} does not allow it"
        raise Refusal(
            422, f"role: {said}; decide as one of {', '.join(able)}",
            details={"field": "role", "rejected_value": asked},
        )  # fmt: skip

    def decided(
        self, allowed: Permission, reason: str, asked: Role | None, request: UUID, word: str
    ) -> Decided:
        """What the caller decides in a role that allows it; the same request decides once.

        `word` tells two decisions of one request apart.
        """
        role = self.role(allowed, asked)
        return Decided(reason, role, self.stated, str(uuid5(request, word)))

    async def say(self, fact: E, because: Event | None = None) -> E:
        """Append what the caller states, and tell in the answer where it stands."""
        said = self.stated(fact, because)
        await self.put(said)
        return said

    async def put(self, stated: Event) -> None:
        """Append this, and tell in the answer where all that was appended stands."""
        self.step.said.append(stated.envelope)
        self._tell([await self.outside.porch.append(stated)])

    async def say_together(self, stated: Sequence[Event]) -> None:
        """Append all of these or none, and tell in the answer where they stand."""
        if stated:
            self.step.said += [fact.envelope for fact in stated]
            self._tell(await self.outside.porch.append_together(stated))

    def _tell(self, places: Sequence[Position]) -> None:
        self.places.extend(places)
        self.response.headers[POSITION] = _behind(self.places)


def _behind(places: Sequence[Position]) -> str:
    behind: Vector = {}
    for topic, partition, offset in places:
        behind[topic, partition] = max(offset + 1, behind.get((topic, partition), 0))
    return to_word(behind)


async def _writing(
    request: Request,
    outside: OutsideHere,
    caller: CallerHere,
    services: ServicesHere,
    response: Response,
) -> Writing:
    return Writing(outside, caller, services.clock, response, request.state.step)


WritingHere = Annotated[Writing, Depends(_writing)]
