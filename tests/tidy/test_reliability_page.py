"""docs/reliability.md says what benchmarks/faults.json holds, and a full run made it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.faults import api, batch
from tests.faults.driver import FAULTS
from tests.faults.page import PAGE, RESULTS, made, refreshed
from tests.faults.read_models import NAME, WHOLE, is_as_calm
from tests.faults.scenarios import SCENARIOS, WHOLE_FLOW

ROWS_KILLS_MIN = 40
CASES_MIN = 50
KILLS_MIN, STOPS_MIN, BROKER_KILLS_MIN, POINTS_MIN = 100, 20, 10, 20
FLOW_SAMPLES_MIN, FLOW_KILLS_MIN, FLOW_STOPS_MIN, FLOW_BROKER_KILLS_MIN = 5_000, 40, 10, 3


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


def test_the_whole_flow_was_played_under_faults_and_left_what_a_calm_run_leaves() -> None:
    row = committed()["flow"]
    assert row["scenario"] == WHOLE_FLOW.name
    assert row["events"] >= FLOW_SAMPLES_MIN
    assert row["kills"] >= FLOW_KILLS_MIN
    assert row["stops"] >= FLOW_STOPS_MIN
    assert row["broker_kills"] >= FLOW_BROKER_KILLS_MIN
    assert row["jobs_begun"] == row["runs"] + row["sequencing_runs"]
    assert [name for name in (*FAULTS, "parked") if row[name]] == []


def test_read_models_were_killed_and_left_what_a_calm_run_leaves() -> None:
    row = committed()[NAME]
    assert row["kills"] == WHOLE.kills >= ROWS_KILLS_MIN
    assert sum(row["points"].values()) == row["inside"] == WHOLE.inside
    assert row["snapshots"] == row["kills"] + 1
    assert (row["postgres_kills"], row["broker_kills"]) == (WHOLE.postgres, WHOLE.broker)
    assert is_as_calm(row)


def test_the_api_was_asked_everything_and_held() -> None:
    row = committed()[api.NAME]
    assert row["cases"] >= api.CASES >= 20_000
    assert row["found_something"] + row["refused"] + row["behind"] == row["cases"]
    assert row["strangers"] > row["cases"] // 20
    assert api.is_held(row)


def test_launchers_were_played_and_each_run_was_done_once() -> None:
    rows = committed()[batch.NAME]["rows"]
    assert [row["scenario"] for row in rows if row["launcher"] == "awsbatch"] == [*batch.SCENARIOS]
    assert all(row["cases"] >= CASES_MIN for row in rows)
    assert sum(row["hosts_taken"] for row in rows) >= CASES_MIN
    assert [row["broken"] for row in rows if row["broken"]] == []


def test_the_results_name_no_machine() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|Users)/|\d+\.\d+\.\d+\.\d+", text)
