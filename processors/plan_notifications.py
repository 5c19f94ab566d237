"""Whoever asked to be told of an event is settled once, beside the event itself.

Subscriptions come and go while the log stays: the recipients of an event are those that matched
when it was asked, and they stand on its topic and key, even where there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.notification_planned import NotificationPlanned
from genoflow.events.recipient import Recipient
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.events.topics import ALERT, CASE, SAMPLE, Topic
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.headlines import TOLD, headline_of, subjects_of
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

RECIPIENTS_MAX = 1_000  # of one event: as many as the hop behind it may queue in one transaction
# What says to which project a subject belongs. A run's events name their case, and it is asked for.
WITH_PROJECT: dict[Topic, tuple[type[Event], ...]] = {
    SAMPLE: (SampleRegistered, CaseJoined),
    CASE: (CaseOpened,),
}


class Placed(Remembering):
    """To which project the subject belongs, as far as it was said, and by whom."""

    ordered: str | None = None  # what the order said last
    listed: str | None = None  # what a sample sheet said first

    @property
    def project_id(self) -> str | None:
        """The order's, else the sheet's, whichever of them came first."""
        return self.ordered or self.listed


class Who(Arguments):
    """The event, and by what it may have been asked for."""

    subject_topic: str
    subject_key: str
    source_event_id: UUID
    source_type: str
    headline: str
    subjects: tuple[str, ...]
    project_id: str | None
    case_id: str | None
    named: tuple[str, ...] = ()  # subscriptions that are told whatever they asked for


def evolve(state: Placed, event: Event) -> Placed:
    """Keep the project that an order named last, and the one that a sheet named first."""
    # An order and a sheet register a sample under the same id, and each names its own project.
    placed = _registered(state, event) if isinstance(event, SampleRegistered) else state
    if is_repeated(state, event):
        return placed
    change: dict[str, object] = {"seen": with_this(state, event)}
    if not isinstance(event, SampleRegistered):
        change["ordered"] = getattr(event, "project_id", None) or state.ordered
    return placed.model_copy(update=change)


def _registered(state: Placed, event: SampleRegistered) -> Placed:
    said_by = "ordered" if event.registered_by == "order" else "listed"
    known: str | None = getattr(state, said_by)
    return state.model_copy(update={said_by: known or event.project_id})


def _decide(topic: Topic, state: Placed, event: Event) -> Decision:
    if is_repeated(state, event):
        return NOTHING
    case_id: str | None = getattr(event, "case_id", None)
    asked = Who(
        subject_topic=event.topic,
        subject_key=event.key,
        source_event_id=event.envelope.event_id,
        source_type=event.type(),
        headline=headline_of(topic, event),
        subjects=subjects_of(event),
        project_id=evolve(state, event).project_id,
        case_id=case_id,
    )
    return Decision(effects=(Effect("who", asked),))


class Alerted(Remembering):
    """What an alert is about, and whether anybody was told of it."""

    headline: str = ""
    subject_topic: str | None = None
    subject_key: str | None = None
    was_told: bool = False
    is_over: bool = False


def with_alert(state: Alerted, event: Event) -> Alerted:
    """Keep what the alert is about, and that it was told, and that it is over."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, AlertRaised):
        for name in ("headline", "subject_topic", "subject_key"):
            change[name] = getattr(event, name)
    elif isinstance(event, AlertEscalated):
        change["was_told"] = True
    else:
        change["is_over"] = True
    return state.model_copy(update=change)


def _decide_alert(state: Alerted, event: AlertEscalated | AlertResolved) -> Decision:
    if is_repeated(state, event):
        return NOTHING
    headline, subjects = headline_of(ALERT, event), subjects_of(event)
    named: tuple[str, ...] = ()
    if isinstance(event, AlertEscalated):
        named = event.subscription_ids
    elif state.is_over or not state.was_told:
        return NOTHING  # who was never told that it began need not hear that it ended
    else:
        headline = f"{headline}: {state.headline}" if state.headline else headline
        subjects = (*subjects, *filter(None, (state.subject_key,)))
    of_case = state.subject_topic == CASE.name
    asked = Who(
        subject_topic=event.topic,
        subject_key=event.key,
        source_event_id=event.envelope.event_id,
        source_type=event.type(),
        headline=headline,
        subjects=subjects,
        project_id=None,
        case_id=state.subject_key if of_case else None,
        named=named,
    )
    return Decision(effects=(Effect("who", asked),))


async def who(asked: Who, attempt: Attempt) -> Sequence[Event]:
    """The plan: everybody in force whose wishes fit the event, in the order of their ids."""
    reader = attempt.ports.subscriptions
    if reader is None:
        raise Parked("who: this worker reads no subscriptions; wire a reader, then requeue it")
    every = await reader.in_force()
    found = [one for one in every if _wants(one, asked)]
    project = asked.project_id
    if project is None and asked.case_id and any(one.project_ids for one in found):
        project = await reader.project_of(asked.case_id)
    fitting = [one for one in found if not one.project_ids or project in one.project_ids]
    chosen = {one.subscription_id for one in fitting}
    fitting += [one for one in every if one.subscription_id in {*asked.named} - chosen]
    if len(fitting) > RECIPIENTS_MAX:
        raise Parked(
            f"{asked.source_type} {asked.subject_key}: {len(fitting):,} subscriptions want it and "
            f"the limit is {RECIPIENTS_MAX:,}; cancel some (`genoflow subscription list`), then "
            f"`genoflow parked requeue`"
        )
    return [
        NotificationPlanned(
            subject_topic=asked.subject_topic,
            subject_key=asked.subject_key,
            source_event_id=asked.source_event_id,
            source_type=asked.source_type,
            project_id=project,
            headline=asked.headline,
            recipients=_recipients(fitting),
        )
    ]


def _wants(one: SubscriptionCreated, asked: Who) -> bool:
    by_subject = not one.subject_keys or not {*one.subject_keys}.isdisjoint(asked.subjects)
    return by_subject and asked.source_type in one.event_types


def _recipients(fitting: Iterable[SubscriptionCreated]) -> tuple[Recipient, ...]:
    ordered = sorted(fitting, key=lambda one: one.subscription_id)
    return tuple(
        Recipient(subscription_id=one.subscription_id, channel=one.channel) for one in ordered
    )


def plan_on(topic: Topic) -> Processor:
    """The row that plans for the events of one topic."""
    on = tuple(TOLD[topic])
    of_alerts = topic is ALERT
    folds = (AlertRaised,) if of_alerts else WITH_PROJECT.get(topic, ())
    return Processor(
        f"plan-notifications-{topic.name.split('.')[1]}",
        reads=topic,
        on=on,
        folds=tuple(kind for kind in folds if kind not in on),
        emits=(),
        decide=_decide_alert if of_alerts else lambda state, event: _decide(topic, state, event),
        evolve=with_alert if of_alerts else evolve,
        state=Alerted if of_alerts else Placed,
        effects=(Call("who", arguments=Who, emits=(NotificationPlanned,), perform=who),),
        about=f"settles who is told of what happens on {topic.name}",
    )


PLAN_NOTIFICATIONS = tuple(plan_on(topic) for topic in TOLD)
