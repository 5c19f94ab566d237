"""A row of the flow: one decider, what it reads and may say, and the effects that it may open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict

from genoflow.events.event import Event
from genoflow.events.topics import Topic, changelog_of
from genoflow.events.types import Part
from genoflow.processors.child_limits import BYTES_MEMORY_MAX, BYTES_SECONDS_MAX
from genoflow.processors.decision import Arguments, Decision
from genoflow.processors.ports import Attempt, ByteAttempt, JobOrder

CALL_SECONDS_MAX = 60  # an answer from a service; what takes longer is bytes or a job
JOB_SECONDS_MAX = 7 * 86_400  # a cohort; longer, and nobody waits for it any more


class State(Part):
    """What a decider knows of one subject; its fields have defaults, which are the beginning."""

    model_config = ConfigDict(val_json_bytes="base64")  # as it is written


class Kind(StrEnum):
    """How an effect is done, and what becomes of it when its worker dies."""

    CALL = "call"  # asyncio in the worker; looked up and begun again by the next owner
    BYTES = "bytes"  # a child process that dies with its worker; begun again by the next owner
    JOB = "job"  # outlives its worker under its effect id; the next owner finds its outcome
    TIMER = "timer"  # nothing to do but wait; it costs a line in a list, not a place to run


@dataclass(frozen=True, slots=True)
class Call:
    """An effect that asks a service and waits for the answer."""

    name: str
    arguments: type[Arguments]
    emits: tuple[type[Event], ...]
    perform: Callable[[Any, Attempt], Awaitable[Sequence[Event]]]
    seconds_max: float = CALL_SECONDS_MAX
    # What is said when its tries are used up; without it the effect is parked.
    gives_up: Callable[[Any, str], Sequence[Event]] | None = None
    may_say_nothing: bool = False  # then the log need not show that it was ever done
    kind: Kind = Kind.CALL


@dataclass(frozen=True, slots=True)
class Bytes:
    """An effect that works through bytes in a process of its own: a module's own function."""

    name: str
    arguments: type[Arguments]
    emits: tuple[type[Event], ...]
    perform: Callable[[Any, ByteAttempt], Sequence[Event]]
    seconds_max: float = BYTES_SECONDS_MAX
    memory_bytes_max: int = BYTES_MEMORY_MAX
    gives_up: Callable[[Any, str], Sequence[Event]] | None = None
    may_say_nothing: bool = False
    kind: Kind = Kind.BYTES


@dataclass(frozen=True, slots=True)
class Job:
    """An effect that a launcher runs elsewhere; its outcome is an object in the store."""

    name: str
    arguments: type[Arguments]
    emits: tuple[type[Event], ...]
    order: Callable[[Any], JobOrder]
    collect: Callable[[Any, bytes], Sequence[Event]]  # from the outcome that the job wrote
    seconds_max: float = JOB_SECONDS_MAX
    gives_up: Callable[[Any, str], Sequence[Event]] | None = None
    # What is said of a job that another effect has begun and that its launcher does not know, or
    # that left no outcome; without it an unknown job is begun, and one without outcome is parked.
    lost: Callable[[Any, str], Sequence[Event]] | None = None
    may_say_nothing: bool = False
    kind: Kind = Kind.JOB


@dataclass(frozen=True, slots=True)
class Timer:
    """An effect that waits for a moment and then says so."""

    name: str
    arguments: type[Arguments]
    emits: tuple[type[Event], ...]
    due_at: Callable[[Any], datetime]
    passed: Callable[[Any], Sequence[Event]]
    kind: Kind = Kind.TIMER


EffectKind = Call | Bytes | Job | Timer


class Start(StrEnum):
    """Where a processor begins on a topic that it has never read."""

    BEGINNING = "beginning"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Processor:
    """Reads one topic, keeps a state per subject, answers with events and effects.

    Its name is its place in the log for ever. `evolve` folds each event of `on` and `folds` into
    the subject's state (None forgets the subject); `decide` answers to those of `on` and sees the
    state as it was before the event.
    """

    name: str
    reads: Topic
    on: tuple[type[Event], ...]
    emits: tuple[type[Event], ...]  # what `decide` may say; what effects say stands with them
    decide: Callable[[Any, Any], Decision]
    evolve: Callable[..., Any]
    about: str
    state: type[State] = State
    state_version: int = 1  # of `state` and `evolve` together: raise it, and the state is rebuilt
    effects: tuple[EffectKind, ...] = ()
    start: Start = Start.BEGINNING
    folds: tuple[type[Event], ...] = ()  # events that change the state and are not decided on
    again: tuple[type[Event], ...] = ()  # emitted events that may lead back here, with a bound
    # Emitted events that may be about another subject of the topic that it reads.
    hands_over: tuple[type[Event], ...] = ()
    # Emitted facts that whoever caused them states: that actor stands in the envelope, not the row.
    in_its_name: tuple[type[Event], ...] = ()
    # Its `evolve` is also told the offset of the event: what was seen by somebody is held to it.
    knows_offsets: bool = False

    def fold(self, state: Any, event: Event, offset: int) -> Any:
        """What is known behind this event, which stands at this offset."""
        return (
            self.evolve(state, event, offset) if self.knows_offsets else self.evolve(state, event)
        )

    @property
    def changelog(self) -> Topic:
        """The topic that keeps its state, its open effects and its place."""
        return changelog_of(self.name, self.reads)

    @property
    def said(self) -> tuple[type[Event], ...]:
        """Everything that it may append, by decision or as the outcome of an effect."""
        return tuple(
            dict.fromkeys(
                (*self.emits, *(kind for effect in self.effects for kind in effect.emits))
            )
        )
