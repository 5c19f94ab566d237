"""Charts of quality out of a seed: how soon a planted shift is found, and how often none was.

`python -m benchmarks.quality` prints both and writes them into docs/quality.md. Minutes.
`--seed N` plays another seed and writes nothing.

A run's value has three parts: the level of its chart, an effect of the run, and the noise of its
samples, of which the median is taken. Small runs have one to three samples, so their values are
noisier. Effects of runs are skewed where those of real metrics are, and one run of a hundred is
wild: four to ten sigma away. A shift is 1.5 times sigma of the run's value, without the wild ones.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median, stdev

from genoflow.processors.watchtower.charts import (
    RUNS_MIN,
    Chart,
    Rule,
    Sides,
    fold,
    in_unit,
    on_scale,
)
from genoflow.processors.watchtower.runs import CHARTED
from tools.marks import between

PAGE = Path(__file__).resolve().parents[1] / "docs" / "quality.md"
BEGIN = "<!-- made by `python -m benchmarks.quality` -->"
END = "<!-- end of what is made -->"

HISTORIES = 100
HISTORIES_MORE = 1_000  # of a hundred, one or two more or less are chance
SHIFT_SIGMAS = 1.5
WITHIN_RUNS = 20
# Behind which run the shift is planted: the two hard cases, and a chart that knows its instrument.
BEHIND = ((RUNS_MIN, RUNS_MIN), (40, 40), (60, 200))
LABS, YEARS = 10, 5  # each lab begins with empty charts
RUNS_A_YEAR = 1_000
INSTRUMENTS = {"A01": ("v1", "v1.5"), "A02": ("v1.5",), "M01": ("v2", "v3"), "X01": ("xleap",)}
ASSAYS = ("wgs", "wes", "panel")
TWO_ASSAYS = 0.5  # of all runs
WILD = 0.01


@dataclass(frozen=True, slots=True)
class Law:
    """How a metric is made: level and noise on the scale of its chart."""

    level: float  # in the metric's own unit
    run_sigma: float
    sample_sigma: float
    skew: int = 0  # 1 or -1: the long tail of a run's effect; 0 has none


LAWS = {
    "q30_fraction": Law(0.92, 0.14, 0.12, -1),
    "bases": Law(3e9, 0.15, 0.30),
    "mean_coverage": Law(35.0, 0.12, 0.20),
    "ti_tv": Law(2.05, 0.006, 0.012),
    "duplicate_fraction": Law(0.11, 0.20, 0.22, 1),
    "contamination": Law(0.003, 0.25, 0.60, 1),
}


def samples_of(source: Random) -> int:
    """How many samples a run has of one assay: a fifth of the runs have one to three."""
    few, some = source.random() < 0.2, source.random() < 0.6
    return source.randint(1, 3) if few else source.randint(4, 16 if some else 48)


def effect(source: Random, law: Law, is_wild: bool) -> float:
    """What a run does to all of its samples, in sigma of such effects."""
    found = source.gauss(0.0, 1.0)
    if law.skew:  # a gamma distribution of shape 8 has a skewness of 0.7
        found = law.skew * (source.gammavariate(8.0, 1.0) - 8.0) / 8.0**0.5
    if is_wild:
        found += source.choice((-1, 1)) * source.uniform(4.0, 10.0)
    return found


def values(source: Random, rule: Rule, shift: float = 0.0, wild: float = WILD) -> list[float]:
    """The values of one run's samples; a shift is in units of the chart's scale."""
    law = LAWS[rule.metric]
    level = on_scale(law.level, rule) + shift
    level += law.run_sigma * effect(source, law, source.random() < wild)
    # No share is above 1, and of nothing there is less than none.
    most = 1.0 if rule.unit == "fraction" else float("inf")
    return [
        max(0.0, min(in_unit(level + source.gauss(0.0, law.sample_sigma), rule), most))
        for _ in range(samples_of(source))
    ]


def value(source: Random, rule: Rule, shift: float = 0.0, wild: float = WILD) -> float:
    """The value of one run."""
    return median(values(source, rule, shift, wild))


@functools.cache
def sigma_of_runs(rule: Rule) -> float:
    """Sigma of a run's value on the scale of its chart, from 4,000 runs without wild ones."""
    source = Random(f"sigma/{rule.metric}")
    return stdev(on_scale(value(source, rule, wild=0.0), rule) for _ in range(4_000))


def directions(rule: Rule) -> tuple[str, ...]:
    """The directions in which a metric is told."""
    return ("up",) if rule.sides is Sides.UP else ("up", "down")


@dataclass(slots=True)
class Found:
    """What came of histories with a shift."""

    behind: tuple[int, int]
    histories: int = 0
    delays: list[int] = field(default_factory=list)

    @property
    def told(self) -> str:
        """How many were found, and the median of runs that it took."""
        middle = f"{median(self.delays):g}" if self.delays else "none"
        return f"{len(self.delays)}, {middle}"


def planted(rule: Rule, way: str, behind: tuple[int, int], seed: int, histories: int) -> Found:
    """Histories with a shift behind one of these runs.

    A chart that is raised before it has missed it, though nobody could see that in a lab.
    """
    found = Found(behind)
    for number in range(histories):
        source = Random(f"{rule.metric}/{way}/{behind}/{seed}/{number}")
        runs, chart = source.randint(*behind), Chart()
        shift = SHIFT_SIGMAS * sigma_of_runs(rule) * (1 if way == "up" else -1)
        for run in range(runs):
            chart, _ = fold(chart, f"R{run}", value(source, rule), rule)
        found.histories += 1
        for run in range(WITHIN_RUNS):
            chart, alarm = fold(chart, f"S{run}", value(source, rule, shift), rule)
            if alarm is not None and alarm.direction == way:
                found.delays.append(run + 1)
                break
    return found


