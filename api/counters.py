"""The counters of one API process as Prometheus's library keeps them, and as it writes them."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# From the first word to the last part: a second for a small file, 11 h for 50 GB at 10 Mbit/s.
DURATIONS_SECONDS = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400)
# What is kept is answered within 2 ms, a question to the database within 10 to 50; behind 10 s a
# client has gone.
ANSWERS_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Counters:
    """What is counted of uploads and of answers, and what every process tells of itself."""

    def __init__(self) -> None:
        # Without a line for when each was made, which `process_start_time_seconds` tells of all.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._kept = CollectorRegistry()
        about = "Requests about uploads, by what became of them."
        self.uploads = Counter("upload_requests", about, ["status"], registry=self._kept)
        about = "From the first word about an upload until it is whole."
        self.duration = Histogram(
            "upload_duration_seconds", about, buckets=DURATIONS_SECONDS, registry=self._kept
        )
        about = "How long requests took to be answered."
        self.answers = Histogram(
            "genoflow_http_request_seconds", about, ["method", "route", "status"],
            buckets=ANSWERS_SECONDS, registry=self._kept,
        )  # fmt: skip
        ProcessCollector(registry=self._kept)
        PlatformCollector(registry=self._kept)

    def text(self, more: Iterable[Metric]) -> str:
        """All of them, and these, in the text format: one writer, so that none is told twice."""
        registry = CollectorRegistry()
        registry.register(_Given([*self._kept.collect(), *more]))
        return generate_latest(registry).decode()


class _Given(Collector):
    def __init__(self, figures: Iterable[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures
