"""A measured value on a scale where normal noise is even, and how unusual it is there.

Of a chart's early runs neither mean nor sigma is known. Where both are learned from n runs, the
distance of the next one follows Student's t with n - 1 degrees of freedom. What has the same
probability in a normal distribution is its score: independent of those before it, with mean 0 and
sigma 1, whatever the true mean and sigma are (Quesenberry's Q, on which Hawkins builds).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

NORMAL = NormalDist()
STEPS_MAX = 500  # the fraction needs some sqrt(df) steps: 500 are enough for 100,000 runs
CLOSE = 1e-14  # where another step of the fraction changes nothing that a double can hold
TINY = 1e-300  # no probability is asked for below it, and no division is by 0


def log_of(value: float, offset: float) -> float:
    """A yield, a depth or a ratio, whose noise is a share of it; the offset is worth nothing."""
    return log(max(value, 0.0) + offset)


def from_log(score: float, offset: float) -> float:
    """The value of which `log_of` makes this."""
    return exp(score) - offset


def logit_of(value: float, offset: float) -> float:
    """A fraction, whose noise gets smaller towards both its ends."""
    inside = min(max(value, 0.0), 1.0)
    return log((inside + offset) / (1.0 - inside + offset))


def from_logit(score: float, offset: float) -> float:
    """The fraction of which `logit_of` makes this."""
    odds = exp(score)
    return (odds * (1.0 + offset) - offset) / (1.0 + odds)


def normal_score(t: float, df: float) -> float:
    """The value of a normal distribution that is as improbable as t with these degrees of freedom.

    The smaller tail is counted, not 1 less the larger one, so that far values keep their digits.
    """
    tail = max(t_tail(abs(t), df), TINY)
    score = -NORMAL.inv_cdf(tail) if tail < 0.5 else 0.0
    return score if t >= 0 else -score


def t_tail(t: float, df: float) -> float:
    """The probability that Student's t is above t, for t of 0 or more."""
    return 0.5 * incomplete_beta(df / (df + t * t), df / 2, 0.5)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by the continued fraction that converges there."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's method: numerator and denominator are kept as ratios, so that neither overflows."""
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    found = d
    for m in range(1, STEPS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = 1.0 / _not_zero(1.0 + part * d)
            c = _not_zero(1.0 + part / c)
            found *= c * d
        if abs(c * d - 1.0) < CLOSE:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def spread_of(squares: float, runs: int) -> float:
    """Sigma of so many values, by the sum of their squared distances from their mean."""
    return sqrt(squares / (runs - 1)) if runs > 1 else 0.0
