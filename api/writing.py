"""What every write has in common: who says it, through the porch, and where it stands then.

An answer says in `GenoFlow-Position` where the fact stands. Hand that to a question as
`min_position`, and its answer knows what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from genoflow.api.guard import CallerHere, ServicesHere
from genoflow.api.identity.permissions import Caller
from genoflow.api.ports import Clock, Outside
from genoflow.api.reading import POSITION
from genoflow.events.envelope import Producer
from genoflow.events.event import E, Event, begin
from genoflow.events.log.recorded import Position
from genoflow.projections.vectors import to_word

SERVICE = "api"  # the porch, as the flow names it


def _outside(request: Request) -> Outside:
    return cast("Outside", request.app.state.outside)


OutsideHere = Annotated[Outside, Depends(_outside)]


@dataclass(frozen=True, slots=True)
class Writing:
    """The porch, for one caller and one answer."""

    outside: Outside
    caller: Caller
    clock: Clock
    response: Response

    async def say(self, fact: E, because: Event | None = None) -> E:
        """Append what the caller states, and tell in the answer where it stands."""
        cause = because.envelope if because else None
        said = begin(
            fact,
            occurred_at=self.clock(),
            actor=self.caller.actor,
            by=Producer(service=SERVICE, version=version("genoflow")),
            correlation_id=cause.correlation_id if cause else None,
            causation_id=cause.event_id if cause else None,
        )
        self.response.headers[POSITION] = _behind(await self.outside.porch.append(said))
        return said


def _behind(place: Position) -> str:
    return to_word({(place.topic, place.partition): place.offset + 1})


def _writing(
    outside: OutsideHere, caller: CallerHere, services: ServicesHere, response: Response
) -> Writing:
    return Writing(outside, caller, services.clock, response)


WritingHere = Annotated[Writing, Depends(_writing)]
