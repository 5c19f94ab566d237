"""A subscription that will be told."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Channel, Part, SubscriptionId


class Recipient(Part):
    """A subscription that matched, as it was when the notification was planned."""

    subscription_id: SubscriptionId = Field(
        description="the subscription; its target stands there and nowhere else"
    )
    channel: Channel = Field(description="email, webhook, sns or slack")
