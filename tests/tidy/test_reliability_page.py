"""docs/reliability.md says what benchmarks/faults.json holds, and a full run made it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.faults.driver import FAULTS
from tests.faults.page import PAGE, RESULTS, made, refreshed
from tests.faults.scenarios import SCENARIOS

KILLS_MIN, STOPS_MIN, BROKER_KILLS_MIN, POINTS_MIN = 100, 20, 10, 20


def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_the_page_shows_the_committed_results() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == refreshed(page, committed()), "run `python -m tests.faults.page`"
    assert page.count(made(committed())) == 1


def test_the_results_are_those_of_a_full_run_of_every_scenario() -> None:
    rows = committed()["rows"]
    assert [(row["scenario"], row["events"]) for row in rows] == [
        (one.name, one.events) for one in SCENARIOS
    ]
    assert sum(row["kills"] for row in rows) >= KILLS_MIN
    assert sum(row["stops"] for row in rows) >= STOPS_MIN
    assert sum(row["broker_kills"] for row in rows) >= BROKER_KILLS_MIN
    assert len({point for row in rows for point in row["points"]}) >= POINTS_MIN
    assert 2 * sum(row["kills_at_points"] for row in rows) >= KILLS_MIN


def test_nothing_was_found() -> None:
    for row in committed()["rows"]:
        assert row["expected"] == 2 * row["events"]
        assert [name for name in FAULTS if row[name]] == [], row


def test_the_results_name_no_machine() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|Users)/|\d+\.\d+\.\d+\.\d+", text)
