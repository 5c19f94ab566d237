"""People are told of an alert step by step, until somebody takes it up or it is over.

Whoever raised the alert has worked the quiet hours into `tell_at`. A part of a group tells nobody:
the alert that leads the group does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_step import AlertStep
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.identity import derived_id
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State

NAME = "escalate-alerts"
# Without a ladder nobody is named, and those who subscribed are told once.
SUBSCRIBERS = (AlertStep(after_seconds=0.0, subscription_ids=()),)
WAITED_SECONDS_MAX = 1e9  # what the event may hold


class Wait(Part):
    """A step that is not due yet."""

    step: int
    due_at: datetime
    deadline_id: UUID


class Telling(State):
    """An alert, the steps that it has, and how far they are."""

    raised_at: datetime | None = None
    rule: str = ""
    severity: str = ""
    headline: str = ""
    subject_topic: str | None = None
    subject_key: str | None = None
    steps: tuple[AlertStep, ...] = ()
    wait: Wait | None = None
    is_over: bool = False  # taken up, resolved, or told by the alert that leads


def decide(state: Telling, event: Event) -> Decision:
    """Tell the steps that are due, wait for the next one, and end all that with a word."""
    return _step(state, event)[1]


def evolve(state: Telling, event: Event) -> Telling:
    """Keep what the steps tell, and which one is waited for."""
    return _step(state, event)[0]


def _step(state: Telling, event: Event) -> tuple[Telling, Decision]:
    if isinstance(event, AlertRaised):
        return _raised(state, event)
    if isinstance(event, DeadlinePassed):
        return _passed(state, event)
    assert isinstance(event, AlertAcknowledged | AlertResolved)
    return _ended(state, event)


def _raised(state: Telling, event: AlertRaised) -> tuple[Telling, Decision]:
    if state.raised_at is not None:
        return state, NOTHING  # raised again, it is the same alert
    leads = event.part_of is None
    at = event.envelope.occurred_at
    known = Telling(
        raised_at=at,
        rule=event.rule,
        severity=event.severity,
        headline=event.headline,
        subject_topic=event.subject_topic,
        subject_key=event.subject_key,
        steps=(event.ladder or SUBSCRIBERS) if leads else (),
        is_over=state.is_over or not leads,
    )
    if known.is_over:
        return known, NOTHING
    return _from(known, event, 1, max(at, event.tell_at))


def _passed(state: Telling, event: DeadlinePassed) -> tuple[Telling, Decision]:
    wait = state.wait
    named = None if wait is None else (NAME, _name(wait.step), wait.due_at)
    if wait is None or named != (event.processor, event.deadline, event.due_at):
        return state, NOTHING
    told_at = max(wait.due_at, event.envelope.occurred_at)
    after = state.model_copy(update={"wait": None})
    said = _escalated(after, event, wait.step, told_at)
    # From when they were told, not from when it was due: people need the time.
    known, decision = _from(after, event, wait.step + 1, told_at)
    return known, Decision(events=(said, *decision.events))


def _ended(state: Telling, event: AlertAcknowledged | AlertResolved) -> tuple[Telling, Decision]:
    wait = state.wait
    over = state.model_copy(update={"wait": None, "is_over": True})
    if wait is None:
        return over, NOTHING
    verb = "acknowledged" if isinstance(event, AlertAcknowledged) else "resolved"
    cancelled = DeadlineCancelled(
        subject_topic=event.topic,
        subject_key=event.key,
        deadline_id=wait.deadline_id,
        processor=NAME,
        deadline=_name(wait.step),
        reason=f"the alert was {verb}",
    )
    return over, Decision(events=(cancelled,))


def _from(state: Telling, event: Event, first: int, since: datetime) -> tuple[Telling, Decision]:
    """Every step from this one on that is due by now, and a wait for the one behind them."""
    said: list[Event] = []
    now = event.envelope.occurred_at
    for number, step in enumerate(state.steps[first - 1 :], start=first):
        due_at = since + timedelta(seconds=step.after_seconds)
        if due_at > now:
            deadline = _deadline(event, number, len(state.steps), due_at)
            wait = Wait(step=number, due_at=due_at, deadline_id=_id_of(event, deadline))
            return state.model_copy(update={"wait": wait}), Decision(events=(*said, deadline))
        said.append(_escalated(state, event, number, now))
        since = now
    return state, Decision(events=tuple(said))


def _escalated(state: Telling, event: Event, number: int, now: datetime) -> AlertEscalated:
    assert state.raised_at is not None
    waited = (now - state.raised_at).total_seconds()
    return AlertEscalated(
        alert_id=UUID(event.key),
        step=number,
        steps=len(state.steps),
        subscription_ids=state.steps[number - 1].subscription_ids,
        waited_seconds=min(max(0.0, waited), WAITED_SECONDS_MAX),
        rule=state.rule,
        severity=state.severity,
        headline=state.headline,
        subject_topic=state.subject_topic,
        subject_key=state.subject_key,
    )


def _deadline(event: Event, number: int, steps: int, due_at: datetime) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline=_name(number),
        purpose=f"step {number} of {steps} of this alert, unless somebody acknowledges it",
        due_at=due_at,
    )


def _name(number: int) -> str:
    return f"step-{number}"


def _id_of(cause: Event, deadline: DeadlineSet) -> UUID:
    """The id that `follow` gives the deadline: by it the wait is cancelled."""
    names = (deadline.processor, deadline.deadline)
    return derived_id(cause.envelope.event_id, NAME, deadline.type(), cause.key, *names)


ESCALATE_ALERTS = Processor(
    NAME,
    reads=topics.ALERT,
    on=(AlertRaised, AlertAcknowledged, AlertResolved, DeadlinePassed),
    emits=(AlertEscalated, DeadlineSet, DeadlineCancelled),
    # Once for each step of a ladder, of which there are ten; and an alert ends once.
    again=(DeadlineSet, DeadlineCancelled),
    decide=decide,
    evolve=evolve,
    state=Telling,
    about="tells people of an alert, step by step, until somebody takes it up or it is over",
)
