"""Subscriptions: who wants to be told of what, and what became of every notification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import EPOCH, Recorded
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.projections.as_of import relation
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, page
from genoflow.projections.row import Row, Table
from genoflow.projections.store import Connection

CANCELLED, NOT_TOLD, IN_FORCE = "cancelled", "not told of all", "in force"
QUEUED, SENT, FAILED, GIVEN_UP = "queued", "sent", "failed", "given up"
TO_SEND, AGAIN, A_RECEIVER = "to be sent", "another try", "its receiver to be mended"


@dataclass(frozen=True, slots=True)
class SubscriptionRow(Row):
    """One subscription; it does not change with every notification: a query counts them."""

    subscription_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    account_id: str | None = None
    channel: str | None = None
    target: str | None = None
    attempts_max: int | None = None
    created_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason_code: str | None = None  # why it was cancelled
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WishRow(Row):
    """One thing that a subscription names: an event type, a subject, a project, a secret."""

    subscription_id: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class DeliveryRow(Row):
    """One notification: what it is about, and whether it arrived."""

    subscription_id: str
    notification_id: UUID
    first_at: datetime
    state: str  # queued, failed while it is tried again, sent, given up
    since: datetime
    waits_for: str | None = None
    channel: str | None = None
    source_event_id: UUID | None = None
    source_type: str | None = None
    source_topic: str | None = None
    source_key: str | None = None
    source_occurred_at: datetime | None = None
    headline: str | None = None
    attempts: int = 0
    attempts_max: int | None = None
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    duration_seconds: float | None = None
    response_code: int | None = None  # of the newest try
    error_code: str | None = None  # of the newest try that failed
    last_error: str | None = None


SHOWN_CHARACTERS = 4  # of a secret: enough to tell two of them apart


def shown_target(channel: str | None, target: str | None) -> str | None:
    """The address as it is shown: of one that is a secret its host and its end alone."""
    if channel != "slack" or target is None:
        return target
    host = target.partition("://")[2].partition("/")[0]
    return f"https://{host}/…{target[-SHOWN_CHARACTERS:]}"


SUBSCRIPTIONS = Table(
    "subscriptions", SubscriptionRow, ("subscription_id",),
    indexes=("(first_at, subscription_id)", "(account_id)"),
)  # fmt: skip
WISHES = Table(
    "subscription_wishes", WishRow, ("subscription_id", "kind", "value"), is_append_only=True,
    indexes=("(kind, value)",),
)  # fmt: skip
DELIVERIES = Table(
    "deliveries", DeliveryRow, ("subscription_id", "notification_id"),
    indexes=(
        "(first_at, subscription_id, notification_id)",
        "(subscription_id, state, first_at)", "(source_event_id)", "(source_key)",
    ),
)  # fmt: skip


@dataclass
class Subscription:
    """What is known of a subscription; without slots, so that a class with some can build on it."""

    key: str
    row: SubscriptionRow = field(init=False)
    deliveries: dict[UUID, DeliveryRow] = field(default_factory=dict)
    failed: dict[UUID, DeliveryRow] = field(default_factory=dict)  # that did not arrive, or not yet
    tried: set[UUID] = field(default_factory=set)  # of these, those that are tried again

    def __post_init__(self) -> None:
        """Nothing was heard of it."""
        self.row = SubscriptionRow(self.key, EPOCH, IN_FORCE, EPOCH)

    def take(self, event: Event) -> list[Row]:
        """Fold an event, and tell the rows that it makes or changes, newest last."""
        at = event.envelope.occurred_at
        if self.row.first_at is EPOCH:
            self.row = replace(self.row, first_at=at, since=at)
        changed = USES[type(event)](self, event)
        now = word(self)
        self.row = replace(
            self.row, state=now, since=self.row.since if now == self.row.state else at,
            waits_for=None if now != NOT_TOLD else AGAIN if self.tried else A_RECEIVER,
        )  # fmt: skip
        return [*changed, self.row]


def _created(told: Subscription, event: SubscriptionCreated) -> list[Row]:
    if told.row.created_at is not None:
        return []
    told.row = replace(
        told.row, account_id=event.account_id, channel=event.channel, target=event.target,
        attempts_max=event.attempts_max, created_at=event.envelope.occurred_at,
    )  # fmt: skip
    lists = {
        "event type": event.event_types, "subject": event.subject_keys,
        "project": event.project_ids, "secret": event.secret_names,
    }  # fmt: skip
    return [
        WishRow(event.key, kind, value)
        for kind, values in lists.items()
        for value in dict.fromkeys(values)
    ]


def _cancelled(told: Subscription, event: SubscriptionCancelled) -> list[Row]:
    if told.row.cancelled_at is None:
        told.row = replace(
            told.row, cancelled_at=event.envelope.occurred_at, reason_code=event.reason_code,
            reason=event.reason,
        )  # fmt: skip
    return []


def _delivery(told: Subscription, event: Any, /, **changes: Any) -> DeliveryRow:
    at = event.envelope.occurred_at
    known = told.deliveries.get(event.notification_id)
    if known is None:
        known = DeliveryRow(event.key, event.notification_id, at, QUEUED, at, TO_SEND)
    row = replace(known, channel=event.channel, **changes)
    told.deliveries[event.notification_id] = row
    return row


def _queued(told: Subscription, event: NotificationQueued) -> list[Row]:
    about = {
        name: getattr(event, name)
        for name in (
            "source_event_id", "source_type", "source_topic", "source_key", "source_occurred_at",
            "headline",
        )
    }  # fmt: skip
    row = _delivery(told, event, queued_at=event.envelope.occurred_at, **about)
    if event.notification_id in told.failed:
        told.failed[event.notification_id] = row
    return [row]


def _sent(told: Subscription, event: NotificationSent) -> list[Row]:
    at = event.envelope.occurred_at
    told.failed.pop(event.notification_id, None)
    told.tried.discard(event.notification_id)
    row = _delivery(
        told, event, state=SENT, since=at, waits_for=None, sent_at=at, attempts=event.attempt,
        response_code=event.response_code, duration_seconds=event.duration_seconds,
    )  # fmt: skip
    return [row]


def _failed(told: Subscription, event: NotificationFailed) -> list[Row]:
    if event.is_final:
        told.tried.discard(event.notification_id)
    else:
        told.tried.add(event.notification_id)
    row = _delivery(
        told, event, state=GIVEN_UP if event.is_final else FAILED,
        since=event.envelope.occurred_at, waits_for=None if event.is_final else AGAIN,
        attempts=event.attempt, attempts_max=event.attempts_max,
        response_code=event.response_code, error_code=event.reason_code, last_error=event.reason,
    )  # fmt: skip
    told.failed[event.notification_id] = row
    return [row]


USES: Mapping[type[Event], Callable[[Subscription, Any], list[Row]]] = {
    SubscriptionCreated: _created, SubscriptionCancelled: _cancelled,
    NotificationQueued: _queued, NotificationSent: _sent, NotificationFailed: _failed,
}  # fmt: skip


def word(told: Subscription) -> str:
    """Its state in a word or two."""
    if told.row.cancelled_at is not None:
        return CANCELLED
    return NOT_TOLD if told.failed else IN_FORCE


class Subscriptions(ReadModel[Subscription]):
    """A row a subscription, and a row each of its notifications."""

    name = "notifications"  # the porch through which wishes come is called subscriptions
    about = "who wants to be told of what, and what became of every notification"
    reads = (topics.NOTIFICATION,)
    tables = (SUBSCRIPTIONS, WISHES, DELIVERIES)

    def begin(self, key: str) -> Subscription:
        """Nothing was heard of it."""
        return Subscription(key)

    def project(self, state: Subscription, record: Recorded) -> Iterable[Row]:
        """The notification that this event is about, and the subscription as it is now."""
        return state.take(record.event) if type(record.event) in USES else ()


# -- queries

ORDER = ("first_at", "subscription_id")
DELIVERY_ORDER = ("first_at", "subscription_id", "notification_id")
_TOLD = """
select s.*, coalesce(d.sent, 0) as sent, coalesce(d.waiting, 0) as waiting,
    coalesce(d.failed, 0) as failed
