"""A subscription will be told."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Channel, Name, Reason, SubjectKey, SubscriptionId, TopicName, Utc


class NotificationQueued(Event):
    """One notification is due under this id, which every try to deliver it carries."""

    about: ClassVar[About] = About(
        topics=(topics.NOTIFICATION,),
        key="subscription_id",
        version="1.1",
        discriminator=("source_event_id",),
    )

    subscription_id: SubscriptionId = Field(description="the subscription")
    notification_id: UUID = Field(
        description="in Message-ID and in the webhook's id, so that a repetition is recognised"
    )
    channel: Channel = Field(description="email, webhook, sns or slack")
    source_event_id: UUID = Field(description="the event that is told of")
    source_type: Name = Field(description="its type")
    source_topic: TopicName = Field(description="where it stands")
    source_key: SubjectKey = Field(description="its subject")
    source_occurred_at: Utc = Field(description="when it was true")
    headline: Reason = Field(description="one line for people")
