"""Charts of quality in the tower: from events to one alert, in any company and over deaths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from statistics import median

import pytest

from benchmarks.quality import sigma_of_runs
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.charts import Alarm, Chart, fold
from genoflow.processors.watchtower.quality_kept import SampleQuality
from genoflow.processors.watchtower.rehearsal import rehearse
from genoflow.processors.watchtower.runs import READS, RESULTS, RULES
from tests.examples import someone
from tests.quality_histories import (
    EVERY,
    QualityTeller,
    chart_name,
    history,
    run_name,
    shifted_values,
)
from tests.quality_lab import Lab, logged
from tests.spec import heard
from tests.tower_histories import BEGIN
from tests.tower_rules import DRIFT, rules

Q30 = RULES[READS, "q30_fraction"]
RUNS, SHIFTED = 32, 12


def shifted(seed: int = 1, sigmas: float = -2.5) -> list[list[float]]:
    """Runs of which the last ones are that far below those before."""
    return shifted_values(seed, Q30, RUNS, SHIFTED, sigmas * sigma_of_runs(Q30))


def core(told: list[list[float]]) -> tuple[Chart, list[Alarm]]:
    """What the chart alone makes of the medians."""
    chart, alarms = Chart(), []
    for number, values in enumerate(told):
        chart, alarm = fold(chart, run_name(number), median(values), Q30)
        alarms += [alarm] if alarm else []
    return chart, alarms


async def test_a_planted_shift_is_one_alert_with_the_numbers_of_the_chart() -> None:
    told = shifted()
    chart, [alarm] = core(told)
    lab = Lab(rules(DRIFT))
    await lab.play(history(1, Q30, told))
    [alert] = lab.said
    assert isinstance(alert, AlertRaised)
    figures = {one.name: one for one in alert.figures}
    expected = {
        "value": alarm.value, "centre": alarm.centre, "low": alarm.low, "high": alarm.high,
        "sigma": alarm.sigma, "statistic": alarm.statistic, "runs": alarm.runs,
        "runs_shifted": alarm.runs_shifted, "shift": alarm.shift_sigmas,
        "level": alarm.level_sigmas,
    }  # fmt: skip
    assert {name: figures[name].value for name in expected} == expected
    assert figures["statistic"].limit == alarm.limit
    assert figures["lane 1"].value == figures["lane 2"].value == alarm.value
    assert (alert.kind, alert.group) == ("drift", "instrument=A01")
    assert (alert.subject_topic, alert.subject_key) == (topics.SEQUENCING_RUN.name, alarm.run)
    assert alert.headline.startswith(
        f"q30_fraction of reads has fallen on A01 (v1.5, wgs) by {-alarm.shift_sigmas:.1f} sigma "
        f"since run {alarm.first_run}: "
    )
    kept = lab.tower.quality.kept(chart_name("q30_fraction"))
    assert kept is not None
    assert kept.chart == chart
    assert (len(kept.held), [*kept.raised]) == (RUNS + SHIFTED, ["down"])
    # What samples said is let go a day behind; what stays is of the last runs.
    samples = [one for one in lab.tower.values.values() if isinstance(one, SampleQuality)]
    assert len(samples) == sum(map(len, told))
    assert sum(len(one.words) for one in samples) <= 5 * max(map(len, told))


@pytest.mark.parametrize("seed", [1, 2])
async def test_deaths_anywhere_and_another_order_of_partitions_say_the_same(seed: int) -> None:
    told = shifted(seed)
    events = history(seed, Q30, told)
    plain = Lab(rules(DRIFT))
    await plain.play(events)
    dying = Lab(rules(DRIFT), seed=seed, deaths=0.1)
    await dying.play(events)
    assert dying.deaths > 10
    assert dying.told() == plain.told()
    charts = [lab.tower.quality.kept(chart_name("q30_fraction")) for lab in (plain, dying)]
    assert charts[0] is not None
    assert charts[1] is not None
    assert charts[0].plain() == charts[1].plain()


async def test_what_stands_twice_on_the_log_is_charted_once() -> None:
    told = shifted()
    events = history(1, Q30, told)
    plain, twice = Lab(rules(DRIFT)), Lab(rules(DRIFT))
    await plain.play(events)
    await twice.play([one for event in events for one in (event, event)])
    assert len(plain.said) == 1
    assert twice.told() == plain.told()


async def test_a_tower_that_was_away_says_what_began_and_what_ended_meanwhile() -> None:
    told = [*shifted(), *shifted_values(9, Q30, 30, 0, 0.0)]
    events = history(1, Q30, told)
    plain, away = Lab(rules(DRIFT)), Lab(rules(DRIFT))
    await plain.play(events)
    await away.play(events, every=timedelta(days=1_000))
    raised, over = plain.said
    assert isinstance(raised, AlertRaised)
    assert isinstance(over, AlertResolved)
    assert (over.alert_id, over.manner) == (raised.alert_id, "over")
    assert over.reason.startswith("the level is back, with run ")
    assert away.told() == plain.told()


async def test_a_restart_ends_the_alert_and_the_new_level_is_normal() -> None:
    told = [*shifted(), *shifted_values(9, Q30, 0, 25, -2.5 * sigma_of_runs(Q30))]
    events, name = history(1, Q30, told), chart_name("q30_fraction")
    at = BEGIN + (RUNS + SHIFTED) * EVERY
    said = QualityTeller(5).restarted(name, at)
    lab, dying = Lab(rules(DRIFT)), Lab(rules(DRIFT), seed=3, deaths=0.1)
    events = sorted([*events, said], key=lambda one: one.envelope.occurred_at)
    await lab.play(events)
    raised, over = lab.said
    assert isinstance(raised, AlertRaised)
    assert isinstance(over, AlertResolved)
    assert (over.alert_id, over.resolving_event_id) == (
        raised.alert_id, said.envelope.event_id,
    )  # fmt: skip
    kept = lab.tower.quality.kept(name)
    assert kept is not None
    assert (kept.chart.runs, kept.raised) == (24, {})  # the first began with the restart
    await dying.play(events)
    assert dying.told() == lab.told()


async def test_results_are_charted_with_the_run_that_read_their_samples() -> None:
    teller = QualityTeller(6)
    events: list[Event] = []
    for number in range(25):
        names = [f"S{number}x{one}" for one in range(3)]
        events += teller.run_read(number, "q30_fraction", [0.9, 0.91, 0.92])
        for one, name in enumerate(names):
            at = BEGIN + number * EVERY + timedelta(hours=9 + 20 * one)
            told = {name: 30.0 + one}
            run, order = run_name(number), 100 * number + one
            events += teller.results(run, order, told, at, "mean_coverage")
    lab = Lab(rules(DRIFT))
    await lab.play(sorted(events, key=lambda one: one.envelope.occurred_at))
    kept = lab.tower.quality.kept(chart_name("mean_coverage", RESULTS))
    assert kept is not None
    assert kept.chart.runs == 25
    assert {one.value for one in kept.held.values()} == {31.0}
    orders = [key for key in lab.tower.values if key.kind == "order-quality"]
    assert len(orders) <= 10  # of the last two days


async def test_a_run_that_never_ends_is_charted_behind_a_quiet_day_and_late_samples_are_noted() -> (
    None
):
    teller, name = QualityTeller(7), chart_name("q30_fraction")
    run = run_name(0)
    events = [*teller.begun(run, BEGIN, ["S1", "S2", "S3"], "A01")]
    events += teller.sample_read(run, "S1", "q30_fraction", 0.9, BEGIN, "wgs")
    events += teller.sample_read(run, "S2", "q30_fraction", 0.7, BEGIN, "wgs")
    late = BEGIN + timedelta(days=2)
    events += teller.sample_read(run, "S3", "q30_fraction", 0.1, late, "wgs")
    in_order = sorted(events, key=lambda one: one.envelope.occurred_at)
    for every in (timedelta(hours=1), timedelta(days=100)):
        lab = Lab(rules(DRIFT))
        await lab.play(in_order, every=every)
        kept = lab.tower.quality.kept(name)
        assert kept is not None
        assert kept.held[run].value == pytest.approx(0.8)
        assert kept.held[run].late == ("S3",)


async def test_samples_of_another_assay_are_not_waited_for() -> None:
    teller, run = QualityTeller(8), run_name(0)
    events = [*teller.begun(run, BEGIN, ["S1", "S2"], "A01")]
    events += teller.sample_read(run, "S1", "q30_fraction", 0.9, BEGIN, "wgs")
    events += teller.sample_read(run, "S2", "q30_fraction", 0.7, BEGIN, "wes")
    lab = Lab(rules(DRIFT))
    await lab.play(sorted(events, key=lambda one: one.envelope.occurred_at))
    held = [kept.held[run] for kept in lab.tower.quality.charts()]
    assert sorted(one.value for one in held) == [0.7, 0.9]
    assert all(one.charted_at < (BEGIN + timedelta(hours=18)).timestamp() for one in held)


async def test_nothing_is_kept_of_what_is_a_quarter_old_but_the_charts() -> None:
    lab = Lab(rules(DRIFT))
    await lab.play(history(1, Q30, shifted()))
    kinds = ("sample-quality", "run-quality", "order-quality")
    assert any(key.kind in kinds for key in lab.tower.values)
    now = (BEGIN + timedelta(days=300)).timestamp()
    for again in range(3):
        await lab.watch.look(now + again * 7_200.0)
    assert not any(key.kind in kinds for key in lab.tower.values)
    [kept] = lab.tower.quality.charts()
    assert (kept.chart.runs, kept.held) == (RUNS + SHIFTED, {})


async def test_a_rule_that_comes_while_a_chart_is_raised_says_it_then() -> None:
    lab = Lab(rules({**DRIFT, "metric": "bases"}))
    await lab.play(history(1, Q30, shifted()))
    assert lab.said == []
    lab.watch.rule_by(rules({**DRIFT, "runs_min": 1_000}))
    now = (BEGIN + timedelta(days=60)).timestamp()
    assert await lab.watch.look(now) == []
    lab.watch.rule_by(rules({**DRIFT, "runs_min": 40}))
    [alert] = await lab.watch.look(now)
    assert isinstance(alert, AlertRaised)
    assert await lab.watch.look(now) == []


async def test_what_was_over_before_its_rule_was_published_is_no_news() -> None:
    told = [*shifted(), *shifted_values(9, Q30, 30, 0, 0.0)]
    lab = Lab(heard(rules(DRIFT), BEGIN + len(told) * EVERY))
    await lab.play(history(1, Q30, told), every=timedelta(days=1_000))
    assert lab.said == []
    kept = lab.tower.quality.kept(chart_name("q30_fraction"))
    assert kept is not None
    assert (kept.chart.runs, kept.raised) == (len(told), {})


async def test_rules_held_against_a_log_that_is_over_say_the_same() -> None:
    events = history(1, Q30, shifted())
    lab = Lab(rules(DRIFT))
    await lab.play(events)

    async def records() -> AsyncIterator[Recorded]:
        for record in await logged(events):
            yield record

    said = await rehearse(records(), rules(DRIFT), someone(), BEGIN + timedelta(days=99))
    assert {one.envelope.event_id: one.payload() for one in said} == {
        one.envelope.event_id: one.payload() for one in lab.said
    }
    assert len(said) == 1
