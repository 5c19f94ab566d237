"""Somebody is not to be told any more."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, Reason, SubscriptionId


class SubscriptionCancelled(Event):
    """Nothing is sent from here on."""

    about: ClassVar[About] = About(
        topics=(topics.NOTIFICATION,),
        key="subscription_id",
        version="1.0",
        identity=("subscription_id",),
    )

    subscription_id: SubscriptionId = Field(description="the subscription")
    reason_code: Annotated[str, Choices("asked for", "gone", "account closed")] = Field(
        description="which kind of reason"
    )
    reason: Reason = Field(description="in words, such as that the receiver answered 410")
