"""An alert of a late sample, as tests of its life say it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_figure import AlertFigure
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import OVER, AlertResolved
from genoflow.events.alert_step import AlertStep
from tests.partition import MOMENT
from tests.spec import heard

HEADLINE = "S-1 is not validated after 42 min; 21 min are usual"
MINUTE = timedelta(minutes=1)
LADDER = (
    AlertStep(after_seconds=0, subscription_ids=("bench",)),
    AlertStep(after_seconds=900, subscription_ids=("lead", "bench")),
    AlertStep(after_seconds=3600, subscription_ids=("head",)),
)


def alert_id(number: int = 1) -> UUID:
    """The id of an alert."""
    return UUID(int=number, version=5)


ALERT = alert_id()


def raised(number: int = 1, at: datetime = MOMENT, **fields: Any) -> AlertRaised:
    """It was raised at this time."""
    usual = {
        "alert_id": alert_id(number), "rule": "late-validation", "rules_version": "1.0",
        "rules_document_id": "alerts", "kind": "late", "severity": "warning",
        "group": "stage=validated", "subject_topic": topics.SAMPLE.name, "subject_key": "S-1",
        "headline": HEADLINE, "tell_at": MOMENT, "ladder": LADDER,
        "figures": (AlertFigure(name="waited", value=2520, unit="s", limit=1260),),
    }  # fmt: skip
    return heard(AlertRaised(**usual | fields), at)


def told(step: int, waited: float = 0, steps: int = 3, **fields: Any) -> AlertEscalated:
    """People were told of it."""
    usual = {
        "alert_id": ALERT, "step": step, "steps": steps, "waited_seconds": waited,
        "subscription_ids": LADDER[step - 1].subscription_ids if steps > 1 else (),
        "rule": "late-validation", "severity": "warning", "headline": HEADLINE,
        "subject_topic": topics.SAMPLE.name, "subject_key": "S-1",
    }  # fmt: skip
    return AlertEscalated(**usual | fields)


def acknowledged(number: int = 1) -> AlertAcknowledged:
    """Somebody looks after it."""
    return AlertAcknowledged(alert_id=alert_id(number), role="on call", reason="the store is slow")


def resolved(number: int = 1, manner: str = OVER) -> AlertResolved:
    """It is over."""
    return AlertResolved(alert_id=alert_id(number), manner=manner, reason="S-1 was validated")
