"""Figures in CloudWatch's embedded metric format: lines of JSON that it reads out of a log.

CloudWatch adds up what it is told, so of counters and histograms it is told what came since the
last time. Each combination of dimensions is a metric that is paid for, so partitions are added up,
and what has no sense as a sum is left out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

NAMESPACE = "GenoFlow"
GROWING = frozenset({"counter", "histogram"})
ADDED_UP = frozenset({"topic", "partition"})  # labels that are no dimensions
LEFT_OUT = frozenset({
    "genoflow_task_position", "genoflow_read_model_position", "genoflow_build_info",
    "process_start_time_seconds", "python_info",
    "genoflow_listener_last_look_timestamp_seconds",
    "genoflow_listener_last_fact_timestamp_seconds",
})  # fmt: skip
UNITS = {"_seconds": "Seconds", "_bytes": "Bytes"}
METRICS_MAX = 100  # of one line, by the format
Dimensions = tuple[tuple[str, str], ...]
Series = tuple[str, Dimensions]
Values = dict[str, object]


class Embedded:
    """The lines of one process, each time with what came since the last one."""

    def __init__(self, service: str, host: str) -> None:
        self._service = ("service", service)
        self._host = ("host", host)
        self._before: dict[Series, float] = {}

    def lines(self, figures: Sequence[Metric], now: datetime) -> Iterator[str]:
        """A line for each combination of dimensions."""
        before, self._before = self._before, {}  # of what is gone nothing is kept
        found: dict[Dimensions, Values] = defaultdict(dict)
        for family in figures:
            if family.name in LEFT_OUT:
                continue
            if family.type in GROWING:
                samples = [one._replace(value=self._since(one, before)) for one in family.samples]
            else:
                samples = family.samples
            for dimensions, some in self._grouped(samples).items():
                if family.type != "histogram":
                    found[dimensions][family.name] = sum(one.value for one in some)
                elif spread := _spread(some):
                    found[dimensions][family.name] = spread
        for dimensions, values in found.items():
            yield self._line(dimensions, values, int(now.timestamp() * 1_000))

    def _since(self, sample: Sample, before: Mapping[Series, float]) -> float:
        series = (sample.name, tuple(sorted(sample.labels.items())))
        self._before[series] = sample.value
        earlier = before.get(series, 0.0)
        return sample.value - earlier if sample.value >= earlier else sample.value

    def _grouped(self, samples: Iterable[Sample]) -> dict[Dimensions, list[Sample]]:
        groups: dict[Dimensions, list[Sample]] = defaultdict(list)
        for sample in samples:
            named = {k: v for k, v in sample.labels.items() if k not in ADDED_UP and k != "le"}
            # What has no name of its own is one of this process, and of its machine.
            groups[self._service, *(sorted(named.items()) or (self._host,))].append(sample)
        return groups

    def _line(self, dimensions: Dimensions, values: Values, at_ms: int) -> str:
        assert len(values) <= METRICS_MAX, f"{len(values)} metrics of {dict(dimensions)}"
        told = [{"Name": name, "Unit": _unit(name)} for name in values]
        names = [name for name, _ in dimensions]
        about = [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": told}]
        head = {"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": about}}
        return json.dumps({**head, **dict(dimensions), **values}, separators=(",", ":"))


def _spread(samples: Iterable[Sample]) -> Mapping[str, list[float]] | None:
    """How many came up to each bound, as values with their counts; the last bound has no value."""
    within: dict[str, float] = defaultdict(float)
    for one in samples:
        if "le" in one.labels:
            within[one.labels["le"]] += one.value
    values: list[float] = []
    counts: list[float] = []
    highest = below = 0.0
    for bound, count in within.items():
        highest = highest if bound == "+Inf" else float(bound)
        if count > below:
            values.append(highest)
            counts.append(count - below)
        below = count
    return {"Values": values, "Counts": counts} if values else None


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "Count")
