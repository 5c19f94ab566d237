"""Notifications; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from genoflow.api.client.answers import Answer
from genoflow.api.client.models.shared import Channel


class Cancelled(Answer):
    """That nobody is told any more."""

    subscription_id: str
    status: str


class Delivery(Answer):
    """One notification, and whether it arrived."""

    subscription_id: str
    notification_id: UUID
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    channel: str | None = None
    source_event_id: UUID | None = None
    source_type: str | None = None
    source_topic: str | None = None
    source_key: str | None = None
    source_occurred_at: datetime | None = None
    headline: str | None = None
    attempts: int | None = None
    attempts_max: int | None = None
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    duration_seconds: float | None = None
    response_code: int | None = None
    error_code: str | None = None
    last_error: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class Subscribed(Answer):
    """That somebody is told from now on."""

    subscription_id: str
    status: str
    subscriptions: tuple[Channel, ...]
    """one by channel, the named one first"""


class Subscription(Answer):
    """Who wants to be told."""

    subscription_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    account_id: str | None = None
    channel: str | None = None
    target: str | None
    """the address, of Slack its end; for owner and administrators"""
    attempts_max: int | None = None
    created_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason_code: str | None = None
    reason: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    sent: int
    """notifications that arrived"""
    waiting: int
    """notifications that were not tried yet"""
    failed: int
    """notifications that are tried again or were given up"""


class SubscriptionWhole(Answer):
    """Who wants to be told, and of what."""

    subscription_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    account_id: str | None = None
    channel: str | None = None
    target: str | None
    """the address, of Slack its end; for owner and administrators"""
    attempts_max: int | None = None
    created_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason_code: str | None = None
    reason: str | None = None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    sent: int
    """notifications that arrived"""
    waiting: int
    """notifications that were not tried yet"""
    failed: int
    """notifications that are tried again or were given up"""
    wishes: Mapping[str, tuple[str, ...]]
    """what it names, by kind; a kind that is missing means all"""
