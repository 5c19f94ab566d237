"""docs/performance.md says what benchmarks/results.json holds, and a full run made it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.append_bulk import COMPARISONS as BULK
from benchmarks.append_one import COMPARISONS as ONE
from benchmarks.columns import COMPARISONS as CODEC
from benchmarks.contest import Comparison
from benchmarks.get_by_key import COMPARISONS as GET
from benchmarks.page import PAGE, RESULTS, refreshed, rows_of, tables
from benchmarks.projection import COMPARISONS as PROJECTION
from benchmarks.rebuild import COMPARISONS as REBUILD
from benchmarks.stage import COMPARISONS as STAGE
from benchmarks.stage_latency import COMPARISONS as STAGE_LATENCY
from benchmarks.stage_long import COMPARISONS as STAGE_LONG
from benchmarks.tail import COMPARISONS as TAIL
from benchmarks.tower import COMPARISONS as TOWER
from benchmarks.tower import COMPARISONS_BESIDE as BESIDE_THE_TOWER
from benchmarks.upload import COMPARISONS as UPLOAD
from benchmarks.validation import WAYS, programs
from benchmarks.validation import comparisons as of_reads
from benchmarks.validation_formats import FORMATS
from benchmarks.validation_formats import comparisons as of_format
from benchmarks.visible import COMPARISONS as VISIBLE


def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_the_page_shows_the_committed_results() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == refreshed(page, committed()), "run `python -m benchmarks.page`"
    assert page.count(tables(committed())) == 1


def test_the_results_are_those_of_a_full_run_with_every_comparison() -> None:
    found = committed()
    assert found["quick"] is False
    assert found["rounds"] >= 3
    stage = (*STAGE, *STAGE_LATENCY, *STAGE_LONG)
    reading = (*CODEC, *PROJECTION, *REBUILD, *VISIBLE)
    files = [*_files()]
    others = (*GET, *UPLOAD, *TOWER, *BESIDE_THE_TOWER)
    wanted = [_told(c) for c in (*BULK, *TAIL, *ONE, *stage, *reading, *files, *others)]
    assert [(r["path"], r["ours"], r["anchor"], r["unit"]) for r in rows_of(found)] == wanted


def _files() -> Iterator[Comparison]:
    """Beside every program: one that was not installed has no row, and is missed here."""
    anchors = tuple(programs(Path("reads"), Path("folder")))
    for way in WAYS:
        yield from of_reads(way, anchors)
    for form in FORMATS:
        yield from of_format(form)


def _told(one: Comparison) -> tuple[str, str, str, str]:
    return one.path, one.ours, one.anchor, one.unit


def test_every_ratio_and_verdict_follows_from_its_figures() -> None:
    for row in rows_of(committed()):
        ratio = row["ours_figure"] / row["anchor_figure"]
        assert abs(ratio - row["ratio"]) < min(0.02, 0.1 * ratio), row
        if row["target"]:
            sign, number = row["target"].split()
            reached = ratio >= float(number) if sign == "≥" else ratio <= float(number)
            assert row["verdict"] == ("ok" if reached else "short"), row


def test_the_results_name_no_machine() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|Users)/|\d+\.\d+\.\d+\.\d+", text)
