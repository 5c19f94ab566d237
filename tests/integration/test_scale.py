"""The trial of scale, with few runs: it starts its own servers, kills its worker and measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.scale_material import news_of
from benchmarks.scale_polling import asked, round_seconds

ROOT = Path(__file__).resolve().parents[2]
RUNS, TASKS, SECONDS = 50, 20, 12
SECONDS_MAX = 400  # 50 s on two cores, and several times that on busy ones


@pytest.mark.long
def test_few_runs_go_the_whole_way_though_their_worker_is_killed(tmp_path: Path) -> None:
    out = tmp_path / "scale.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--runs", str(RUNS), "--tasks", str(TASKS),
         "--seconds", str(SECONDS), "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    counts = found["counts"]
    assert {counts[kind] for kind in ("RunRequested", "RunSubmitted", "RunSucceeded")} == {RUNS}
    assert {counts[kind] for kind in ("TaskSubmitted", "TaskStarted", "TaskCompleted")} == {
        RUNS * TASKS
    }
    assert found["news"] == news_of(RUNS, TASKS) - RUNS // 2
    assert counts["RunExited"] >= RUNS
    assert not {"RunFailed", "RunLost", "EventParked"} & set(counts)
    assert found["exit_lag_told_seconds"]["count"] == RUNS // 2
    assert found["exit_lag_looked_seconds"]["count"] == RUNS // 2
    assert found["kill"]["tasks_restored"] > 0


def test_who_asks_for_few_jobs_sees_all_and_who_asks_for_many_does_not() -> None:
    few, many = asked(50, 20, 600.0), asked(10_000, 20, 600.0)
    assert few.seen == few.changes == 3_000
    assert few.late_p99_seconds < 1.0
    assert many.seen < 0.9 * many.changes
    assert many.late_p50_seconds > 10 * few.late_p50_seconds
    assert round_seconds(200_000) == 200.0
