"""From samples to a run's value: medians, lanes, top-ups, late samples and repetitions."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events.measured import Measured
from genoflow.events.measurement import Measurement
from genoflow.events.metric_registry import METRICS
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.processors.watchtower.charts import Alarm
from genoflow.processors.watchtower.runs import (
    CHARTED,
    READS,
    RESULTS,
    SETTLE_SECONDS,
    UNKNOWN,
    ChartName,
    OfLane,
    OfSample,
    RunValues,
    Told,
    by_lane,
    chart_of,
    in_figures,
    in_words,
    is_due,
    of_reads,
    of_results,
    value_of,
    with_sample,
)
from tests.examples import example

UNITS = {"q30_fraction": "fraction", "bases": "bases", "gc_fraction": "fraction"}


def read_set(name: str, run: str | None, lane: int | None) -> ReadSetRegistered:
    found = example(ReadSetRegistered)
    return found.model_copy(
        update={"read_set_id": name, "instrument_run_id": run, "lane": lane, "sample_id": "S1"}
    )


def recorded(names: tuple[str, ...], round_: int = 1, **values: Any) -> QcMetricsRecorded:
    """Values of the union, and of read sets where a value is a dict of them."""
    measurements = []
    for metric, value in values.items():
        of = {None: value} if isinstance(value, float) else value
        measurements += [
            Measurement(metric=metric, value=one, unit=UNITS[metric], read_set_id=name)
            for name, one in of.items()
        ]
    return example(QcMetricsRecorded).model_copy(
        update={"sample_id": "S1", "round": round_, "read_set_ids": names,
                "measurements": tuple(measurements)}
    )  # fmt: skip


ASKED = "wgs"
SETS = {
    one.read_set_id: one
    for one in (
        read_set("A1", "RunA", 1), read_set("A2", "RunA", 2), read_set("B1", "RunB", 1),
        read_set("D1", None, None),
    )
}  # fmt: skip


def sample(name: str, value: float, version: int = 1, **lanes: float) -> OfSample:
    parts = tuple(OfLane(lane=int(lane[1:]), value=one) for lane, one in lanes.items())
    return OfSample(sample_id=name, version=version, value=value, lanes=parts)


def test_what_is_charted_stands_in_the_registry_with_its_unit() -> None:
    for rule in CHARTED:
        table = METRICS["judged" if rule.of == READS else "results"]
        assert {one.name: one.unit for one in table}[rule.metric] == rule.unit


def test_a_sample_of_one_run_counts_as_a_whole_and_in_each_lane() -> None:
    event = recorded(
        ("A1", "A2"),
        q30_fraction={None: 0.91, "A1": 0.90, "A2": 0.92},
        bases={None: 3e9, "A1": 1e9, "A2": 2e9},
        gc_fraction=0.4,
    )
    assert of_reads(event, ASKED, SETS) == (
        Told("RunA", READS, "q30_fraction", "wgs", sample("S1", 0.91, l1=0.90, l2=0.92)),
        Told("RunA", READS, "bases", "wgs", sample("S1", 3e9, l1=1e9, l2=2e9)),
    )
    alone = of_reads(recorded(("A2",), q30_fraction=0.9), ASKED, SETS)
    assert alone == (Told("RunA", READS, "q30_fraction", "wgs", sample("S1", 0.9, l2=0.9)),)


def test_a_top_up_counts_for_each_run_with_what_that_run_gave() -> None:
    event = recorded(
        ("A1", "A2", "B1"),
        round_=2,
        q30_fraction={None: 0.90, "A1": 0.96, "A2": 0.90, "B1": 0.8},
        bases={None: 4e9, "A1": 1e9, "A2": 2e9, "B1": 1e9},
    )
    found = {
        (one.instrument_run_id, one.metric): one.sample for one in of_reads(event, ASKED, SETS)
    }
    assert {name: round(one.value, 6) for name, one in found.items()} == {
        ("RunA", "q30_fraction"): 0.92, ("RunA", "bases"): 3e9,
        ("RunB", "q30_fraction"): 0.8, ("RunB", "bases"): 1e9,
    }  # fmt: skip
    assert [one.lane for one in found["RunA", "bases"].lanes] == [1, 2]


def test_what_cannot_be_told_apart_or_is_of_no_run_is_charted_nowhere() -> None:
    several = recorded(("A1", "B1"), q30_fraction=0.9, bases={None: 2e9, "A1": 1e9, "B1": 1e9})
    assert {one.metric for one in of_reads(several, ASKED, SETS)} == {"bases"}
    assert of_reads(recorded(("D1",), q30_fraction=0.9), ASKED, SETS) == ()
    assert of_reads(recorded(("nobody",), q30_fraction=0.9), ASKED, SETS) == ()


def results(*measured: tuple[str, str | None, float]) -> tuple[Measured, ...]:
    return tuple(
        Measured(metric=name, value=value, unit="x", measured_on=who, verdict="not judged")
        for name, who, value in measured
    )


def test_results_count_for_the_one_run_that_read_their_sample() -> None:
    members = {"S1": ("A1",), "S2": ("A1", "A2"), "S3": ("A1", "B1"), "S4": ("D1",)}
    told = results(
        ("ti_tv", "S1", 2.0), ("ti_tv", "S2", 2.1), ("ti_tv", "S3", 2.2), ("ti_tv", "S4", 2.3),
        ("ti_tv", None, 2.4), ("relatedness", "S1", 0.5), ("ti_tv", "stranger", 1.0),
    )  # fmt: skip
    assert of_results(told, "trio", members, SETS) == (
        Told("RunA", RESULTS, "ti_tv", "trio", sample("S1", 2.0, l1=2.0)),
        Told("RunA", RESULTS, "ti_tv", "trio", sample("S2", 2.1)),
    )


def test_a_chart_is_named_by_instrument_chemistry_and_assay() -> None:
    (told,) = of_reads(recorded(("A1",), bases=1e9), ASKED, SETS)
    name = chart_of(told, "A|01", None)
    assert (name.chemistry, name.key) == (UNKNOWN, "reads|bases|A%7C01|unknown|wgs")
    assert name.chart_id != chart_of(told, "A|01", "v1").chart_id


def test_a_run_is_the_median_of_its_samples_and_each_lane_of_its_parts() -> None:
    values = RunValues()
    for one in (
        sample("S1", 0.9, l1=0.8, l2=1.0), sample("S2", 0.7, l1=0.6), sample("S3", 0.1, l1=0.4),
    ):  # fmt: skip
        values = with_sample(values, one)
    assert value_of(values) == 0.7
    assert by_lane(values) == {1: 0.6, 2: 1.0}


def test_the_same_value_twice_and_an_older_round_change_nothing() -> None:
    values = with_sample(RunValues(), sample("S1", 0.9))
    assert with_sample(values, sample("S1", 0.9)) is values
    later = with_sample(values, sample("S1", 0.8, version=2))
    assert value_of(later) == 0.8
    assert with_sample(later, sample("S1", 0.9)) is later
    in_order = with_sample(with_sample(RunValues(), sample("S1", 0.8, version=2)), sample("S2", 1))
    assert len(in_order.samples) == 2


@pytest.mark.parametrize(
    ("have", "expected", "silent", "due"),
    [(0, 0, SETTLE_SECONDS, False), (1, 2, 0.0, False), (2, 2, 0.0, True), (1, 0, 60.0, False),
     (1, 2, SETTLE_SECONDS, True), (1, 0, SETTLE_SECONDS, True)],
)  # fmt: skip
def test_a_run_is_charted_when_all_is_told_or_nothing_more_comes(
    have: int, expected: int, silent: float, due: bool
) -> None:
    values = RunValues()
    for number in range(have):
        values = with_sample(values, sample(f"S{number}", 0.9))
    assert is_due(values, expected, silent) is due


def test_an_alarm_says_which_level_since_when_and_by_how_much() -> None:
    alarm = Alarm(
        direction="down", run="R90", value=0.88, centre=0.92, low=0.91, high=0.93, sigma=0.13,
        statistic=8.7, limit=8.5, runs=81, first_run="R82", runs_shifted=9, shift_sigmas=-1.62,
        level_sigmas=-1.3,
    )  # fmt: skip
    name = ChartName(
        of=READS, metric="q30_fraction", instrument_id="A01", chemistry="v1.5", assay="wgs"
    )
    assert in_words(alarm, name, "FC7") == (
        "q30_fraction of reads has fallen on A01 (v1.5, wgs) by 1.6 sigma since run R82: 9 runs up "
        "to R90, which has 0.88 on flow cell FC7. Normal is 0.92 fraction, one sigma from 0.91 to "
        "0.93, learned from 81 runs. Mend it, or restart the chart if this is the new normal."
    )
    figures = in_figures(alarm, name, {lane: 0.8 + lane / 100 for lane in range(1, 17)})
    assert figures[5] == ("statistic", 8.7, "sigma", 8.5)
    assert figures[4] == ("sigma", 0.13, "logit of fraction", None)
    assert figures[10:] == tuple(
        (f"lane {lane}", 0.8 + lane / 100, "fraction", None) for lane in range(1, 11)
    )
