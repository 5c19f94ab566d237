"""Subscriptions: who is told of what, and what became of every notification."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from genoflow.api.guard import CallerHere, asks
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission, Role
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import subscriptions

SECRET = "secret"  # the kind of a wish that names what signs its webhooks
ORDER = {"first_at": datetime, "subscription_id": str}
DELIVERY_ORDER = {**ORDER, "notification_id": UUID}

router = APIRouter(
    prefix="/notifications/subscriptions", tags=["notifications"], route_class=ReadingRoute
)
Name = Annotated[str | None, Query(max_length=200)]
COUNTED: dict[str, Any] = {
    "target": (
        str | None, Field(description="the address, of Slack its end; for owner and administrators")
    ),
    "sent": (int, Field(description="notifications that arrived")),
    "waiting": (int, Field(description="notifications that were not tried yet")),
    "failed": (int, Field(description="notifications that are tried again or were given up")),
}  # fmt: skip
SubscriptionOut = shape(
    subscriptions.SubscriptionRow, "Subscription", "Who wants to be told.", **COUNTED
)
SubscriptionWhole = shape(
    subscriptions.SubscriptionRow, "SubscriptionWhole", "Who wants to be told, and of what.",
    **COUNTED,
    wishes=(
        dict[str, list[str]],
        Field(description="what it names, by kind; a kind that is missing means all",
              examples=[{"event type": ["QcFailed"], "project": ["P1"]}]),
    ),
)  # fmt: skip
SubscriptionsOut = page_of(SubscriptionOut, "Subscriptions", "subscriptions, the newest first")
DeliveriesOut = page_of(
    shape(subscriptions.DeliveryRow, "Delivery", "One notification, and whether it arrived."),
    "Deliveries", "notifications, the newest first",
)  # fmt: skip


def _may_see(caller: Caller, row: Mapping[str, Any]) -> bool:
    return Role.ADMIN in caller.roles or row["account_id"] == str(caller.account)


def _sees_all(caller: Caller) -> bool:
    """Whether it works in the lab or audits it; a partner sees what is its own."""
    return bool(caller.roles & (PERMISSIONS[Permission.SUBSCRIPTIONS_READ] - {Role.PARTNER}))


def _shown(caller: Caller, row: Mapping[str, Any]) -> dict[str, Any]:
    target = subscriptions.shown_target(row["channel"], row["target"])
    return told(row, target=target if _may_see(caller, row) else None)


@router.get("", summary="Subscriptions, page by page", response_model=SubscriptionsOut)
@asks(Permission.SUBSCRIPTIONS_READ)
async def list_subscriptions(
    reading: ReadingHere,
    caller: CallerHere,
    state: Name = None,
    account_id: Name = None,
    channel: Name = None,
    event_type: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List subscriptions by state, account, channel, or an event type; a partner's are its own."""
    own = str(caller.account)
    if not _sees_all(caller):
        if account_id not in (None, own):
            return page([], ORDER, limit)
        account_id = own
    found = await subscriptions.list_subscriptions(
        reading.connection, state=state, account_id=account_id, channel=channel,
        event_type=event_type, after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit) | {"items": [_shown(caller, one) for one in found]}


async def _found(reading: Reading, caller: Caller, subscription_id: str) -> Mapping[str, Any]:
    found = await subscriptions.subscription_of(
        reading.connection, subscription_id, at=reading.at
    )  # fmt: skip
    if found is None or not (_sees_all(caller) or _may_see(caller, found)):
        raise Refusal(
            404, f"subscription {subscription_id}: is not known here; "
            f"/notifications/subscriptions lists what is",
        )  # fmt: skip
    return found


@router.get(
    "/{subscription_id}", summary="One subscription", response_model=SubscriptionWhole,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.SUBSCRIPTIONS_READ)
async def show_subscription(
    reading: ReadingHere, caller: CallerHere, subscription_id: str
) -> dict[str, Any]:
    """Tell what a subscription wants to hear, and how much of it arrived.

    Its address, and the names of the secrets that sign for it, are for its owner and
    administrators.
    """
    found = await _found(reading, caller, subscription_id)
    wishes = await subscriptions.wishes_of(reading.connection, subscription_id, at=reading.at)
    if not _may_see(caller, found):
        wishes.pop(SECRET, None)
    return _shown(caller, found) | {"wishes": wishes}


@router.get(
    "/{subscription_id}/deliveries", summary="Notifications of a subscription",
    response_model=DeliveriesOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.SUBSCRIPTIONS_READ)
async def list_deliveries(
    reading: ReadingHere,
    caller: CallerHere,
    subscription_id: str,
    state: Name = None,
    source_key: Annotated[str | None, Query(max_length=1_200)] = None,
    source_event_id: UUID | None = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List the notifications of a subscription, with the tries and the last error of each."""
    await _found(reading, caller, subscription_id)
    found = await subscriptions.list_deliveries(
        reading.connection, subscription_id=subscription_id, state=state, source_key=source_key,
        source_event_id=source_event_id, after=key_of(after, DELIVERY_ORDER), limit=limit,
        at=reading.at,
    )  # fmt: skip
    return page(found, DELIVERY_ORDER, limit)
