"""germline: what was planted in one sample is found, and all that is owed is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.deploy.pipelines import PIPELINES
from genoflow.processors.running.engine import NotDone
from tests.pipelines import Score, again, assert_stub_leaves_all, owed_of, tried


def test_inherited_variants_are_found_and_the_results_are_whole(tmp_path: Path) -> None:
    trial = tried("germline", tmp_path)
    score = Score(trial.planted("S1"), trial.found("S1"))
    score.holds()
    assert trial.left() == owed_of(PIPELINES["germline"], "S1")
    assert (trial.tasks.completed, trial.tasks.failed) == (9, 0)
    assert trial.measured("sex") == {"S1": "female"}
    assert trial.measured("variants") == {None: len(score.found)}
    assert 25 < trial.measured("mean_coverage")["S1"] < 33
    assert 0.03 < trial.measured("duplicate_fraction")["S1"] < 0.08
    assert 240 < trial.measured("insert_size_mean")["S1"] < 280
    assert trial.measured("mismatch_fraction")["S1"] < 0.02
    stats = (trial.results / "stats/_case/C1.stats.txt").read_text()
    assert f"number of records:\t{len(score.found)}\n" in stats
    assert "raw total sequences:" in (trial.results / "qc/S1/S1.stats.txt").read_text()
    assert_stub_leaves_all("germline", trial, "S1")
    # Without a file a row says nothing, and it is told which.
    (tmp_path / "germline/samples.tsv").write_text("sample\tread_set\tr1\nS1\tS1.L1\t\n")
    with pytest.raises(NotDone, match="Nextflow ended with exit code 1"):
        again("germline", tmp_path / "germline")
    said = (tmp_path / "germline/.nextflow.log").read_text()
    assert "samples.tsv, line 2: S1 has no file; name one in r1 or alignment or variants" in said
