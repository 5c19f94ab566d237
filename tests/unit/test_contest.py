"""How a comparison becomes a row: what was measured never reads as nothing."""

from __future__ import annotations

import pytest

from benchmarks.contest import SECONDS, Comparison, row_of, table


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
