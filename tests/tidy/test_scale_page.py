"""docs/scale.md says what benchmarks/scale.json holds, and a whole run made it."""

from __future__ import annotations

import json
import re
from typing import Any

from benchmarks.scale import RESULTS, RUNS, TASKS
from benchmarks.scale_material import news_of
from benchmarks.scale_page import PAGE, computed, needs_of, refreshed
from genoflow.processors.task_loop import OPEN_EFFECTS_MAX

RESTORE_SECONDS_MAX = 30.0
RUNS_MIN = 500


def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_the_page_shows_the_committed_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == refreshed(page, committed()), "run `python -m benchmarks.scale_page`"
    assert page.count(computed(committed())) == 1


def test_the_figures_are_those_of_all_runs_and_of_all_their_news() -> None:
    found = committed()
    runs, tasks = found["runs"], found["tasks"]
    assert runs >= RUNS_MIN
    assert tasks == TASKS
    assert found["news_with_ends"] == news_of(runs, tasks)
    counts = found["counts"]
    for kind in ("RunRequested", "RunSubmitted", "RunStarted", "RunSucceeded"):
        assert counts[kind] == runs
    for kind in ("TaskSubmitted", "TaskStarted", "TaskCompleted"):
        assert counts[kind] == runs * tasks
    assert not {"RunFailed", "RunLost", "EventParked"} & set(counts)
    assert ("not 10,000" in computed(found)) == (runs < RUNS)


def test_state_is_restored_in_time_and_polling_is_behind() -> None:
    found = committed()
    assert found["kill"]["restored_seconds"] <= RESTORE_SECONDS_MAX
    assert found["post_lag_seconds"]["p50"] < found["polling"]["late_p50_seconds"]
    assert found["polling"]["missed_share"] > 0.1


def test_what_a_million_needs_follows_from_them() -> None:
    needs = needs_of(committed())
    assert needs.partitions * OPEN_EFFECTS_MAX >= needs.at_once
    assert needs.partitions >= needs.workers_by_records
    assert needs.workers_by_records * needs.carried_per_second >= needs.records_per_second


def test_the_figures_name_no_machine() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|Users)/|\d+\.\d+\.\d+\.\d+", text)
