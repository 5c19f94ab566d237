"""How a comparison becomes a row: what was measured never reads as nothing."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.contest import SECONDS, Comparison, row_of, table
from benchmarks.run import arguments, renewed
from genoflow.events.errors import Refused


@pytest.mark.parametrize(
    ("ours", "kept", "printed"),
    [(0.06, 0.002, "0.002"), (0.805, 0.027, "0.027"), (30.0, 1.0, "1.00"), (37.126, 1.24, "1.24")],
)
def test_a_small_ratio_keeps_two_figures(ours: float, kept: float, printed: str) -> None:
    comparison = Comparison("stage, restore", "worker", "the limit", SECONDS, target=1.0)
    row = row_of(comparison, {"worker": {SECONDS: ours}, "the limit": {SECONDS: 30.0}})
    assert row.ratio == kept
    assert row.verdict == ("ok" if ours <= 30.0 else "short")
    assert printed in table([row])


def test_a_path_is_renewed_only_beside_figures_of_the_same_kind() -> None:
    committed = _results({"tail": 1, "stage": 2})
    found = renewed(committed, _results({"stage": 3}))
    assert list(found["paths"].items()) == [("tail", 1), ("stage", 3)]
    with pytest.raises(Refused, match=r"versions was .*3\.11.*, and is .*3\.12.*make bench"):
        renewed(committed, {**_results({"stage": 3}), "versions": {"python": "3.12"}})


@pytest.mark.parametrize("words", [["--renew"], ["--only", "tail", "--renew", "--quick"]])
def test_only_a_whole_path_is_renewed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(words)
    assert "--renew goes with --only" in capsys.readouterr().err


def _results(paths: dict[str, int]) -> dict[str, Any]:
    return {
        "quick": False, "rounds": 3, "cpus": 2, "event": {"bytes": 356},
        "versions": {"python": "3.11"}, "paths": paths,
    }  # fmt: skip
