"""A notification was not accepted this time."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Channel, Choices, Ordinal, Reason, Seconds, Small, SubscriptionId


class NotificationFailed(Event):
    """The try failed; while it is not final a deadline is set.

    NotificationSent is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.NOTIFICATION,),
        key="subscription_id",
        version="1.1",
        discriminator=("notification_id", "attempt"),
    )

    subscription_id: SubscriptionId = Field(description="the subscription")
    notification_id: UUID = Field(description="which one")
    attempt: Ordinal = Field(description="1 is the first")
    attempts_max: Ordinal = Field(description="after so many it is given up")
    channel: Channel = Field(description="email, webhook, sns or slack")
    reason_code: Annotated[
        str, Choices("refused", "gone", "server error", "no answer", "address not allowed")
    ] = Field(description="which kind of failure")
    reason: Reason = Field(description="what is known, without the address")
    response_code: Small | None = Field(None, description="SMTP's or HTTP's")
    is_final: bool = Field(description="whether nothing more is tried")
    retry_after_seconds: Seconds | None = Field(
        None, description="not before so many, as the receiver asked for"
    )
