"""What a decider says: which facts follow, and which effects are to be done because of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from genoflow.events.event import Event
from genoflow.events.identity import GENOFLOW
from genoflow.events.types import Part

# What one event leads to goes into one short transaction: 1,000 events of 1 kB are one megabyte.
DECISION_EVENTS_MAX = 1_000


class Arguments(Part):
    """What an effect is done with: everything it needs, since nobody is asked again."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to be done in the outside world, named before it is done."""

    name: str  # of one of the processor's effects
    arguments: Arguments
    discriminator: str = ""  # tells apart the effects of one name that follow from one event
    lane: str | None = None  # effects of one lane run one after another; the key where none is said


@dataclass(frozen=True, slots=True)
class Decision:
    """Facts that follow, effects to open, and open effects that are no longer wanted."""

    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    closes: tuple[UUID, ...] = ()


NOTHING = Decision()


def effect_id(cause: UUID, processor: str, name: str, discriminator: str = "") -> UUID:
    """The id of an effect, from what opened it: a second delivery opens the same one."""
    return uuid5(GENOFLOW, f"{cause}/{processor}/{name}/{discriminator}")
