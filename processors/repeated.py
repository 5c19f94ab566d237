"""What every decider of the quality of reads remembers, so that a repetition changes nothing."""

from __future__ import annotations

from uuid import UUID

from genoflow.events.event import Event
from genoflow.processors.processor import State

# A sample of 16 lanes with 4 files each, topped up ten times, hears 640 events. An id takes 39
# bytes as JSON, so a full list is 78 kB.
SEEN_MAX = 2_000


class Remembering(State):
    """A state that knows which events it has folded."""

    seen: tuple[UUID, ...] = ()


def is_repeated(state: Remembering, event: Event) -> bool:
    """Whether this event was folded before."""
    return event.envelope.event_id in state.seen


def with_this(state: Remembering, event: Event) -> tuple[UUID, ...]:
    """The events that were folded, this one among them."""
    return (*state.seen, event.envelope.event_id)[-SEEN_MAX:]
