"""Rows of subscriptions and deliveries: what arrived, what is tried again, what never did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.projections import subscriptions
from genoflow.projections.asking import subscription as asking
from tests.asked import like
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    histories,
    rows_of,
    uses_of,
)
from tests.partition import MOMENT
from tests.spec import heard
from tests.wishes import MAILBOX, subscription, webhook

NAME = "mail-1"
READERS = ("deliver", "clock-notification")


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, subscriptions.Subscriptions()) as opened:
        yield opened


def about(kind: type[Any], number: int = 1, **fields: Any) -> Any:
    known = {
        "subscription_id": NAME, "notification_id": UUID(int=number, version=5), "channel": "email",
        "source_key": f"S{number}", "attempt": 1, "attempts_max": 8, "is_final": False,
        "reason_code": "server error", "reason": "try later", "response_code": 500,
        "source_event_id": UUID(int=number),
    }  # fmt: skip
    named = {name: value for name, value in known.items() if name in kind.model_fields}
    return like(kind, **named | fields)


async def told(rows: Rows) -> Any:
    found = await subscriptions.subscription_of(rows.connection, NAME)
    assert found is not None
    return found


async def delivery(rows: Rows) -> Any:
    [found] = await subscriptions.list_deliveries(rows.connection)
    return found


def test_the_flow_says_what_is_used() -> None:
    assert uses_of(subscriptions.Subscriptions()) == set(subscriptions.USES)


async def test_what_is_wanted_stands_beside_the_subscription(rows: Rows) -> None:
    wish = subscription(NAME, event_types=("QcFailed", "RunFailed"), project_ids=("P1",))
    await rows.tell(wish)
    found = await told(rows)
    assert (found["state"], found["target"], found["account_id"], found["sent"]) == (
        "in force", MAILBOX, "alex", 0,
    )  # fmt: skip
    assert await subscriptions.wishes_of(rows.connection, NAME) == {
        "event type": ["QcFailed", "RunFailed"], "project": ["P1"],
    }  # fmt: skip


async def test_a_notification_is_tried_until_it_arrives(rows: Rows) -> None:
    await rows.tell(subscription(NAME), about(NotificationQueued, headline="B was rejected"))
    found = await delivery(rows)
    assert (found["state"], found["waits_for"], found["headline"], found["attempts"]) == (
        "queued", "to be sent", "B was rejected", 0,
    )  # fmt: skip
    then = await rows.tell(about(NotificationFailed, attempt=2))
    found = await delivery(rows)
    assert (found["state"], found["waits_for"], found["attempts"], found["last_error"]) == (
        "failed", "another try", 2, "try later",
    )  # fmt: skip
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["failed"]) == (
        "not told of all", "another try", 1,
    )  # fmt: skip
    await rows.tell(about(NotificationSent, attempt=3, response_code=250))
    found = await delivery(rows)
    assert (found["state"], found["attempts"], found["response_code"], found["source_key"]) == (
        "sent", 3, 250, "S1",
    )  # fmt: skip
    found = await told(rows)
    assert (found["state"], found["sent"], found["failed"]) == ("in force", 1, 0)
    ask: Any = {"connection": rows.connection, "at": then}
    before = await subscriptions.subscription_of(subscription_id=NAME, **ask)
    assert before is not None
    assert (before["state"], before["failed"]) == ("not told of all", 1)
    assert await subscriptions.count_deliveries(**ask) == {"failed": 1}
    assert await subscriptions.wishes_of(subscription_id=NAME, **ask) == {
        "event type": ["QcFailed"]
    }
    assert not await rows.set_aside()


async def test_what_is_given_up_waits_for_its_receiver(rows: Rows) -> None:
    gone = SubscriptionCancelled(subscription_id=NAME, reason_code="gone", reason="it said so")
    await rows.tell(subscription(NAME), about(NotificationQueued))
    await rows.tell(about(NotificationFailed, is_final=True, reason_code="refused"))
    found = await delivery(rows)
    assert (found["state"], found["waits_for"], found["error_code"]) == (
        "given up", None, "refused",
    )  # fmt: skip
    assert (await told(rows))["waits_for"] == "its receiver to be mended"
    await rows.tell(gone)
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["reason"]) == (
        "cancelled", None, "it said so",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_every_history_gives_the_states_that_people_are_told(rows: Rows, seed: int) -> None:
    events = histories(READERS, seed)
    await are_equal_in_pieces(rows, events, seed)
    for key in dict.fromkeys(event.key for event in events):
        story = [event for event in events if event.key == key]
        found = await subscriptions.subscription_of(rows.connection, key)
        if not any(type(event) in subscriptions.USES for event in story):
            assert found is None
            continue
        known = asking.subscription_of(key, story)
        assert found is not None
        assert (found["state"], found["failed"]) == (asking.word(known), len(known.failed))
    assert not await rows.set_aside()


async def test_pages_and_filters(rows: Rows) -> None:
    await rows.tell(*[subscription(f"s{number}") for number in range(4)], webhook("hook"))
    queued = [
        heard(about(NotificationQueued, number), MOMENT + timedelta(minutes=number // 3))
        for number in range(1, 12)
    ]
    await rows.tell(*queued, *[about(NotificationSent, number) for number in range(1, 5)])
    ask: Any = {"connection": rows.connection}
    every = await all_pages(
        subscriptions.list_subscriptions, rows.connection, subscriptions.ORDER, 2
    )
    assert {one["subscription_id"] for one in every} == {"s0", "s1", "s2", "s3", "hook", NAME}
    assert len(every) == 6
    assert await subscriptions.count_subscriptions(**ask, event_type="QcFailed") == {"in force": 5}
    [hook] = await subscriptions.list_subscriptions(**ask, channel="webhook", account_id="alex")
    assert hook["subscription_id"] == "hook"
    assert await subscriptions.list_subscriptions(**ask, event_type="RunFailed") == []
    seen = await all_pages(
        subscriptions.list_deliveries, rows.connection, subscriptions.DELIVERY_ORDER, 3
    )
    assert len({one["notification_id"] for one in seen}) == len(seen) == 11
    assert await subscriptions.count_deliveries(**ask) == {"queued": 7, "sent": 4}
    assert await subscriptions.count_deliveries(**ask, source_key="S2") == {"sent": 1}
    [one] = await subscriptions.list_deliveries(
        **ask, subscription_id=NAME, state="sent", source_event_id=UUID(int=3)
    )
    assert one["source_key"] == "S3"
