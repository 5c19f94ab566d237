"""somatic: what a tenth to a third of the tumour's reads show, and none of the normal's."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.deploy.pipelines import PIPELINES
from tests.pipelines import Score, assert_stub_leaves_all, is_snv, owed_of, tried


@pytest.mark.long
def test_variants_of_some_cells_are_found_and_what_was_inherited_is_not_one_of_them(
    tmp_path: Path,
) -> None:
    trial = tried("somatic", tmp_path)
    inherited = trial.planted("N1")
    of_tumour = trial.planted("T1") - inherited
    assert {is_snv(place) for place in of_tumour} == {True, False}
    marked = trial.marked("SOMATIC")
    Score(of_tumour, marked).holds()
    assert not marked & inherited
    Score(inherited, trial.found("N1")).holds()
    assert trial.measured("somatic_variants") == {None: len(marked)}
    assert trial.measured("relatedness") == {"T1/N1": "same"}
    assert trial.left() == owed_of(PIPELINES["somatic"], "T1", "N1")
    assert_stub_leaves_all("somatic", trial, "T1", "N1")
