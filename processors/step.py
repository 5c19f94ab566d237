"""What goes into a task and what comes out of it: outcomes, steps, and a parked key on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.processors.ledger import OpenEffect

# What a person may decide about something parked.
Request = EventRequeued | EventDiscarded
REQUESTS = frozenset({EventRequeued.type(), EventDiscarded.type()})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an effect ended: with events, or as something that a person has to look at."""

    effect_id: UUID
    events: tuple[Event, ...] = ()
    occurred_at: datetime | None = None
    parked: str | None = None
    error_class: str = ""
    error_trace: str = ""


@dataclass(slots=True)
class Step:
    """What one transaction writes, and what is to be done once it stands."""

    position: int
    events: list[Event] = field(default_factory=list)
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    opened: list[OpenEffect] = field(default_factory=list)
    closed: list[OpenEffect] = field(default_factory=list)
    parked: list[OpenEffect] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing but the position moves: such a step may wait for the next one."""
        return not (self.events or self.changes)


@dataclass(frozen=True, slots=True)
class Drain:
    """A parked key on its way through: which request, and from where to read its queue."""

    key: bytes
    trigger: int
    start: int
    request: Request
