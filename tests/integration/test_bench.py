"""`make bench` works: it starts its own broker, lets all compete and writes what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.columns import COMPARISONS as CODEC
from benchmarks.page import rows_of
from benchmarks.projection import COMPARISONS as PROJECTION
from benchmarks.rebuild import COMPARISONS as REBUILD
from benchmarks.tower import COMPARISONS as TOWER
from benchmarks.tower import COMPARISONS_BESIDE as BESIDE_THE_TOWER
from benchmarks.validation import WAYS
from benchmarks.validation_formats import FORMATS
from benchmarks.visible import COMPARISONS as VISIBLE

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
QUICK_SECONDS_MAX = 400  # servers and few events: 130 s on two cores, three times that on busy ones


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a quick run prints and writes."""
    out = tmp_path_factory.mktemp("bench") / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--quick", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=QUICK_SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(out.read_text())


def test_every_comparison_has_a_ratio_and_a_verdict(quick: tuple[str, dict[str, Any]]) -> None:
    printed, found = quick
    stage = {"stage", "stage, 100 events/s", "stage, memory", "stage, restore"}
    of_towers = (*TOWER, *BESIDE_THE_TOWER)
    later = {one.path for one in (*CODEC, *PROJECTION, *REBUILD, *VISIBLE, *of_towers)}
    reads = {f"FASTQ, {way}" for way in WAYS} | {*FORMATS}
    paths = {
        "append_bulk",
        "tail",
        "append_one",
        "get_by_key",
        "upload",
        "begin",
        *stage,
        *later,
        *reads,
    }
    assert {r["path"] for r in rows_of(found)} == paths
    for row in rows_of(found):
        assert row["ours_figure"] > 0
        assert row["anchor_figure"] > 0
        assert row["ratio"] > 0
        assert row["verdict"] in (("ok", "short") if row["target"] else ("info",))
        assert row["anchor"] in printed
    targets = {(row["path"], row["anchor"]): row["target"] for row in rows_of(found)}
    assert targets["append_bulk", "aiokafka send + fastavro"] == "≥ 0.8"
    assert targets["tail", "aiokafka getmany + fastavro"] == "≥ 0.8"


def test_the_results_say_what_they_depend_on_and_name_no_machine(
    quick: tuple[str, dict[str, Any]],
) -> None:
    _, found = quick
    assert found["quick"] is True
    assert found["event"]["type"] == "FileLanded"
    assert 300 < found["event"]["bytes"] < 400
    assert {"python", "aiokafka", "confluent-kafka", "fastavro"} <= set(found["versions"])
    assert found["cpus"] >= 1
    assert "/" not in "".join(found["versions"].values())
    assert str(ROOT) not in json.dumps(found)
