"""A chart of one metric over runs: it learns what is normal, and says when the level has shifted.

Each run gives one value. Its score says how unusual it is beside all runs before it
(`scores.normal_score`), and two sums of scores, one for each direction, say whether the level has
moved (CUSUM). An average of scores (EWMA) says where it stands now; it is told, and never alarms.

A chart is a value of a table: frozen, as JSON some 2 kB, and no longer after a thousand runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import isfinite
from statistics import median
from typing import NamedTuple

from genoflow.events.errors import Refused
from genoflow.events.types import Part
from genoflow.processors.watchtower.scores import (
    from_log,
    from_logit,
    log_of,
    logit_of,
    normal_score,
    spread_of,
)

# Below 20 runs a mean is known to a quarter of a sigma at best: nothing is said.
RUNS_MIN = 20
# The sum grows by what a score has above this. Half of the shift that has to be found (1.5 / 2)
# ends soonest; half a sigma leaves fewer out that need nearly all of their 20 runs.
SLACK_SIGMAS = 0.5
# What a score counts at most, and how far a value is learned from. A wild run adds 1.5 to a sum
# that needs 8.5, so six runs have to agree.
SCORE_MAX = 2.0
# Sigma of normal values of which those beyond 2 sigma count as 2: what was learned is told by it.
SPREAD_TAMED = 0.9594
# A sum for one direction reaches its limit falsely after (e^b - b - 1) / (2 * 0.5^2) runs on
# average, where b = 2 * 0.5 * (8.5 + 1.166) (Siegmund): 31,500. A lab of 1,000 runs a year with 1.5
# assays in each has ten sums for each of them (`runs.CHARTED`: four metrics both ways, two one
# way), which are 15,000 steps a year: 0.48 false alarms, of which one is allowed. Scores end at 2,
# which makes them fewer; tails, and what waits, make them more: docs/quality.md has the count.
LIMIT = 8.5
# From here on what looks shifted waits, and is learned when the sum falls again: otherwise the
# chart would take the shift for normal while it looks. A chart that knows few runs cannot wait: it
# would find shifts that are none.
WAITS_ABOVE = LIMIT / 2
WAITS_FROM_RUNS = 40
# In the first runs a value that is further from the middle counts as if it were this far.
FIRST_SIGMAS_MAX = 3.5
MAD_TO_SIGMA = 1.4826  # of a normal distribution
EWMA_WEIGHT = 0.2  # the last ten runs have nine tenths of the weight
# Names of runs that were charted last, so that a repetition changes nothing. Longer than any tail
# that is delivered again, which is one commit's.
SEEN_MAX = 20


class Scale(StrEnum):
    """Where the noise of a metric is even."""

    LOG = "log"
    LOGIT = "logit"


class Sides(StrEnum):
    """Which direction of a metric is told."""

    BOTH = "both"
    UP = "up"


class Rule(NamedTuple):
    """How one metric is charted."""

    metric: str
    of: str  # reads, or results
    unit: str
    scale: Scale
    sides: Sides
    offset: float  # on the metric's own scale; differences much below it are no difference
    sigma_min: float  # on the scale: a metric that hardly ever changes is not told of a hair


class Learned(Part):
    """Count, mean and squared distances of values on the scale."""

    runs: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def with_value(self, value: float) -> Learned:
        """With one more."""
        runs, off = self.runs + 1, value - self.mean
        mean = self.mean + off / runs
        return Learned(runs=runs, mean=mean, squares=self.squares + off * (value - mean))

    def joined(self, other: Learned) -> Learned:
        """With all that another has."""
        runs = self.runs + other.runs
        if not other.runs:
            return self
        off = other.mean - self.mean
        return Learned(
            runs=runs,
            mean=self.mean + off * other.runs / runs,
            squares=self.squares + other.squares + off * off * self.runs * other.runs / runs,
        )


class Sum(Part):
    """What speaks for a shift in one direction, since nothing did."""

    score: float = 0.0
    since: str | None = None  # the run with which it began to grow
    runs: int = 0
    total: float = 0.0  # of their values on the scale
    is_raised: bool = False


class First(Part):
    """A run before there are enough of them."""

    run: str
    value: float


class Chart(Part):
    """What is known of one metric on one instrument, with one chemistry and for one assay."""

    first: tuple[First, ...] = ()  # until there are RUNS_MIN of them
    learned: Learned = Learned()
    waiting: Learned = Learned()
    up: Sum = Sum()
    down: Sum = Sum()
    level: float = 0.0  # the EWMA of scores, in sigma
    runs: int = 0  # all that were charted
    seen: tuple[str, ...] = ()


class Alarm(Part):
    """A level has shifted, with the numbers of the chart that says so."""

    direction: str  # up or down
    run: str  # the one with which the limit was passed
    value: float  # of that run, in the unit of the metric
    centre: float  # what is normal, in the same unit
    low: float  # one sigma below the centre
    high: float  # one sigma above it
    sigma: float  # on the scale of the chart
    statistic: float
    limit: float
    runs: int  # from which centre and sigma were learned
    first_run: str  # since when the level has been another, as far as can be told
    runs_shifted: int  # from that run on
    shift_sigmas: float  # their mean less the centre
    level_sigmas: float  # the EWMA


def fold(chart: Chart, run: str, value: float, rule: Rule) -> tuple[Chart, Alarm | None]:
    """The chart with one more run, and an alarm where its level is found to have shifted now.

    A run that was charted among the last ones changes nothing. An alarm is given once: its
    direction stays raised until its sum is back at 0, or until somebody restarts the chart.
    """
    if not isfinite(value):
        raise Refused(f"chart of {rule.metric}: run {run} has {value}; chart runs with a number")
    if run in chart.seen:
        return chart, None
    seen = (*chart.seen, run)[-SEEN_MAX:]
    point = First(run=run, value=on_scale(value, rule))
    if chart.runs < RUNS_MIN - 1:
        kept = {"first": (*chart.first, point), "runs": chart.runs + 1, "seen": seen}
        return chart.model_copy(update=kept), None
    if chart.first:  # now there are enough: they are charted in their order, the wild ones tamed
        for one in _tamed((*chart.first, point)):
            chart = _one_more(chart, one, rule)
        chart = chart.model_copy(update={"first": (), "runs": RUNS_MIN})
    else:
        chart = _one_more(chart, point, rule)
        chart = chart.model_copy(update={"runs": chart.runs + 1})
    chart, alarm = _raised(chart, run, value, rule)
    return chart.model_copy(update={"seen": seen}), alarm


def restarted(chart: Chart) -> Chart:
    """An empty chart in its place: what comes is the normal from here on.

    A person says so, after a repair, a new lot or a new version. It knows the runs that it has
    seen, so that none of them counts for it.
    """
    return Chart(seen=chart.seen)


def on_scale(value: float, rule: Rule) -> float:
    """The value where its noise is even."""
    of = logit_of if rule.scale is Scale.LOGIT else log_of
    return of(value, rule.offset)


def in_unit(point: float, rule: Rule) -> float:
    """What `on_scale` made this of."""
    of = from_logit if rule.scale is Scale.LOGIT else from_log
    return of(point, rule.offset)


def sigma_of(chart: Chart, rule: Rule) -> float:
    """Sigma of a run's value on the scale, as far as the chart has learned it."""
    spread = spread_of(chart.learned.squares, chart.learned.runs)
    tamed = SPREAD_TAMED if chart.learned.runs > RUNS_MIN else 1.0
    return max(spread / tamed, rule.sigma_min)


