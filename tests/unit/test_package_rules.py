"""The rules that come with the package: each that waits for events is heard, and is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.registry import released
from tests.tower_histories import BEGIN
from tests.unit.test_tower_judge import Trial

MINUTE = timedelta(minutes=1)


def waiting_for_events() -> Iterator[Any]:
    """Each rule with each event that it waits for and each that ends it."""
    text = files("genoflow.deploy.profiles").joinpath("alerts.json").read_text(encoding="utf-8")
    for rule in json.loads(text)["rules"]:
        for kind in rule.get("event_types", ()):
            for end in rule["resolved_by"]:
                yield pytest.param(rule, kind, end, id=f"{rule['rule']}-{kind}-{end}")


@pytest.mark.parametrize(("rule", "kind", "end"), [*waiting_for_events()])
async def test_an_event_raises_one_alert_and_another_ends_it(
    rule: dict[str, Any], kind: str, end: str
) -> None:
    trial = Trial(rule)
    fact, over = (released().model(one) for one in (kind, end))
    name = getattr(trial.teller.tell(fact, BEGIN), fact.about.key)
    await trial.tell(fact, BEGIN)
    [alert] = await trial.fold()
    assert isinstance(alert, AlertRaised)
    assert (alert.rule, alert.subject_key, alert.last_type) == (rule["rule"], str(name), kind)
    await trial.tell(over, BEGIN + MINUTE, **{over.about.key: name})
    [resolved] = await trial.fold()
    assert isinstance(resolved, AlertResolved)
    assert (resolved.alert_id, resolved.reason) == (alert.alert_id, f"{end} came")
