"""What rows say of a failure: its kind, by which rule, what to do, and what shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genoflow.events.event import Event
from genoflow.events.run_failed import RunFailed

NO_FAILURE: Mapping[str, str | None] = {
    "failure_class": None, "failure_rule": None, "advice": None, "evidence": None,
}  # fmt: skip


def failure_of(event: Event) -> Mapping[str, Any]:
    """The columns of a run whose newest attempt ended so; empty ones where it did not fail."""
    if not isinstance(event, RunFailed):
        return NO_FAILURE
    return {
        "failure_class": event.failure_class, "failure_rule": event.failure_rule,
        "advice": event.advice or None, "evidence": "\n".join(event.evidence) or None,
    }  # fmt: skip


def in_words(event: RunFailed) -> str:
    """The kind of a failure and what it means, as the end of a sentence; empty of older events."""
    if event.failure_class is None:
        return ""
    return f"; by its kind {event.failure_class}, {event.failure_rule}: {event.advice.rstrip('.')}"


def failure_facts(event: RunFailed) -> dict[str, Any]:
    """The same for `show`."""
    if event.failure_class is None:
        return {}
    return {
        "failure_class": event.failure_class, "failure_rule": event.failure_rule,
        "advice": event.advice, "evidence": list(event.evidence),
    }  # fmt: skip
