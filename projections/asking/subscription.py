"""A subscription: what was told, what waits for another try, and what never arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from genoflow.events.event import Event
from genoflow.projections import subscriptions
from genoflow.projections.asking.subject import A_WORKER, Answer, Subject, Uses, fold
from genoflow.projections.subscriptions import GIVEN_UP, QUEUED, SENT, DeliveryRow, word

__all__ = ["Told", "facts", "subscription_of", "why", "word"]

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


@dataclass
class Told(Subject, subscriptions.Subscription):
    """What is known of a subscription: the state that its rows are made from."""


USES: Uses = dict.fromkeys(subscriptions.USES, Told.take)


def subscription_of(key: str, events: Iterable[Event]) -> Told:
    """What these events tell of the subscription."""
    return fold(Told(key), events, USES)


def _in(told: Told, state: str) -> list[DeliveryRow]:
    return [one for one in told.deliveries.values() if one.state == state]


def why(told: Told) -> list[Answer]:
    """What did not arrive and why, what is still to come, or that all was told."""
    answers: list[Answer] = []
    row = told.row
    if row.created_at is None:
        way = "`genoflow subscription list` shows those that there are"
        answers.append(Answer("is no subscription", told.first_at, way))
    if row.cancelled_at is not None:
        says = f"was cancelled: {row.reason_code} ({(row.reason or '').rstrip('.')})"
        way = "subscribe under another name"
        answers.append(Answer(says, row.cancelled_at, way, is_waiting=False))
    answers += [_not_told(one) for one in list(told.failed.values())[-TOLD_MAX:]]
    if len(told.failed) > TOLD_MAX:
        answers.append(Answer(f"has {len(told.failed) - TOLD_MAX:,} earlier ones of these"))
    if waiting := _in(told, QUEUED):
        says = f"waits for {len(waiting):,} notifications to be sent"
        answers.append(Answer(says, waiting[0].first_at, A_WORKER))
    says = f"was told {len(_in(told, SENT)):,} times"
    return answers or [Answer(says, told.last_at, is_waiting=False)]


def _not_told(failed: DeliveryRow) -> Answer:
    is_final = failed.state == GIVEN_UP
    what = f": {failed.headline.rstrip('.')}" if failed.headline else ""
    code = f" {failed.response_code}" if failed.response_code is not None else ""
    tries = f"{failed.attempts} of {failed.attempts_max}"
    way = WAYS.get(failed.error_code or "", NEVER) if is_final else "it is tried again by itself"
    return Answer(
        f"could not be told in try {tries}{what}: {failed.error_code}{code} "
        f"({(failed.last_error or '').rstrip('.')})",
        failed.since, way, is_waiting=not is_final,
    )  # fmt: skip


def facts(told: Told) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    return {
        "subscription": told.key, "state": word(told), "sent": len(_in(told, SENT)),
        "waiting": len(_in(told, QUEUED)), "failed": len(told.failed),
    }  # fmt: skip
