"""panel: variants within the targets alone, and how well each target is covered."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from genoflow.deploy.pipelines import PIPELINES
from tests.pipelines import Place, Score, assert_stub_leaves_all, owed_of, tried


@pytest.mark.long
def test_the_variants_of_the_targets_are_found_and_no_others(tmp_path: Path) -> None:
    trial = tried("panel", tmp_path)
    with (trial.folder / "targets.bed").open(encoding="ascii") as lines:
        regions = [(name, int(start), int(end)) for name, start, end, _ in map(str.split, lines)]

    def within(place: Place) -> bool:
        return any(place[0] == name and start < place[1] <= end for name, start, end in regions)

    planted = trial.planted("S1")
    inside = {place for place in planted if within(place)}
    assert len(inside) < len(planted), "and some lie beside the targets"
    Score(inside, trial.found("S1")).holds(planted_min=3)
    with (trial.results / "targets/S1/S1.targets.tsv").open(encoding="utf-8") as table:
        rows = [*csv.DictReader(table, delimiter="\t")]
    assert [(one["contig"], int(one["start"]), int(one["end"])) for one in rows] == regions
    assert min(float(one["depth_mean"]) for one in rows) > 20
    wide = sum(one["breadth_20x"] == "1.0000" for one in rows) / len(rows)
    assert trial.measured("targets_covered_fraction") == {"S1": wide}
    # Fragments hang over the ends of what a probe catches.
    assert 0.4 < trial.measured("on_target_fraction")["S1"] < 0.8
    assert trial.left() == owed_of(PIPELINES["panel"], "S1")
    assert_stub_leaves_all("panel", trial, "S1")
