"""What makes the histories of alerts meet: few alerts, short ladders, and few words that end."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_step import AlertStep
from genoflow.events.event import Event
from genoflow.processors.processor import Processor
from genoflow.processors.repair_sources import ASKED
from tests.examples import example
from tests.partition import MOMENT

REPAIR = "repair-sources"
ROWS = ("escalate-alerts", REPAIR)
SELDOM = 0.2  # of what ends a ladder: else few would have a second step
LADDERS = (
    (),
    (AlertStep(after_seconds=0.0, subscription_ids=("sub-1",)),),
    tuple(
        AlertStep(after_seconds=3_600.0 * number, subscription_ids=(f"sub-{number}",))
        for number in range(4)
    ),
)


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of these rows have it."""
    assert row.name in ROWS
    if isinstance(event, AlertAcknowledged | AlertResolved) and source.random() > SELDOM:
        event = example(AlertRaised, source.randrange(10**9))
    if not isinstance(event, AlertRaised):
        return event
    fields: dict[str, Any] = {
        "part_of": None if source.random() > SELDOM else event.part_of,
        "ladder": () if row.name == REPAIR else source.choice(LADDERS),
        # At once, or when the quiet hours are over, which may be behind the whole history.
        "tell_at": MOMENT + timedelta(days=source.choice((0, 0, 3, 30))),
    }
    if row.name == REPAIR:
        fields |= {"kind": source.choice(("late", "missing")), "stage": source.choice([*ASKED])}
    return type(event)(**dict(event) | fields).enveloped(event.envelope)
