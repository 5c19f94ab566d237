"""Charts of quality on a real log: over two towers, by the command line, and restarted."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality import sigma_of_runs
from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.tower_shown import read_tower
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.watchtower.quality_kept import KeptChart
from genoflow.processors.watchtower.runs import READS, RULES
from tests.e2e.workers import fails, running, settings_of, succeeds
from tests.quality_histories import chart_name, history, shifted_values
from tests.spec import heard
from tests.tower_rules import DRIFT, rules
from tests.unit.test_tower_quality import core

SECONDS_MAX = 60.0
Q30 = RULES[READS, "q30_fraction"]
RUNS, SHIFTED, BEFORE = 30, 12, 25
NAME = chart_name("q30_fraction")


@pytest.fixture
def settings(stack: Addresses, tmp_path: Path) -> Settings:
    """A deployment with topics of its own."""
    found = settings_of(stack, secrets.token_hex(4), tmp_path)
    succeeds(found, "topics", "apply")
    return found


async def until(log: KafkaLog, is_so: Callable[[KeptChart], bool]) -> KeptChart:
    """The chart, once this is so of it."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            kept = (await read_tower(log, ("chart",))).quality.kept(NAME)
            if kept is not None and is_so(kept):
                return kept
            await asyncio.sleep(0.3)


async def append(log: KafkaLog, events: list[Event]) -> None:
    """Append each run in a transaction of its own, so that the log's clock has them in order."""
    runs: list[list[Event]] = []
    for event in events:
        if isinstance(event, SequencingRunStarted):
            runs.append([])
        runs[-1].append(event)
    for run in runs:
        await log.append_atomically(run)


async def said(log: KafkaLog) -> list[Event]:
    """What is on the topic of alerts."""
    return [one.event async for one in log.read_topic(topics.ALERT.name)]


async def test_a_shift_over_two_towers_is_one_alert_and_a_restart_ends_it(
    settings: Settings, tmp_path: Path
) -> None:
    told = shifted_values(1, Q30, RUNS, SHIFTED, -2.5 * sigma_of_runs(Q30))
    chart, [alarm] = core(told)
    begun, rest = (history(1, Q30, told[:BEFORE]), history(1, Q30, told))
    # The teller's ids follow from what it told before: the second history begins as the first.
    rest = [one for one in rest if one.envelope.occurred_at > begun[-1].envelope.occurred_at]
    async with open_log(settings) as log:
        await log.append(heard(rules(DRIFT)))
        await append(log, begun)
        with running(settings, tmp_path / "tower.log", "tower", "--once") as first:
            await until(log, lambda kept: kept.chart.runs == BEFORE)
            first.send_signal(signal.SIGTERM)
            assert first.wait(timeout=SECONDS_MAX) == 0
        await append(log, rest)
        with running(settings, tmp_path / "tower.log", "tower", "--once"):
            kept = await until(log, lambda kept: kept.chart.runs == RUNS + SHIFTED)
            assert kept.chart == chart
            [alert] = await said(log)
            assert isinstance(alert, AlertRaised)
            assert alert.subject_key == alarm.run
            asked = json.loads(succeeds(settings, "charts", "list", "--raised", "--json"))
            assert_shown(settings, asked, alert)
            restarted(settings)
            kept = await until(log, lambda kept: not kept.raised)
            [_, over] = await said(log)
            assert isinstance(over, AlertResolved)
            assert (over.alert_id, str(over.resolving_event_id)) == (alert.alert_id, kept.restart)


def assert_shown(settings: Settings, asked: list[dict[str, Any]], alert: AlertRaised) -> None:
    """The list and one chart tell the same."""
    [one] = asked
    assert (one["chart_id"], one["runs"]) == (str(NAME.chart_id), RUNS + SHIFTED)
    assert [way["alerts"] for way in one["raised"]] == [[str(alert.alert_id)]]
    shown = succeeds(settings, "charts", "show", one["chart_id"])
    assert f"sure with {alert.subject_key}: alerts {alert.alert_id}" in shown
    assert len(shown.splitlines()) == 3 + RUNS + SHIFTED
    assert "no chart" in succeeds(settings, "charts", "list", "--metric", "bases")


def restarted(settings: Settings) -> None:
    """A person restarts the chart, for a reason, and no other one."""
    words = ("charts", "restart", str(NAME.chart_id), "--as", "kim")
    assert "Missing option '--reason'" in fails(settings, *words, code=2)
    nobody = str(chart_name("ti_tv").chart_id)
    why = ("--reason", "a new lot, which is to stay")
    assert "there is none" in fails(settings, "charts", "restart", nobody, *why)
    tried = succeeds(settings, *words, *why, "--request-id", "r-1", "--dry-run")
    assert "would be restarted by kim" in tried
    assert "is restarted by kim" in succeeds(settings, *words, *why, "--request-id", "r-1")
    assert "was already restarted" in succeeds(settings, *words, *why, "--request-id", "r-1")
