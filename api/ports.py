"""What the API needs of the outside; deploy hands it the adapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import asyncpg

from genoflow.api.desks import Desks
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.recorded import Position
from genoflow.events.order import Order

# What asyncpg raises while Postgres is away, starts, stops or is full: a later call may succeed.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
)
Clock = Callable[[], datetime]  # in UTC


class Announcer(Protocol):
    """Where facts are appended; the log, of which the API sees no more."""

    async def append(self, event: Event) -> object:
        """Append one fact durably; Retry where that may succeed later."""


class Porch(Protocol):
    """Where what a caller says comes onto the log."""

    async def append(self, fact: Event) -> Position:
        """Append it durably and say where it stands; Refused where it names a person."""

    async def append_together(self, facts: Sequence[Event]) -> Sequence[Position]:
        """Append all of them or none, and say where they stand, as far as it is seen by then."""


class NoOrder(Refused):
    """A document that cannot be a case; every fault by its place."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{place}: {fact}" for place, fact in faults))
        self.faults = tuple(faults)


class Orders(Protocol):
    """What makes an order of a document."""

    def read(self, document: object) -> Order:
        """The order in it; NoOrder names everything that is wrong."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the routes reach beyond Postgres."""

    porch: Porch
    desks: Desks
    orders: Orders


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call is within its limit, and what is left of it."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int  # until the limit is whole again, so far as it is known


class RateLimits(Protocol):
    """Counts calls of each caller within a minute."""

    async def take(self, who: str, per_minute: int) -> Verdict:
        """Count one call, unless the limit is reached already."""
