"""Estimates: what a history says, what nobody can say, and that four of five spans are right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp

import pytest

from benchmarks.estimates import MIX, Run, Tally, played, simulated
from genoflow.projections.estimates import (
    HISTORY_MAX,
    RUNS_MIN,
    SCORES_MAX,
    Past,
    Span,
    Unknown,
    span,
    span_after,
)

RUNS = 2_000
NAMES = ("asked", "start", "begun", "half done", "late")


def pasts(*seconds: float, size: float | None = None) -> list[Past]:
    return [Past(one, size) for one in seconds]


def known(found: Span | Unknown) -> Span:
    assert isinstance(found, Span)
    return found


@pytest.mark.parametrize(("kind", "seed"), [(MIX[0], 12), *((one, 11) for one in MIX)])
def test_of_two_thousand_runs_in_order_four_of_five_end_within_their_span(
    kind: str, seed: int
) -> None:
    tallies = played(simulated(kind, seed, RUNS))
    assert set(tallies) == set(NAMES)
    for name, tally in tallies.items():
        assert 0.75 <= tally.share <= 0.85, (name, tally)
        assert 0.05 <= tally.below / tally.given <= 0.15, (name, tally)
        assert tally.silent <= 30, (name, tally)
    assert tallies["begun"].given > RUNS - 30


def test_the_verdict_bites_where_spans_are_too_narrow() -> None:
    runs = simulated("steady", 3, 600)
    narrow = Tally()
    for number, run in enumerate(runs[100:], 100):
        before: list[Run] = runs[number - 75 : number]
        found = known(span(pasts(*(one.ended_at - one.started_at for one in before))))
        low, high = ((found.seconds + one) / 2 for one in (found.low, found.high))
        half = Span(found.seconds, low, high, found.runs)
        narrow.add(half, run.ended_at - run.started_at)
    assert narrow.share < 0.7


def test_the_size_of_the_input_makes_spans_narrower() -> None:
    runs = simulated("sized", 4, 600)
    by_size, without = Tally(), Tally()
    for number, run in enumerate(runs[100:], 100):
        before = runs[number - 75 : number]
        actual = run.ended_at - run.started_at
        history = [Past(one.ended_at - one.started_at, one.size) for one in before]
        by_size.add(span(history, run.size), actual)
        without.add(span(history), actual)
    assert exp(by_size.width / by_size.given) < 2.5 < exp(without.width / without.given)


def test_too_few_runs_say_nothing_and_say_so() -> None:
    few = span(pasts(*[60.0] * (RUNS_MIN - 1)))
    assert few == Unknown("11 earlier ones like it are known, and 12 are needed to say it")
    assert known(span(pasts(*[60.0] * RUNS_MIN))).runs == RUNS_MIN - 3
    assert span([]) == span_after([], pasts(*[60.0] * 20))
    assert isinstance(span_after(pasts(*[1.0] * 20), []), Unknown)


def test_what_takes_always_the_same_is_said_to_the_second() -> None:
    found = known(span(pasts(*[60.0] * 30)))
    assert (found.seconds, found.low, found.high) == pytest.approx((60.0, 60.0, 60.0))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    moment = found.since(at)
    assert moment.at == moment.low == moment.high == at + timedelta(minutes=1)
    both = known(span_after(pasts(*[10.0] * 30), pasts(*[60.0] * 30)))
    assert both.seconds == pytest.approx(70.0)


def test_what_was_usual_long_ago_does_not_count() -> None:
    recent = [100.0 + number % 7 for number in range(HISTORY_MAX)]
    assert span(pasts(*[9e9] * 500, *recent)) == span(pasts(*recent))
    assert known(span(pasts(*recent))).runs == SCORES_MAX


def test_of_what_is_under_way_only_what_is_not_over_yet_counts() -> None:
    history = pasts(*(50.0 + number % 20 for number in range(HISTORY_MAX)))
    at_first, later = known(span(history)), known(span(history, waited=60.0))
    assert later.low >= 60.0 > at_first.low
    assert (later.seconds > at_first.seconds, later.runs < at_first.runs) == (True, True)
    too_long = span(history, waited=1e6)
    assert too_long == Unknown(
        "it has taken longer already than 60 of 60 earlier ones like it would have"
    )


@pytest.mark.parametrize("bad", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_durations_of_a_history_stop_nothing(bad: float) -> None:
    found = known(span(pasts(*[60.0] * 40, bad), None))
    assert found.seconds == pytest.approx(60.0)
    sizes = [Past(60.0, one) for one in (0.0, 1e9, 2e9)] * 10
    assert known(span(sizes, 1e9)).seconds == pytest.approx(60.0)
