"""Figures as CloudWatch reads them out of a log: what came since, by few dimensions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import validate
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from genoflow.deploy.observed.embedded import Embedded
from genoflow.deploy.observed.watched import keep_telling

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TASK = ("processor", "topic", "partition")
# As Amazon's page on the format describes it.
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array", "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": {"type": "string"},
                                        "Unit": {"enum": ["Count", "Seconds", "Bytes"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip


def figures(taken: float, lags: Sequence[float], commits: Sequence[float]) -> list[Metric]:
    """A worker of one processor on some partitions."""
    records = CounterMetricFamily("genoflow_task_records", "Taken.", labels=TASK)
    lag = GaugeMetricFamily("genoflow_task_lag_records", "Behind.", labels=TASK)
    position = GaugeMetricFamily("genoflow_task_position", "Next.", labels=TASK)
    for number, behind in enumerate(lags):
        place = ("judge", "gf.sample.v1", str(number))
        records.add_metric(place, taken)
        lag.add_metric(place, behind)
        position.add_metric(place, 1_000)
    spread = HistogramMetricFamily("genoflow_transaction_seconds", "Took.", labels=TASK[:1])
    buckets = list(zip(("0.01", "0.1", "+Inf"), map(float, commits), strict=True))
    spread.add_metric(["judge"], buckets, 1.0)
    up = GaugeMetricFamily("genoflow_log_up", "Up.", value=1)
    return [records, lag, position, spread, up]


def told(embedded: Embedded, given: Sequence[Metric]) -> dict[str, dict[str, Any]]:
    """The lines by their dimensions, each as the format wants it."""
    found = {}
    for line in embedded.lines(given, NOW):
        read = json.loads(line)
        validate(read, SCHEMA)
        [about] = read["_aws"]["CloudWatchMetrics"]
        [names] = about["Dimensions"]
        assert all(isinstance(read[name], str) for name in names)
        assert all(one["Name"] in read for one in about["Metrics"])
        found[" ".join(read[name] for name in names)] = read
    return found


def test_partitions_are_added_up_and_positions_left_out() -> None:
    found = told(Embedded("work", "h1"), figures(5, [1, 2, 4], [1, 1, 1]))
    assert set(found) == {"work judge", "work h1"}
    judge = found["work judge"]
    assert judge["genoflow_task_lag_records"] == 7
    assert "genoflow_task_position" not in judge
    assert judge["_aws"]["Timestamp"] == int(NOW.timestamp() * 1_000)
    units = {one["Name"]: one["Unit"] for one in judge["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units["genoflow_transaction_seconds"] == "Seconds"
    assert units["genoflow_task_lag_records"] == "Count"
    assert found["work h1"]["genoflow_log_up"] == 1


def test_what_is_counted_is_told_as_what_came_since() -> None:
    embedded = Embedded("work", "h1")
    first = told(embedded, figures(5, [0, 0], [1, 3, 4]))["work judge"]
    second = told(embedded, figures(9, [0, 0], [1, 5, 7]))["work judge"]
    third = told(embedded, figures(9, [0, 0], [1, 5, 7]))["work judge"]
    assert [one["genoflow_task_records"] for one in (first, second, third)] == [10, 8, 0]
    spread = "genoflow_transaction_seconds"
    assert first[spread] == {"Values": [0.01, 0.1, 0.1], "Counts": [1, 2, 1]}
    assert second[spread] == {"Values": [0.1, 0.1], "Counts": [2, 1]}
    assert spread not in third


def test_a_partition_that_went_makes_nothing_less_than_none() -> None:
    embedded = Embedded("work", "h1")
    told(embedded, figures(50, [0, 0], [0, 0, 0]))
    after = told(embedded, figures(3, [0], [0, 0, 0]))["work judge"]
    assert after["genoflow_task_records"] == 3, "it came back, and counts from its beginning"
    again = told(embedded, figures(4, [0, 0], [0, 0, 0]))["work judge"]
    assert again["genoflow_task_records"] == 1 + 4


class Toy:
    """A process with one figure."""

    async def figures(self) -> Sequence[Metric]:
        """That figure."""
        return [GaugeMetricFamily("genoflow_log_up", "Up.", value=1)]

    async def reasons(self) -> Sequence[str]:
        """It is always well."""
        return []


async def test_they_are_written_again_and_again_with_those_of_the_process() -> None:
    written: list[list[str]] = []

    def write(lines: Iterable[str]) -> None:
        written.append(list(lines))

    telling = asyncio.create_task(keep_telling(Toy(), "toy", 0.01, write))
    async with asyncio.timeout(20):
        while len(written) < 3:
            await asyncio.sleep(0.01)
    telling.cancel()
    [line] = written[-1]
    assert json.loads(line)["process_resident_memory_bytes"] > 1_000_000


async def test_an_output_that_is_closed_ends_the_telling_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def write(_: Iterable[str]) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    async with asyncio.timeout(20):
        await keep_telling(Toy(), "toy", 0.01, write)
    assert "they are not written again" in caplog.text
