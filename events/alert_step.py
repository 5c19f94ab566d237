"""One step of a ladder: who is told when nobody has taken an alert up."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Part, Seconds, SubscriptionId


class AlertStep(Part):
    """After so long without an acknowledgement these subscriptions are told."""

    after_seconds: Seconds = Field(
        description="since the step before; of the first, since people may be told at all"
    )
    subscription_ids: tuple[SubscriptionId, ...] = Field(
        max_length=100, description="who is told, beside those who subscribed to AlertEscalated"
    )
