"""Alerts by the command line: listed, shown, taken up and ended."""

from __future__ import annotations

import json
from pathlib import Path

from genoflow.deploy.addresses import Addresses
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_resolved import AlertResolved
from tests.alert_facts import ALERT, HEADLINE, alert_id, raised
from tests.e2e.workers import fails, happens, said, settings_of, succeeds


def test_an_alert_is_listed_taken_up_and_ended(
    stack: Addresses, suffix: str, tmp_path: Path
) -> None:
    settings = settings_of(stack, suffix, tmp_path)
    succeeds(settings, "topics", "apply")
    assert "no alert" in succeeds(settings, "alerts", "list")
    happens(settings, raised(), raised(2, severity="critical", ladder=()))
    shown = succeeds(settings, "alerts", "list", "--severity", "warning")
    [line] = [one for one in shown.splitlines() if one.startswith(str(ALERT))]
    assert line.endswith(f"warning   raised        step 0 of 3    late-validation: {HEADLINE}")
    assert len(json.loads(succeeds(settings, "alerts", "list", "--json"))) == 2
    why = ("--reason", "the store is slow", "--as", "kim")
    tried = succeeds(settings, "alerts", "acknowledge", str(ALERT), *why, "--dry-run")
    assert "would be acknowledged by kim" in tried
    assert said(settings, AlertAcknowledged, str(ALERT)) == []
    told = succeeds(settings, "alerts", "acknowledge", str(ALERT), *why)
    assert told.strip() == f"{ALERT}: is acknowledged by kim: the store is slow"
    [word] = said(settings, AlertAcknowledged, str(ALERT))
    assert (word.envelope.actor.id, word.role) == ("kim", "operator")
    again = succeeds(settings, "alerts", "acknowledge", str(ALERT), "--reason", "x", "--as", "bo")
    assert "was already acknowledged by kim: the store is slow" in again
    facts = json.loads(succeeds(settings, "alerts", "show", str(ALERT), "--json"))
    assert (facts["state"], facts["acknowledged_by"]) == ("acknowledged", "kim")
    assert "is resolved by kim" in succeeds(settings, "alerts", "resolve", str(ALERT), *why)
    assert [one.manner for one in said(settings, AlertResolved, str(ALERT))] == ["person"]
    late = fails(settings, "alerts", "resolve", str(ALERT), "--reason", "y", "--as", "bo")
    assert "is resolved since" in late
    assert "nobody raised it" in fails(settings, "alerts", "show", str(alert_id(9)))
    left = succeeds(settings, "alerts", "list", "--state", "raised")
    assert str(ALERT) not in left
    assert str(alert_id(2)) in left
