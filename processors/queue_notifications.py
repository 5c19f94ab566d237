"""A hop: what was planned beside an event is queued for each subscription, under its own key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.identity import derived_id
from genoflow.events.notification_planned import NotificationPlanned
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.recipient import Recipient
from genoflow.events.topics import Topic
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.headlines import TOLD
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

# Events of one subject whose plan has not come yet; each is planned within seconds.
UNPLANNED_MAX = 200


class Source(Part):
    """An event of which people are told, and when it was true."""

    event_id: UUID
    occurred_at: datetime


class Unplanned(Remembering):
    """The events of one subject whose plan is still to come."""

    sources: tuple[Source, ...] = ()


def evolve(state: Unplanned, event: Event) -> Unplanned:
    """Keep when an event was true until its plan has come."""
    if is_repeated(state, event):
        return state
    if isinstance(event, NotificationPlanned):
        gone = event.source_event_id
        left = tuple(one for one in state.sources if one.event_id != gone)
        return Unplanned(sources=left, seen=with_this(state, event))
    envelope = event.envelope
    source = Source(event_id=envelope.event_id, occurred_at=envelope.occurred_at)
    sources = (*state.sources, source)[-UNPLANNED_MAX:]
    return Unplanned(sources=sources, seen=with_this(state, event))


def _decide(name: str, state: Unplanned, event: NotificationPlanned) -> Decision:
    if is_repeated(state, event):
        return NOTHING
    known = (one.occurred_at for one in state.sources if one.event_id == event.source_event_id)
    at = next(known, event.envelope.occurred_at)
    recipients = {one.subscription_id: one for one in event.recipients}
    return Decision(events=tuple(_queued(name, event, one, at) for one in recipients.values()))


def _queued(
    name: str, event: NotificationPlanned, recipient: Recipient, at: datetime
) -> NotificationQueued:
    subscription = recipient.subscription_id
    source = event.source_event_id
    return NotificationQueued(
        subscription_id=subscription,
        # What `follow` gives the event itself: one id for the fact and for every try to tell it.
        notification_id=derived_id(
            event.envelope.event_id, name, NotificationQueued.type(), subscription, str(source)
        ),
        channel=recipient.channel,
        source_event_id=source,
        source_type=event.source_type,
        source_topic=event.subject_topic,
        source_key=event.subject_key,
        source_occurred_at=at,
        headline=event.headline,
    )


def queue_on(topic: Topic) -> Processor:
    """The row that queues what was planned on one topic."""
    name = f"queue-notifications-{topic.name.split('.')[1]}"
    return Processor(
        name,
        reads=topic,
        on=(NotificationPlanned,),
        folds=tuple(TOLD[topic]),
        emits=(NotificationQueued,),
        decide=lambda state, event: _decide(name, state, event),
        evolve=evolve,
        state=Unplanned,
        about=f"queues what was planned on {topic.name} for each subscription",
    )


QUEUE_NOTIFICATIONS = tuple(queue_on(topic) for topic in TOLD)
