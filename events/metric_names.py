"""The metrics of reads with their units, and the names that the REST contract has for some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from genoflow.events.metric_registry import JUDGED, units_of

READS_UNITS: Mapping[str, str] = units_of(JUDGED)
BOUNDS = ("required_min", "required_max", "warn_min", "warn_max")
DIGITS = 12  # of a number after its unit was changed: 38 percent are 0.38, and nothing behind it


class Alias(NamedTuple):
    """A metric of ours under the name and in the unit of the contract."""

    metric: str
    unit: str  # of the contract
    times: float  # our value, to be theirs


CONTRACT_NAMES: Mapping[str, Alias] = {
    "total_reads": Alias("reads", "reads", 1.0),
    "gc_content": Alias("gc_fraction", "percent", 100.0),
    "mean_quality": Alias("quality_mean", "base quality", 1.0),
    "contamination_rate": Alias("contamination", "fraction", 1.0),
    "coverage_mean": Alias("mean_coverage", "x", 1.0),
    "total_variants": Alias("variants", "variants", 1.0),
}


def in_our_words(threshold: Mapping[str, Any]) -> dict[str, Any]:
    """The same threshold under our name and in our unit; as it is where it has them."""
    alias = CONTRACT_NAMES.get(str(threshold.get("metric")))
    if alias is None or threshold.get("unit", alias.unit) != alias.unit:
        return dict(threshold)
    changed: dict[str, Any] = {
        "metric": alias.metric, "unit": READS_UNITS.get(alias.metric, alias.unit),
    }  # fmt: skip
    for name in BOUNDS:
        bound = threshold.get(name)
        if alias.times != 1.0 and isinstance(bound, int | float) and not isinstance(bound, bool):
            changed[name] = round(bound / alias.times, DIGITS)
    return {**threshold, **changed}


def bound_faults(least: float | None, *others: float | None) -> list[str]:
    """What is wrong with the bounds of a metric, given in the order in which they have to grow."""
    given = [bound for bound in (least, *others) if bound is not None]
    if not given:
        return ["has no bound; give it required_min, required_max, warn_min or warn_max"]
    if given != sorted(given):
        return ["its bounds cross; required_min <= warn_min <= warn_max <= required_max"]
    return []