def _tamed(points: Sequence[First]) -> list[First]:
    """The first runs, with those that are far from their middle brought nearer.

    Until here no mean is known that one wild run would not have moved.
    """
    middle = median(one.value for one in points)
    sigma = MAD_TO_SIGMA * median(abs(one.value - middle) for one in points)
    if not sigma:  # most of them are the same, so what is far cannot be told
        return list(points)
    low, high = middle - FIRST_SIGMAS_MAX * sigma, middle + FIRST_SIGMAS_MAX * sigma
    return [First(run=one.run, value=min(max(one.value, low), high)) for one in points]


def _one_more(chart: Chart, point: First, rule: Rule) -> Chart:
    learned, value, score = chart.learned, point.value, 0.0
    if learned.runs > 2:
        sigma = sigma_of(chart, rule) * (1 + 1 / learned.runs) ** 0.5
        score = normal_score((value - learned.mean) / sigma, learned.runs - 1)
        if abs(score) > SCORE_MAX:  # what is learned of a wild run is tamed as well
            score = SCORE_MAX if score > 0 else -SCORE_MAX
            value = learned.mean + sigma * score
    up, down = _grown(chart.up, score, point, value), _grown(chart.down, -score, point, value)
    if rule.sides is Sides.UP:
        down = chart.down
    waiting = chart.waiting.with_value(value)
    if (chart.up.is_raised and not up.is_raised) or (chart.down.is_raised and not down.is_raised):
        waiting = Learned()  # that level was not the normal one
    waits = learned.runs >= WAITS_FROM_RUNS and max(up.score, down.score) > WAITS_ABOVE
    if not (waits or up.is_raised or down.is_raised):
        learned, waiting = learned.joined(waiting), Learned()
    level = (1 - EWMA_WEIGHT) * chart.level + EWMA_WEIGHT * score
    return chart.model_copy(
        update={"learned": learned, "waiting": waiting, "up": up, "down": down, "level": level}
    )


def _grown(before: Sum, score: float, point: First, value: float) -> Sum:
    now = before.score + score - SLACK_SIGMAS
    if now <= 0:
        return Sum()
    return Sum(
        # Of a raised one no more is added, so that as many good runs end it as it took.
        score=min(now, LIMIT) if before.is_raised else now,
        since=before.since or point.run,
        runs=before.runs + 1,
        total=before.total + value,
        is_raised=before.is_raised,
    )


def _raised(chart: Chart, run: str, value: float, rule: Rule) -> tuple[Chart, Alarm | None]:
    for name, sums in (("up", chart.up), ("down", chart.down)):
        if sums.score <= LIMIT or sums.is_raised:
            continue
        sigma, mean = sigma_of(chart, rule), chart.learned.mean
        alarm = Alarm(
            direction=name,
            run=run,
            value=value,
            centre=in_unit(mean, rule),
            low=in_unit(mean - sigma, rule),
            high=in_unit(mean + sigma, rule),
            sigma=sigma,
            statistic=sums.score,
            limit=LIMIT,
            runs=chart.learned.runs,
            first_run=sums.since or run,
            runs_shifted=sums.runs,
            shift_sigmas=(sums.total / sums.runs - mean) / sigma,
            level_sigmas=chart.level,
        )
        raised = sums.model_copy(update={"is_raised": True, "score": LIMIT})
        return chart.model_copy(update={name: raised}), alarm
    return chart, None
