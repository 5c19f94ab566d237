"""Scores of quality charts: the tails of Student's t, and scales that lead back."""

from __future__ import annotations

from math import atan, pi
from random import Random

import pytest

from genoflow.processors.watchtower.scores import (
    NORMAL,
    from_log,
    from_logit,
    incomplete_beta,
    log_of,
    logit_of,
    normal_score,
    spread_of,
    t_tail,
)


# From printed tables of Student's t: degrees of freedom, t, and the tail above it.
@pytest.mark.parametrize(
    ("df", "t", "tail"),
    [(2, 2.920, 0.05), (5, 2.015, 0.05), (10, 2.764, 0.01), (30, 3.646, 0.0005),
     (120, 3.160, 0.001)],
)  # fmt: skip
def test_tails_are_those_of_the_tables(df: int, t: float, tail: float) -> None:
    assert t_tail(t, df) == pytest.approx(tail, rel=2e-3)


@pytest.mark.parametrize("t", [0.0, 1e-6, 0.3, 1.0, 2.5, 40.0, 1e6])
def test_tails_are_exact_where_a_formula_is_known(t: float) -> None:
    assert t_tail(t, 1) == pytest.approx(0.5 - atan(t) / pi, rel=1e-9, abs=1e-12)
    two = 0.5 - t / (2 * (2 + t * t) ** 0.5)
    assert t_tail(t, 2) == pytest.approx(two, rel=1e-6, abs=1e-12)


def test_with_many_runs_a_score_is_the_distance_itself() -> None:
    for t in (-6.0, -2.0, -1e-3, 0.0, 0.7, 3.0, 8.0):
        assert normal_score(t, 1e6) == pytest.approx(t, abs=1e-3)
    assert normal_score(2.0, 4) < normal_score(2.0, 40) < 2.0


def test_scores_are_even_and_grow_and_stay_finite_however_far_a_value_is() -> None:
    far = [normal_score(t, 19) for t in (0.0, 1.0, 5.0, 50.0, 1e9, 1e200)]
    assert far == sorted(far)
    assert far[-1] == pytest.approx(-NORMAL.inv_cdf(1e-300))
    assert normal_score(-3.0, 7) == -normal_score(3.0, 7)
    assert (incomplete_beta(0.0, 2, 3), incomplete_beta(1.0, 2, 3)) == (0.0, 1.0)


def test_scores_of_values_that_nobody_knows_are_normal_and_independent() -> None:
    """The first scores of 4,000 charts, each with a mean and a sigma of its own."""
    source, scores = Random(5), []
    for _ in range(4_000):
        level, sigma = source.uniform(-50, 50), source.uniform(0.1, 9)
        values = [source.gauss(level, sigma) for _ in range(6)]
        row = []
        for n in (4, 5):
            mean = sum(values[:n]) / n
            squares = sum((one - mean) ** 2 for one in values[:n])
            off = (values[n] - mean) / (spread_of(squares, n) * (1 + 1 / n) ** 0.5)
            row.append(normal_score(off, n - 1))
        scores.append(row)
    flat = sorted(one for row in scores for one in row)
    for share in (0.01, 0.1, 0.5, 0.9, 0.99):
        below = NORMAL.cdf(flat[int(share * len(flat))])
        assert below == pytest.approx(share, abs=0.012)
    assert sum(a * b for a, b in scores) / len(scores) == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("value", [0.0, 0.001, 0.1, 0.5, 0.93, 1.0])
def test_a_fraction_comes_back_from_its_scale(value: float) -> None:
    assert from_logit(logit_of(value, 0.002), 0.002) == pytest.approx(value, abs=1e-12)
    assert from_log(log_of(value * 1e9, 1.0), 1.0) == pytest.approx(value * 1e9, abs=1e-3)


def test_what_is_outside_of_a_scale_counts_as_its_end() -> None:
    assert logit_of(1.2, 1e-6) == logit_of(1.0, 1e-6)
    assert logit_of(-0.1, 1e-6) == logit_of(0.0, 1e-6)
    assert log_of(-3.0, 1.0) == 0.0
