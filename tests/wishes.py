"""Subscriptions and tries for tests of telling people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.processors.ports import Attempt, Ports
from tests.fakes import FakeClock

MAILBOX = "lab@example.org"


def subscription(name: str = "S", **fields: Any) -> SubscriptionCreated:
    """A wish to hear of failures of QC."""
    wishes = {"channel": "email", "target": MAILBOX, "event_types": ("QcFailed",)} | fields
    return SubscriptionCreated(subscription_id=name, account_id="alex", **wishes)


def webhook(name: str = "S", **fields: Any) -> SubscriptionCreated:
    """The same by webhook."""
    target = "https://lab.example.org/hook"
    return subscription(name, channel="webhook", target=target, secret_names=(name,), **fields)


def attempt(**ports: Any) -> Attempt:
    """A try with these ports."""
    return Attempt(UUID(int=1), 1, Ports(FakeClock(), **ports), lambda *_: None)
