"""trio: variants of all three, and those of the child that are of neither parent."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.deploy.pipelines import PIPELINES
from tests.pipelines import Score, assert_stub_leaves_all, owed_of, tried


@pytest.mark.long
def test_what_is_new_in_a_child_is_told_from_what_it_inherited(tmp_path: Path) -> None:
    trial = tried("trio", tmp_path)
    planted = {name: trial.planted(name) for name in ("K1", "M1", "F1")}
    for name, places in planted.items():
        Score(places, trial.found(name)).holds()
    new = planted["K1"] - planted["M1"] - planted["F1"]
    assert len(new) == 12
    found = Score(new, trial.marked("DENOVO"))
    assert (found.recall, found.precision) == (1.0, 1.0), found
    assert trial.marked("MENDEL") == new, "no genotype is wrong"
    assert trial.measured("mendelian_errors") == {None: len(new)}
    assert trial.measured("de_novo_variants") == {None: len(new)}
    assert trial.measured("sex") == {"K1": "male", "M1": "female", "F1": "male"}
    assert trial.measured("relatedness") == {
        "K1/M1": "parent-child", "K1/F1": "parent-child", "M1/F1": "unrelated",
    }  # fmt: skip
    assert trial.left() == owed_of(PIPELINES["trio"], "K1", "M1", "F1")
    assert_stub_leaves_all("trio", trial, "K1", "M1", "F1")
