"""A notification was accepted by its receiver."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Channel, Ordinal, Seconds, Small, SubscriptionId


class NotificationSent(Event):
    """The receiver's server said yes; NotificationFailed is the negative twin."""

    about: ClassVar[About] = About(
        topics=(topics.NOTIFICATION,),
        key="subscription_id",
        version="1.1",
        discriminator=("notification_id", "attempt"),
        terminal=True,
    )

    subscription_id: SubscriptionId = Field(description="the subscription")
    notification_id: UUID = Field(description="which one")
    attempt: Ordinal = Field(description="1 is the first")
    channel: Channel = Field(description="email, webhook, sns or slack")
    response_code: Small | None = Field(None, description="SMTP's or HTTP's")
    duration_seconds: Seconds | None = Field(None, description="how long it took")
