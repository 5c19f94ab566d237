"""A subscription: what was told, what waits for another try, and what never arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.projections.asking.subject import A_WORKER, Answer, Subject, Uses, fold

TOLD_MAX = 20  # of what did not arrive: one screen; the others are counted
NEVER = "mend the receiver, then subscribe under another name"
WAYS = {
    "refused": f"see what the receiver refuses, and whether its address is right: {NEVER}",
    "gone": "the receiver wants no more: subscribe under another name with another address",
    "server error": NEVER,
    "no answer": NEVER,
    "address not allowed": (
        "name a public address, or put its host into GENOFLOW_WEBHOOK_HOSTS; then subscribe under "
        "another name"
    ),
}


@dataclass(slots=True)
class Told(Subject):
    """What is known of a subscription."""

    created: SubscriptionCreated | None = None
    cancelled: SubscriptionCancelled | None = None
    queued: dict[UUID, NotificationQueued] = field(default_factory=dict)  # not yet told
    failed: dict[UUID, NotificationFailed] = field(default_factory=dict)  # the newest try of each
    sent: int = 0


def _created(told: Told, event: SubscriptionCreated) -> None:
    told.created = told.created or event


def _cancelled(told: Told, event: SubscriptionCancelled) -> None:
    told.cancelled = told.cancelled or event


def _queued(told: Told, event: NotificationQueued) -> None:
    told.queued.setdefault(event.notification_id, event)


def _sent(told: Told, event: NotificationSent) -> None:
    told.queued.pop(event.notification_id, None)
    told.failed.pop(event.notification_id, None)
    told.sent += 1


def _failed(told: Told, event: NotificationFailed) -> None:
    told.failed[event.notification_id] = event


USES: Uses = {
    SubscriptionCreated: _created,
    SubscriptionCancelled: _cancelled,
    NotificationQueued: _queued,
    NotificationSent: _sent,
    NotificationFailed: _failed,
}


def subscription_of(key: str, events: Iterable[Event]) -> Told:
    """What these events tell of the subscription."""
    return fold(Told(key), events, USES)


def why(told: Told) -> list[Answer]:
    """What did not arrive and why, what is still to come, or that all was told."""
    answers: list[Answer] = []
    if told.created is None:
        way = "`genoflow subscription list` shows those that there are"
        answers.append(Answer("is no subscription", told.first_at, way))
    if told.cancelled is not None:
        ended = told.cancelled
        says = f"was cancelled: {ended.reason_code} ({ended.reason.rstrip('.')})"
        at = ended.envelope.occurred_at
        answers.append(Answer(says, at, "subscribe under another name", is_waiting=False))
    answers += [_not_told(told, one) for one in list(told.failed.values())[-TOLD_MAX:]]
    if len(told.failed) > TOLD_MAX:
        answers.append(Answer(f"has {len(told.failed) - TOLD_MAX:,} earlier ones of these"))
    waiting = [one for name, one in told.queued.items() if name not in told.failed]
    if waiting:
        says = f"waits for {len(waiting):,} notifications to be sent"
        answers.append(Answer(says, waiting[0].envelope.occurred_at, A_WORKER))
    says = f"was told {told.sent:,} times"
    return answers or [Answer(says, told.last_at, is_waiting=False)]


def _not_told(told: Told, failed: NotificationFailed) -> Answer:
    queued = told.queued.get(failed.notification_id)
    what = f": {queued.headline.rstrip('.')}" if queued else ""
    code = f" {failed.response_code}" if failed.response_code is not None else ""
    tries = f"{failed.attempt} of {failed.attempts_max}"
    way = WAYS.get(failed.reason_code, NEVER) if failed.is_final else "it is tried again by itself"
    return Answer(
        f"could not be told in try {tries}{what}: {failed.reason_code}{code} "
        f"({failed.reason.rstrip('.')})",
        failed.envelope.occurred_at, way, is_waiting=not failed.is_final,
    )  # fmt: skip


def word(told: Told) -> str:
    """Its state in a word or two."""
    if told.cancelled is not None:
        return "cancelled"
    return "not told of all" if told.failed else "in force"


def facts(told: Told) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    return {
        "subscription": told.key, "state": word(told), "sent": told.sent,
        "waiting": len(told.queued) - len(told.failed), "failed": len(told.failed),
    }  # fmt: skip