from (select * from {subscriptions}) s left join {counted} on d.subscription_id = s.subscription_id
"""
_COUNTED = f"""(
    select subscription_id, count(*) filter (where state = '{SENT}') as sent,
        count(*) filter (where state = '{QUEUED}') as waiting,
        count(*) filter (where state in ('{FAILED}', '{GIVEN_UP}')) as failed
    from {{deliveries}} {{mine}} group by subscription_id
) d"""


def _select(at: Vector | None) -> str:
    # Now an index leads to those of each; at a position all of them are found anew, once.
    mine, way = (
        ("where subscription_id = s.subscription_id", "lateral ") if at is None else ("", "")
    )
    counted = way + _COUNTED.format(deliveries=relation(DELIVERIES, at), mine=mine)
    told = _TOLD.format(subscriptions=relation(SUBSCRIPTIONS, at), counted=counted)
    return f"select * from ({told}) found"


async def subscription_of(
    connection: Connection, subscription_id: str, *, at: Vector | None = None
) -> Found | None:
    """One subscription, with how many of its notifications arrived, wait, and failed."""
    where = Where().add("subscription_id = {}", subscription_id)
    found = await page(connection, _select(at), where, ORDER, after=None, limit=1)
    return found[0] if found else None


async def wishes_of(
    connection: Connection, subscription_id: str, *, at: Vector | None = None
) -> dict[str, list[str]]:
    """What a subscription names, by kind; a kind that is missing means all."""
    rows = await connection.fetch(
        f"select kind, value from {relation(WISHES, at)} where subscription_id = $1 "
        f"order by kind, value", subscription_id,
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["kind"], []).append(row["value"])
    return found


def _where(
    at: Vector | None,
    state: str | None,
    account_id: str | None,
    channel: str | None,
    event_type: str | None,
) -> Where:
    wanting = (
        f"subscription_id in (select subscription_id from {relation(WISHES, at)} "
        f"where kind = 'event type' and value = {{}})"
    )
    return (
        Where().add("state = {}", state).add("account_id = {}", account_id)
        .add("channel = {}", channel).add(wanting, event_type)
    )  # fmt: skip


async def list_subscriptions(
    connection: Connection,
    *,
    state: str | None = None,
    account_id: str | None = None,
    channel: str | None = None,
    event_type: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Subscriptions, the newest first."""
    where = _where(at, state, account_id, channel, event_type)
    return await page(
        connection, _select(at), where, ORDER, after=after, limit=limit, newest_first=True
    )


