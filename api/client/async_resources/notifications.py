"""Notifications; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.notifications import (
    Cancelled,
    Delivery,
    Subscribed,
    Subscription,
    SubscriptionWhole,
)
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncNotificationsCalls:
    """The calls of notifications."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list_subscriptions(
        self,
        *,
        state: str | None = None,
        account_id: str | None = None,
        channel: str | None = None,
        event_type: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Subscription]:
        """List subscriptions by state, account, channel, or an event type; a partner's are its
        own.
        """
        call = Call(
            method="GET",
            path="/v1/notifications/subscriptions",
            query={
                "state": state,
                "account_id": account_id,
                "channel": channel,
                "event_type": event_type,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Subscription, "items")

    async def subscribe(
        self,
        *,
        channels: Sequence[Literal["email", "webhook", "sns", "slack"]],
        job_id: UUID | None = None,
        case_ids: Sequence[str] | None = None,
        sample_ids: Sequence[str] | None = None,
        project_ids: Sequence[str] | None = None,
        events: Sequence[Literal["started", "completed", "failed"]] | None = None,
        event_types: Sequence[str] | None = None,
        webhook_url: str | None = None,
        email: str | None = None,
        sns_target: str | None = None,
        slack_url: str | None = None,
        attempts_max: int | None = None,
        idempotency_key: str | None = None,
    ) -> Subscribed:
        """Tell somebody of events, by e-mail, signed webhooks, Amazon SNS or Slack.

        Whoever is told has to be allowed to read samples, cases and runs. The secret of a
        webhook stands in the answer, and nowhere else that the API shows.
        """
        call = Call(
            method="POST",
            path="/v1/notifications/subscriptions",
            fields={
                "job_id": job_id,
                "case_ids": case_ids,
                "sample_ids": sample_ids,
                "project_ids": project_ids,
                "channels": channels,
                "events": events,
                "event_types": event_types,
                "webhook_url": webhook_url,
                "email": email,
                "sns_target": sns_target,
                "slack_url": slack_url,
                "attempts_max": attempts_max,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {201: Subscribed})

    async def get_subscription(
        self,
        subscription_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> SubscriptionWhole:
        """Tell what a subscription wants to hear, and how much of it arrived.

        Its address, and the names of the secrets that sign for it, are for its owner and
        administrators.
        """
        call = Call(
            method="GET",
            path=path_of(
                "/v1/notifications/subscriptions/{subscription_id}", subscription_id=subscription_id
            ),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: SubscriptionWhole})

    async def unsubscribe(
        self, subscription_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> Cancelled:
        """End a subscription, for its owner or an administrator; what still waits is not sent.

        The id of one with several channels ends them all. One that has ended stays as it is.
        """
        call = Call(
            method="DELETE",
            path=path_of(
                "/v1/notifications/subscriptions/{subscription_id}", subscription_id=subscription_id
            ),
            query={"reason": reason},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Cancelled})

    def list_deliveries(
        self,
        subscription_id: str,
        *,
        state: str | None = None,
        source_key: str | None = None,
        source_event_id: UUID | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Delivery]:
        """List the notifications of a subscription, with the tries and the last error of each."""
        call = Call(
            method="GET",
            path=path_of(
                "/v1/notifications/subscriptions/{subscription_id}/deliveries",
                subscription_id=subscription_id,
            ),
            query={
                "state": state,
                "source_key": source_key,
                "source_event_id": source_event_id,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Delivery, "items")
