"""Given these events, `why` of a subscription says what did not arrive, and what to do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.projections.asking.subscription import (
    TOLD_MAX,
    WAYS,
    facts,
    subscription_of,
    why,
    word,
)
from tests.asked import like, sentences, told
from tests.wishes import subscription

NAME = UUID(int=7, version=5)
CREATED = subscription("mail-1")
QUEUED = like(
    NotificationQueued, subscription_id="mail-1", notification_id=NAME,
    headline="A file of sample B was rejected: truncated",
)  # fmt: skip


def failed(number: int = 7, **more: Any) -> NotificationFailed:
    known = {
        "subscription_id": "mail-1", "notification_id": UUID(int=number, version=5), "attempt": 2,
        "attempts_max": 8, "channel": "email", "reason_code": "server error",
        "reason": "try later", "response_code": 500, "is_final": False,
    }  # fmt: skip
    return NotificationFailed(**known | more)


def test_a_failure_is_named_with_its_reason_and_its_way_on() -> None:
    found = subscription_of("mail-1", told(CREATED, QUEUED, failed()))
    assert sentences("mail-1", why(found)) == (
        "mail-1 could not be told in try 2 of 8: A file of sample B was rejected: truncated: "
        "server error 500 (try later) (since 2026-03-01 12:02 UTC); it is tried again by itself"
    )
    assert (word(found), facts(found)["failed"]) == ("not told of all", 1)
    sent = like(NotificationSent, subscription_id="mail-1", notification_id=NAME)
    after = subscription_of("mail-1", told(CREATED, QUEUED, failed(), sent))
    assert "mail-1 was told 1 times" in sentences("mail-1", why(after))


@pytest.mark.parametrize("code", WAYS)
def test_what_never_arrived_has_a_way_on(code: str) -> None:
    [answer] = why(
        subscription_of("mail-1", told(CREATED, failed(reason_code=code, is_final=True)))
    )
    assert (answer.way, answer.is_waiting) == (WAYS[code], False)


def test_news_that_come_before_the_word_that_something_waits_are_told_like_any_other() -> None:
    found = subscription_of("mail-1", told(CREATED, failed(), QUEUED))
    text = sentences("mail-1", why(found))
    assert "in try 2 of 8: A file of sample B was rejected: truncated: server error" in text
    assert "to be sent" not in text
    assert (facts(found)["waiting"], facts(found)["failed"]) == (0, 1)


def test_the_end_and_what_waits_are_told() -> None:
    gone = like(
        SubscriptionCancelled, subscription_id="mail-1", reason_code="gone", reason="it said so"
    )
    found = subscription_of("mail-1", told(CREATED, QUEUED, gone))
    text = sentences("mail-1", why(found))
    assert "was cancelled: gone (it said so)" in text
    assert "waits for 1 notifications to be sent" in text
    assert word(found) == "cancelled"
    many = told(CREATED, *[failed(number) for number in range(TOLD_MAX + 3)])
    assert "has 3 earlier ones" in sentences("mail-1", why(subscription_of("mail-1", many)))
    assert "is no subscription" in sentences("x", why(subscription_of("x", [])))
