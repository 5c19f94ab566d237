"""The clock porch: the one place where time becomes a fact. A deadline that is due passes.

It is a processor like any other, so what it waits for survives every death: a DeadlineSet opens a
timer, an effect with nothing to do but wait; the timer's outcome is DeadlinePassed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.topics import ALERT, CASE, NOTIFICATION, RUN, SAMPLE, SEQUENCING_RUN, Topic
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.processor import Processor, State, Timer

WITH_DEADLINES = (SEQUENCING_RUN, SAMPLE, CASE, RUN, NOTIFICATION, ALERT)
# Ids of deadlines that are over, so that one which is delivered again stays over. A subject has a
# handful at a time; a delivery that comes 200 deadlines late has no writer here.
SEEN_MAX = 200


class Wait(Part):
    """One deadline that is open."""

    name: str  # the processor and its deadline: setting it again moves it
    deadline_id: UUID


class Waits(State):
    """The deadlines of one subject."""

    open: tuple[Wait, ...] = ()
    seen: tuple[UUID, ...] = ()


class Until(Arguments):
    """What DeadlinePassed will say."""

    subject_topic: str
    subject_key: str
    deadline_id: UUID
    processor: str
    deadline: str
    purpose: str
    due_at: datetime


def _name(event: DeadlineSet) -> str:
    return f"{event.processor}/{event.deadline}"


def evolve(state: Waits, event: Event) -> Waits:
    """Keep what is open, one per name."""
    if isinstance(event, DeadlineSet):
        asked = event.envelope.event_id
        if asked in state.seen:
            return state
        kept = tuple(wait for wait in state.open if wait.name != _name(event))
        wait = Wait(name=_name(event), deadline_id=asked)
        return Waits(open=(*kept, wait), seen=(*state.seen, asked)[-SEEN_MAX:])
    assert isinstance(event, DeadlineCancelled | DeadlinePassed)
    kept = tuple(wait for wait in state.open if wait.deadline_id != event.deadline_id)
    return state if kept == state.open else Waits(open=kept, seen=state.seen)


def _decide(name: str, state: Waits, event: Event) -> Decision:
    if isinstance(event, DeadlineCancelled):
        asked = event.deadline_id
        known = any(wait.deadline_id == asked for wait in state.open)
        return Decision(closes=(effect_id(asked, name, "deadline"),)) if known else NOTHING
    assert isinstance(event, DeadlineSet)
    asked = event.envelope.event_id
    if asked in state.seen:
        return NOTHING
    moved = tuple(
        effect_id(wait.deadline_id, name, "deadline")
        for wait in state.open
        if wait.name == _name(event)
    )
    until = Until(
        subject_topic=event.topic,
        subject_key=event.key,
        deadline_id=asked,
        processor=event.processor,
        deadline=event.deadline,
        purpose=event.purpose,
        due_at=event.due_at,
    )
    return Decision(effects=(Effect("deadline", until),), closes=moved)


def passed(until: Until) -> Sequence[Event]:
    """What the clock says when the moment has come."""
    return [DeadlinePassed(**until.model_dump())]


def clock_on(topic: Topic) -> Processor:
    """The clock of one topic's subjects."""
    name = f"clock-{topic.name.split('.')[1]}"
    return Processor(
        name,
        reads=topic,
        on=(DeadlineSet, DeadlineCancelled),
        folds=(DeadlinePassed,),
        emits=(),
        decide=lambda state, event: _decide(name, state, event),
        evolve=evolve,
        state=Waits,
        effects=(
            Timer(
                "deadline",
                arguments=Until,
                emits=(DeadlinePassed,),
                due_at=lambda until: until.due_at,
                passed=passed,
            ),
        ),
        about=f"says when a deadline on {topic.name} has passed",
    )


CLOCKS = tuple(clock_on(topic) for topic in WITH_DEADLINES)