@dataclass(slots=True)
class Quiet:
    """Alarms of labs in which nothing shifted."""

    years: int = 0
    points: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    in_first_year: int = 0

    @property
    def a_year(self) -> float:
        """False alarms of all charts together in a year."""
        return self.alarms.total() / self.years


def quiet(seed: int, labs: int, years: int) -> Quiet:
    """Labs with all of their charts, for some years of 1,000 runs, in which nothing shifts."""
    found = Quiet(years=labs * years)
    for lab in range(labs):
        source = Random(f"quiet/{seed}/{lab}")
        charts: dict[tuple[str, ...], Chart] = {}
        for run in range(years * RUNS_A_YEAR):
            instrument = source.choice(tuple(INSTRUMENTS))
            chemistry = source.choice(INSTRUMENTS[instrument])
            assays = source.sample(ASSAYS, 2 if source.random() < TWO_ASSAYS else 1)
            for assay in assays:
                for rule in CHARTED:
                    name = (instrument, chemistry, assay, rule.of, rule.metric)
                    before = charts.get(name, Chart())
                    charts[name], alarm = fold(before, f"R{run}", value(source, rule), rule)
                    found.points += 1
                    if alarm is not None:
                        found.alarms[rule.metric] += 1
                        found.in_first_year += run < RUNS_A_YEAR
    return found


def rows(seed: int, histories: int = HISTORIES, rules: Sequence[Rule] = CHARTED) -> Iterator[str]:
    """A row of the page's table for each metric and direction."""
    for rule in rules:
        for way in directions(rule):
            cells = [planted(rule, way, behind, seed, histories).told for behind in BEHIND]
            yield f"| `{rule.metric}` of {rule.of} | {way} | {' | '.join(cells)} |"


def _shares(seed: int) -> Iterator[str]:
    for rule in CHARTED:
        for way in directions(rule):
            found = planted(rule, way, BEHIND[-1], seed, HISTORIES_MORE)
            yield f"{len(found.delays) / found.histories:.1%}"


def through_events(seed: int, histories: int = 10) -> str:
    """Whether a tower that is told the runs as events says what the chart alone says."""
    # They are told with values of this module, so they cannot be there before it.
    from tests.quality_histories import history, run_name, shifted_values
    from tests.quality_lab import Lab
    from tests.tower_rules import DRIFT, rules

    rule, told, alarms, same, deaths = CHARTED[0], 0, 0, 0, 0
    for number in range(histories):
        shift = -SHIFT_SIGMAS * sigma_of_runs(rule)
        runs = shifted_values(seed * 1_000 + number, rule, 60, WITHIN_RUNS, shift)
        chart, found = Chart(), []
        for run, one in enumerate(runs):
            chart, alarm = fold(chart, run_name(run), median(one), rule)
            found += [alarm] if alarm else []
        events = history(number, rule, runs)
        lab = Lab(rules(DRIFT), seed=number, deaths=0.05)
        asyncio.run(lab.play(events))
        said = [fact for kind, fact, _ in lab.told().values() if kind == "AlertRaised"]
        numbers = [{one["name"]: one["value"] for one in fact["figures"]} for fact in said]
        told, alarms, deaths = told + len(events), alarms + len(found), deaths + lab.deaths
        same += [(one.run, one.centre, one.statistic) for one in found] == [
            (fact["subject_key"], mine["centre"], mine["statistic"])
            for fact, mine in zip(said, numbers, strict=True)
        ]
    return (
        f"{histories} histories of `{rule.metric}` that falls, told as {told:,} events to a tower "
        f"that died {deaths} times in its writing: {alarms} alarms of the chart alone, and in "
        f"{same} histories the same alerts, once by their ids."
    )


def tables(seed: int) -> str:
    """What stands between the two marks of the page."""
    still = quiet(seed, LABS, YEARS)
    by_metric = ", ".join(f"{one.metric} {still.alarms[one.metric]}" for one in CHARTED)
    return "\n".join([
        BEGIN,
        "",
        f"Found within {WITHIN_RUNS} runs, of {HISTORIES} histories with a shift of "
        f"{SHIFT_SIGMAS} sigma, and the median of the runs that it took:",
        "",
        f"| metric | shift | behind run 20 | behind run 40 | behind run 60 to 200 | the last, of "
        f"{HISTORIES_MORE:,} |",
        "|---|---|---:|---:|---:|---:|",
        *(f"{row} {share} |" for row, share in zip(rows(seed), _shares(seed), strict=True)),
        "",
        through_events(seed),
        "",
        f"{LABS} labs of {YEARS} years, {RUNS_A_YEAR:,} runs a year, {still.points:,} points of "
        f"all charts, and nothing shifts: {still.alarms.total()} false alarms, "
        f"**{still.a_year:.2f} a year** ({by_metric}), {still.in_first_year} of them in the "
        f"{LABS} first years.",
        "",
        END,
    ])  # fmt: skip


def main() -> None:
    """Play all, print it, and write it into the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.quality")
    parser.add_argument("--seed", type=int)
    seed = parser.parse_args().seed
    found = tables(1 if seed is None else seed)
    print(found)
    if seed is None:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(between(page, PAGE, BEGIN, END, found), encoding="utf-8")


if __name__ == "__main__":
    main()
