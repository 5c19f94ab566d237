"""The watchtower as it can be asked: how far it reads, what it waits for, what it has said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from genoflow.deploy.observed.server import build_info

if TYPE_CHECKING:
    from genoflow.deploy.tower import Process


class ObservedTower:
    """`genoflow tower` as it can be asked: `deploy/observed/server.py`."""

    def __init__(self, process: Process, again: int) -> None:
        self._process = process
        self._again = again

    async def figures(self) -> Sequence[Metric]:
        """The figures of now."""
        return [build_info(version("genoflow")), *self._own(), self._waits(), *self._budgets()]

    def _own(self) -> Iterator[Metric]:
        process = self._process
        about = "How often it was started again since somebody started it."
        yield CounterMetricFamily("genoflow_tower_restarts", about, value=self._again)
        about = "Whether it keeps the tower; another process does, or it restores, at 0."
        yield GaugeMetricFamily("genoflow_tower_keeps", about, value=int(process.is_ready))
        about = "Whether it has folded everything that can be read; what is late is told then."
        yield GaugeMetricFamily("genoflow_tower_caught_up", about, value=int(process.is_caught_up))
        about = "Records that it has read since it began."
        yield CounterMetricFamily("genoflow_tower_records", about, value=process.watch.records)
        about = "Events that it could not read and that wait for a person."
        yield CounterMetricFamily("genoflow_tower_parked", about, value=process.watch.parked)
        about = "By how many seconds the machine's clock has jumped and is not believed."
        ahead = process.clock.ahead_seconds
        yield GaugeMetricFamily("genoflow_tower_clock_ahead_seconds", about, value=ahead)

    def _waits(self) -> Metric:
        about = "What has begun and not ended, by stage."
        family = GaugeMetricFamily("genoflow_tower_waits", about, labels=("stage",))
        counted: Counter[str] = Counter()
        for _, subject in self._process.watch.tower.subjects():
            counted.update(stage for stage, _ in subject.waits)
        for stage, number in sorted(counted.items()):
            family.add_metric([stage], number)
        return family

    def _budgets(self) -> Iterator[Metric]:
        about = "What a project has spent of this month's budget, over what is over of the month."
        rate = GaugeMetricFamily("genoflow_tower_budget_burn", about, labels=("project",))
        about = "What its runs were charged in the last seven days, in US dollars."
        week = GaugeMetricFamily("genoflow_tower_charged_week_usd", about, labels=("project",))
        for one in self._process.watch.tower.burns(self._process.clock.last):
            week.add_metric([one.project], one.week_usd)
            if one.rate is not None:
                rate.add_metric([one.project], one.rate)
        yield rate
        yield week

    async def reasons(self) -> Sequence[str]:
        """Why it does not watch; a process that stands by is ready, and says nothing here."""
        return () if self._process.is_joined else ("it has not joined its group",)
