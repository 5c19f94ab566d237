"""The metrics of runs and reads with their units, and how a value is held against a threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from genoflow.events.measured import Measured
from genoflow.events.metric_registry import OF_RUNS, units_of
from genoflow.events.threshold import Threshold
from genoflow.events.types import METRICS_MAX, TEXT_CHARACTERS_MAX

Values = Mapping[str, tuple[float, str]]  # metric -> value and unit

RUN_UNITS: Mapping[str, str] = units_of(OF_RUNS)
GROUPED_FROM = 1_000  # larger numbers are written 1,234; smaller ones with four digits
SHOWN_MAX = 20  # metrics in one sentence: what a person reads; the event holds them all


def judged(thresholds: Sequence[Threshold], values: Values) -> tuple[Measured, ...]:
    """Every value beside what was required of it; those of which nothing was required come last."""
    found = [_judge(threshold, values.get(threshold.metric)) for threshold in thresholds]
    asked = {threshold.metric for threshold in thresholds}
    found += [
        Measured(metric=metric, value=value, unit=unit, verdict="not judged")
        for metric, (value, unit) in values.items()
        if metric not in asked
    ]
    return tuple(found[:METRICS_MAX])


def _judge(threshold: Threshold, measured: tuple[float, str] | None) -> Measured:
    known = measured is not None and measured[1] == threshold.unit
    value = measured[0] if measured is not None and known else 0.0
    return Measured(
        metric=threshold.metric,
        value=value,
        unit=threshold.unit,
        required_min=threshold.required_min,
        required_max=threshold.required_max,
        verdict=_verdict(threshold, value) if known else "not judged",
    )


def _verdict(threshold: Threshold, value: float) -> str:
    if _outside(value, threshold.required_min, threshold.required_max):
        return "fail"
    return "warn" if _outside(value, threshold.warn_min, threshold.warn_max) else "pass"


def _outside(value: float, least: float | None, most: float | None) -> bool:
    return (least is not None and value < least) or (most is not None and value > most)


def broken(measured: Iterable[Measured]) -> list[Measured]:
    """What does not pass: a metric that was required and could not be measured is among it."""
    return [
        one
        for one in measured
        if one.verdict == "fail"
        or (one.verdict == "not judged" and (one.required_min, one.required_max) != (None, None))
    ]


def in_words(
    failures: Sequence[Measured], way_on: str, unknown: Mapping[str, str] | None = None
) -> str:
    """What failed and by how much, and what can be done, within the length of a reason.

    `unknown` says by metric why it could not be measured, where that is known.
    """
    parts = [_in_words(one, (unknown or {}).get(one.metric)) for one in failures[:SHOWN_MAX]]
    if len(failures) > SHOWN_MAX:
        parts.append(f"{len(failures) - SHOWN_MAX:,} more failed")
    room = TEXT_CHARACTERS_MAX - len(way_on) - 3
    return f"{'; '.join(parts)[:room]}. {way_on}".strip()


def _in_words(one: Measured, why: str | None) -> str:
    limits = [
        f"{word} {number(bound)}"
        for word, bound in (("at least", one.required_min), ("at most", one.required_max))
        if bound is not None
    ]
    wanted = f"has to be {' and '.join(limits)} {one.unit}"
    name = f"{one.metric} of {one.measured_on}" if one.measured_on else one.metric
    if one.verdict == "not judged":
        return f"{name} could not be measured{f' ({why})' if why else ''} and {wanted}"
    return f"{name} is {number(one.value)} {one.unit} and {wanted}"


def number(value: float) -> str:
    """A number as people read it."""
    return f"{value:,.0f}" if abs(value) >= GROUPED_FROM else f"{value:.4g}"
