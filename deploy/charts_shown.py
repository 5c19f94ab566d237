"""The charts of quality as the watchtower has written them, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from genoflow.processors.watchtower.charts import LIMIT, RUNS_MIN, in_unit, sigma_of
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.quality import Group
from genoflow.processors.watchtower.quality_kept import KeptChart
from genoflow.processors.watchtower.runs import RULES, ChartName

FILTERS = ("metric", "instrument_id", "chemistry", "assay")


def charts_of(tower: Tower) -> list[dict[str, Any]]:
    """One object for each chart, by its name, with the runs that wait for it."""
    kept = {one.name.key: one for one in tower.quality.charts()}
    waiting: dict[str, list[Group]] = {}
    for group in tower.quality.groups():
        waiting.setdefault(group.name.key, []).append(group)
    names = {one.name.key: one.name for one in kept.values()}
    names |= {groups[0].name.key: groups[0].name for groups in waiting.values()}
    return [
        _chart(names[key], kept.get(key) or KeptChart(names[key]), waiting.get(key, ()))
        for key in sorted(names)
    ]


def _chart(name: ChartName, kept: KeptChart, waiting: Iterable[Group]) -> dict[str, Any]:
    rule, chart = RULES[name.of, name.metric], kept.chart
    is_known = chart.runs >= RUNS_MIN
    mean, sigma = chart.learned.mean, sigma_of(chart, rule) if is_known else 0.0
    return {
        "chart_id": str(name.chart_id),
        **name.model_dump(),
        "unit": rule.unit,
        "runs": chart.runs,
        "centre": in_unit(mean, rule) if is_known else None,
        "low": in_unit(mean - sigma, rule) if is_known else None,
        "high": in_unit(mean + sigma, rule) if is_known else None,
        "sigma": sigma if is_known else None,
        "level": chart.level if is_known else None,
        "up": chart.up.score,
        "down": chart.down.score,
        "limit": LIMIT,
        "restarted_at": _time(kept.begins) if kept.restart else None,
        "raised": [
            {
                "direction": way,
                "since": one.alarm.first_run,
                "run": one.alarm.run,
                "at": _time(one.moment),
                "shift": one.alarm.shift_sigmas,
                "alerts": [alert for _, alert, _ in kept.alerts.get(way, ())],
            }
            for way, one in kept.raised.items()
        ],
        "held": [
            {
                "run": run, "value": held.value, "settled_at": _time(held.moment),
                "late": list(held.late),
            }
            for run, held in kept.held.items()
        ],
        "waiting": [
            {
                "run": one.run, "told": len({word.told.sample.sample_id for word in one.words}),
                "expected": one.expected, "last_at": _time(one.words[-1].at),
            }
            for one in waiting
        ],
    }  # fmt: skip


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
