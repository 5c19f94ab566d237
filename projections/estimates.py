"""How long something will take, with the span within which four of five like it end.

Learned from those that went before, and nothing else: no distribution is assumed.

1. A duration is told as a ratio to what was usual just before it: the middle of the fifteen before
   it, after the part is taken out that the size of the input explains. So a drift is followed.
2. The ratios of the newest sixty are the scores. Whatever ends next is as likely to fall between
   any two of them as between any other two, so their tenth and ninetieth percent are the span.
3. Of something that is under way, only scores count by which it would not be over yet.

`now` is given and no clock is read: the same history gives the same answer.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from math import exp, floor, isfinite, log
from statistics import median

SHARE = 0.8  # of those that end within the span
TAIL = (1 - SHARE) / 2
# Nine scores have a rank that one of ten falls below; with fewer there is no such span.
SCORES_MIN = 9
FIRST = 3  # runs before the first score: the middle of two is no middle
USUAL = 15  # runs by which it is told what is usual: more follow a drift too late
SCORES_MAX = 60
HISTORY_MAX = SCORES_MAX + USUAL
RUNS_MIN = FIRST + SCORES_MIN
SECONDS_MIN = 0.001  # below it a logarithm would be all noise
SPREAD_MIN = 1.25  # sizes that differ by less explain nothing
SLOPE_MAX = 1.5  # of the logarithms: some sort, and none of ours takes the square
SLOPE_RUNS_MAX = 40  # 780 pairs: 0.3 ms


@dataclass(frozen=True, slots=True)
class Past:
    """One that is over: how long it took, and how large its input was where that is known."""

    seconds: float
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no estimate, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """How long it takes in all: the middle, and between what four of five lie."""

    seconds: float
    low: float
    high: float
    runs: int  # from which it was learned

    def since(self, begun: datetime) -> Estimate:
        """The same as moments."""
        at, low, high = (
            begun + timedelta(seconds=round(one)) for one in (self.seconds, self.low, self.high)
        )
        return Estimate(at, low, high, self.runs)


@dataclass(frozen=True, slots=True)
class Estimate:
    """When something happens: the middle, and between which moments in four of five cases."""

    at: datetime
    low: datetime
    high: datetime
    runs: int


def span(history: Sequence[Past], size: float | None = None, waited: float = 0.0) -> Span | Unknown:
    """How long one of this size takes that has taken so long already; oldest first."""
    found = _totals(history, size, waited)
    return found if isinstance(found, Unknown) else _span(found, len(found))


def span_after(
    waits: Sequence[Past],
    history: Sequence[Past],
    size: float | None = None,
    waited: float = 0.0,
) -> Span | Unknown:
    """The same of one that has to wait first, and has waited so long already."""
    first, second = _totals(waits, None, waited), _totals(history, size, 0.0)
    if isinstance(first, Unknown):
        return first
    if isinstance(second, Unknown):
        return second
    return _span(sorted(a + b for a in first for b in second), min(len(first), len(second)))


def _totals(history: Sequence[Past], size: float | None, waited: float) -> list[float] | Unknown:
    """What it would take by each score, in order."""
    known = [one for one in history if isfinite(one.seconds)][-HISTORY_MAX:]
    if len(known) < RUNS_MIN:
        return Unknown(
            f"{len(known)} earlier ones like it are known, and {RUNS_MIN} are needed to say it"
        )
    slope = _slope(known, size)
    levels = [
        log(max(one.seconds, SECONDS_MIN)) - slope * log(one.size if slope and one.size else 1.0)
        for one in known
    ]
    usual = _middles(levels)
    now = usual[-1] + slope * log(size if slope and size else 1.0)
    scores = [level - middle for level, middle in zip(levels[FIRST:], usual[FIRST:-1], strict=True)]
    totals = sorted(exp(now + score) for score in scores[-SCORES_MAX:])
    left = totals[bisect_right(totals, waited) :]
    if len(left) < SCORES_MIN:
        return Unknown(
            f"it has taken longer already than {len(totals) - len(left)} of {len(totals)} earlier "
            f"ones like it would have"
        )
    return left


def _middles(levels: Sequence[float]) -> list[float]:
    """For each place, and for the one behind the last, the middle of the fifteen before it."""
    window: list[float] = []
    found = []
    for number in range(len(levels) + 1):
        if number > USUAL:
            window.remove(levels[number - 1 - USUAL])
        if number:
            insort(window, levels[number - 1])
        half = len(window) // 2  # it is in order already
        found.append((window[half] + window[~half]) / 2 if window else 0.0)
    return found


def _slope(history: Sequence[Past], size: float | None) -> float:
    """How the duration grows with the size: the middle of what pairs of runs say; 0 for not."""
    sizes = [one.size for one in history if one.size]
    if not size or len(sizes) < len(history) or max(sizes) < SPREAD_MIN * min(sizes):
        return 0.0
    points = [
        (log(one.size or 1.0), log(max(one.seconds, SECONDS_MIN)))
        for one in history[-SLOPE_RUNS_MAX:]
    ]
    slopes = [
        (y2 - y1) / (x2 - x1)
        for (x1, y1), (x2, y2) in combinations(points, 2)
        if abs(x2 - x1) > log(SPREAD_MIN) / 2
    ]
    return min(max(median(slopes), 0.0), SLOPE_MAX) if slopes else 0.0


def _span(totals: Sequence[float], runs: int) -> Span:
    return Span(median(totals), _ranked(totals, runs, TAIL), _ranked(totals, runs, 1 - TAIL), runs)


def _ranked(totals: Sequence[float], runs: int, share: float) -> float:
    """The value below which this share of those to come falls, between two ranks."""
    place = ((runs + 1) * share - 1) / (runs - 1) * (len(totals) - 1)
    place = min(max(place, 0.0), len(totals) - 1.0)
    below = floor(place)
    above = min(below + 1, len(totals) - 1)
    return totals[below] + (place - below) * (totals[above] - totals[below])
