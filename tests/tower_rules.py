"""Rules of alerts for tests."""

from __future__ import annotations

from typing import Any

from genoflow.events.alert_ladder import AlertLadder
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.alert_step import AlertStep
from genoflow.events.quiet_hours import QuietHours

LATE = {
    "rule": "late-run", "kind": "late", "severity": "warning", "group_by": "subject",
    "stage": "run", "quantile": 0.9, "margin": 2.0, "floor_seconds": 60.0,
    "ceiling_seconds": 86_400.0, "observations_min": 20,
}  # fmt: skip
FAILURES = {
    "rule": "failing-runs", "kind": "rate", "severity": "critical", "group_by": "pipeline",
    "stage": "run", "figure": "failures", "window": "hour", "above": 0.2, "at_least": 3,
}  # fmt: skip
HELD = {
    "rule": "held", "kind": "event", "severity": "warning", "group_by": "subject",
    "event_types": ("ResultsHeld",), "resolved_by": ("ResultsPublished",),
}  # fmt: skip
DRIFT = {
    "rule": "drifting-q30", "kind": "drift", "severity": "warning", "group_by": "instrument",
    "metric": "q30_fraction", "chart": "cusum", "runs_min": 20,
}  # fmt: skip
ON_CALL = AlertLadder(name="on-call", steps=(AlertStep(after_seconds=0, subscription_ids=("a",)),))
NIGHT = QuietHours(
    name="night", zone="Europe/Berlin", days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    from_time="22:00", until_time="07:00", severities=("info", "warning"),
)  # fmt: skip


def rules(*said: dict[str, Any], version: str = "1") -> AlertRulesPublished:
    """A document of these rules."""
    return AlertRulesPublished(
        document_id="alerts", version=version, title="Alerts", ladders=(ON_CALL,), quiet=(NIGHT,),
        rules=tuple(AlertRule(**one) for one in said), content_sha256="0" * 64,
    )  # fmt: skip