async def count_subscriptions(
    connection: Connection,
    *,
    account_id: str | None = None,
    channel: str | None = None,
    event_type: str | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many subscriptions there are in each state."""
    where = _where(at, None, account_id, channel, event_type)
    return await counts(connection, SUBSCRIPTIONS, where, at)


def _which(
    subscription_id: str | None,
    state: str | None,
    source_key: str | None,
    source_event_id: UUID | None,
) -> Where:
    return (
        Where().add("subscription_id = {}", subscription_id).add("state = {}", state)
        .add("source_key = {}", source_key).add("source_event_id = {}", source_event_id)
    )  # fmt: skip


async def list_deliveries(
    connection: Connection,
    *,
    subscription_id: str | None = None,
    state: str | None = None,
    source_key: str | None = None,
    source_event_id: UUID | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Notifications, the newest first."""
    where = _which(subscription_id, state, source_key, source_event_id)
    select = f"select * from {relation(DELIVERIES, at)}"
    return await page(
        connection, select, where, DELIVERY_ORDER, after=after, limit=limit, newest_first=True
    )


async def count_deliveries(
    connection: Connection,
    *,
    subscription_id: str | None = None,
    source_key: str | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many notifications there are in each state."""
    where = _which(subscription_id, None, source_key, None)
    return await counts(connection, DELIVERIES, where, at)
