"""Charts of quality: silent at first, found shifts, wild runs, and alarms that are given once."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from random import Random

import pytest

from benchmarks.quality import (
    BEGIN,
    END,
    HISTORIES,
    PAGE,
    directions,
    planted,
    quiet,
    rows,
    sigma_of_runs,
    value,
)
from genoflow.events.errors import Refused
from genoflow.processors.watchtower.charts import (
    LIMIT,
    RUNS_MIN,
    SCORE_MAX,
    SLACK_SIGMAS,
    Alarm,
    Chart,
    Rule,
    fold,
    in_unit,
    on_scale,
    restarted,
)
from genoflow.processors.watchtower.runs import CHARTED, READS, RULES

Q30, YIELD = RULES[READS, "q30_fraction"], RULES[READS, "bases"]
DUPLICATES = next(one for one in CHARTED if one.metric == "duplicate_fraction")


def q30(source: Random, shift_sigmas: float = 0.0) -> float:
    return in_unit(2.5 + 0.1 * (source.gauss(0, 1) + shift_sigmas), Q30)


def folded(
    chart: Chart, values: Iterable[float], rule: Rule = Q30, name: str = "R"
) -> tuple[Chart, list[Alarm]]:
    alarms = []
    for number, one in enumerate(values):
        chart, alarm = fold(chart, f"{name}{number}", one, rule)
        alarms += [alarm] if alarm else []
    return chart, alarms


def settled(seed: int, runs: int = 120) -> tuple[Chart, Random]:
    source = Random(seed)
    chart, alarms = folded(Chart(), (q30(source) for _ in range(runs)))
    assert alarms == []
    return chart, source


def test_a_shift_is_told_with_the_numbers_of_the_chart() -> None:
    chart, source = settled(1)
    chart, (alarm,) = folded(chart, (q30(source, -3.0) for _ in range(12)), name="S")
    assert (alarm.direction, alarm.limit) == ("down", LIMIT)
    assert alarm.statistic > LIMIT
    # The run before happened to be low, so the estimate is one run early.
    assert alarm.first_run == "R119"
    assert alarm.run == f"S{alarm.runs_shifted - 2}"
    assert alarm.centre == pytest.approx(in_unit(2.5, Q30), abs=0.005)
    assert alarm.low < alarm.centre < alarm.high
    assert alarm.sigma == pytest.approx(0.1, rel=0.2)
    assert 110 <= alarm.runs <= 120 + alarm.runs_shifted
    # What counts of a wild run ends at 2 sigma, so a size above that is told as about 2.
    assert -SCORE_MAX - 0.3 < alarm.shift_sigmas < -1.5
    assert alarm.level_sigmas < -1


def test_no_alarm_before_twenty_runs_whatever_happens() -> None:
    for seed in range(20):
        source = Random(seed)
        first = [q30(source) for _ in range(8)]
        then = [q30(source, 30.0) for _ in range(RUNS_MIN - 9)]
        chart, alarms = folded(Chart(), first + then)
        assert (alarms, chart.runs) == ([], RUNS_MIN - 1)
        assert [chart.up.is_raised, chart.down.is_raised] == [False, False]


def test_one_wild_run_is_no_alarm_and_hides_none() -> None:
    chart, source = settled(12)
    wild, alarms = folded(chart, [q30(source, -40.0)], name="W")
    assert alarms == []
    assert wild.down.score <= chart.down.score + SCORE_MAX - SLACK_SIGMAS + 1e-9
    _, found = folded(wild, (q30(source, 2.0) for _ in range(20)), name="S")
    assert [one.direction for one in found] == ["up"]


def test_a_wild_run_among_the_first_makes_sigma_no_wider() -> None:
    source = Random(3)
    values = [q30(source) for _ in range(40)]
    plain, _ = folded(Chart(), values)
    spoilt, _ = folded(Chart(), [*values[:4], q30(source, -50.0), *values[5:]])
    plain_squares, spoilt_squares = plain.learned.squares, spoilt.learned.squares
    assert spoilt_squares < 1.7 * plain_squares


def test_a_shift_that_stays_is_told_once_and_ends_when_it_is_mended() -> None:
    chart, source = settled(4)
    before = chart.learned
    chart, alarms = folded(chart, (q30(source, -2.0) for _ in range(300)), name="S")
    assert [one.direction for one in alarms] == ["down"]
    assert chart.down.is_raised
    # Nothing is learned of it: the normal is what it was.
    assert chart.learned.mean == pytest.approx(before.mean, abs=0.04)
    chart, alarms = folded(chart, (q30(source) for _ in range(60)), name="M")
    assert alarms == []
    assert not chart.down.is_raised
    _, alarms = folded(chart, (q30(source, -2.0) for _ in range(25)), name="T")
    assert len(alarms) == 1


def test_a_restarted_chart_takes_the_new_level_for_normal() -> None:
    chart, source = settled(5)
    chart, alarms = folded(chart, (q30(source, -2.5) for _ in range(15)), name="S")
    assert len(alarms) == 1
    chart = restarted(chart)
    assert (chart.runs, chart.down.is_raised) == (0, False)
    chart, alarms = folded(chart, (q30(source, -2.5) for _ in range(15)), name="S")
    assert (chart.runs, alarms) == (0, [])  # those it has seen
    chart, alarms = folded(chart, (q30(source, -2.5) for _ in range(100)), name="N")
    assert (chart.runs, alarms) == (100, [])


def test_a_run_that_comes_twice_changes_nothing() -> None:
    source = Random(6)
    chart = Chart()
    for number in range(60):
        one = q30(source)
        chart, _ = fold(chart, f"R{number}", one, Q30)
        assert fold(chart, f"R{number}", one, Q30) == (chart, None)
        assert fold(chart, f"R{max(0, number - 5)}", 0.1, Q30) == (chart, None)
    assert chart.runs == 60


def test_fewer_duplicates_are_no_alarm_and_more_are() -> None:
    for way, expected in ((-3.0, []), (3.0, ["up"])):
        source = Random(7)
        values = [exp(0.1 * source.gauss(0, 1)) * 0.1 for _ in range(80)]
        chart, _ = folded(Chart(), values, DUPLICATES)
        shifted = [0.1 * exp(0.1 * (source.gauss(0, 1) + way)) for _ in range(15)]
        _, alarms = folded(chart, shifted, DUPLICATES, "S")
        assert [one.direction for one in alarms] == expected


def test_a_metric_that_never_changes_has_a_chart_too() -> None:
    chart, alarms = folded(Chart(), [0.93] * 200)
    assert (alarms, chart.runs) == ([], 200)
    _, alarms = folded(chart, [0.5] * 10, name="S")
    assert len(alarms) == 1
    no_yield, alarms = folded(Chart(), [0.0] * 40, YIELD)
    assert (alarms, no_yield.runs) == ([], 40)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_with_its_run(bad: float) -> None:
    with pytest.raises(Refused, match=r"chart of q30_fraction: run R1 has .*; chart runs with"):
        fold(Chart(), "R1", bad, Q30)


def test_a_chart_is_small_and_comes_back_from_json() -> None:
    chart, source = settled(8, 1_000)
    text = chart.model_dump_json()
    assert len(text) < 2_000
    again = Chart.model_validate_json(text)
    assert again == chart
    one = q30(source)
    assert fold(again, "N", one, Q30) == fold(chart, "N", one, Q30)


def test_the_arithmetic_beside_the_limit_is_what_it_says() -> None:
    b = 2 * SLACK_SIGMAS * (LIMIT + 1.166)
    runs = (exp(b) - b - 1) / (2 * SLACK_SIGMAS**2)
    assert runs == pytest.approx(31_500, rel=0.005)
    sums = sum(len(directions(one)) for one in CHARTED)
    assert 1_000 * 1.5 * sums == 15_000
    assert 15_000 / runs == pytest.approx(0.48, abs=0.005)


def test_sigma_of_generated_runs_is_what_the_chart_learns() -> None:
    source = Random(9)
    for rule in CHARTED:
        chart, _ = folded(Chart(), (value(source, rule, wild=0.0) for _ in range(400)), rule)
        points = [on_scale(value(source, rule, wild=0.0), rule) for _ in range(400)]
        assert chart.learned.mean == pytest.approx(sum(points) / 400, abs=sigma_of_runs(rule) / 4)


def test_the_page_tells_what_a_seed_gives() -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = page[page.index(BEGIN) : page.index(END)]
    for row in rows(1, HISTORIES, (RULES[READS, "bases"],)):
        assert row in made


@pytest.mark.parametrize("rule", CHARTED, ids=lambda rule: rule.metric)
def test_a_planted_shift_is_found_within_twenty_runs(rule: Rule) -> None:
    for way in directions(rule):
        found = planted(rule, way, (100, 120), seed=12, histories=30)
        assert len(found.delays) >= 27  # 29 are expected
        assert 6 <= sorted(found.delays)[len(found.delays) // 2] <= 13


def test_two_quiet_years_of_a_lab_are_nearly_silent() -> None:
    found = quiet(seed=13, labs=1, years=2)
    assert found.points > 15_000
    assert found.alarms.total() <= 4  # 1.2 are expected: more is one case of a hundred
