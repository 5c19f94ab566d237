"""Writes Grafana's dashboard of GenoFlow's own processes: `python -m tools.dashboard`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "deploy/observability/grafana/genoflow.json"
WIDTH, HEIGHT, COLUMNS = 12, 8, 24  # of a panel, in the cells of Grafana's grid
TASK = "{{processor}} {{topic}}[{{partition}}]"


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: what it asks Prometheus, and how its lines are called."""

    title: str
    asks: str
    legend: str
    unit: str = "short"


PANELS = (
    Panel("Records behind", "genoflow_task_lag_records > 0", TASK),
    Panel("Records taken a second", "sum by (processor) (rate(genoflow_task_records_total[5m]))",
          "{{processor}}", "ops"),
    Panel("Transactions, 99 of 100",
          "histogram_quantile(0.99, sum by (processor, le) "
          "(rate(genoflow_transaction_seconds_bucket[5m])))", "{{processor}}", "s"),
    Panel("Open effects", "sum by (processor) (genoflow_task_open_effects)", "{{processor}}"),
    Panel("Waits for a person",
          "sum by (processor) (genoflow_task_parked_keys + genoflow_task_parked_effects)",
          "{{processor}}"),
    Panel("Effects that are being done", "genoflow_effects_running", "{{instance}}"),
    Panel("Started again", "increase(genoflow_worker_restarts_total[1h])", "{{instance}}"),
    Panel("Kafka answers", "genoflow_log_up", "{{instance}}"),
    Panel("Read models behind", "genoflow_read_model_lag_records", "{{read_model}}"),
    Panel("Events set aside", "genoflow_read_model_set_aside_events", "{{read_model}}"),
    Panel("Answers of the API a second",
          "sum by (route, status) (rate(genoflow_http_request_seconds_count[5m]))",
          "{{route}} {{status}}", "reqps"),
    Panel("Answers of the API, 99 of 100",
          "histogram_quantile(0.99, sum by (route, le) "
          "(rate(genoflow_http_request_seconds_bucket[5m])))", "{{route}}", "s"),
    Panel("Facts from outside an hour",
          "sum by (listener) (increase(genoflow_listener_facts_total[1h]))", "{{listener}}"),
    Panel("Listeners: last look", "time() - genoflow_listener_last_look_timestamp_seconds",
          "{{listener}} {{instance}}", "s"),
    Panel("Listeners: refused and broken off",
          "sum by (listener) (increase(genoflow_listener_refused_total[1h]) "
          "+ increase(genoflow_listener_failures_total[1h]))", "{{listener}}"),
    Panel("Uploads", "sum by (status) (rate(upload_requests_total[5m]))", "{{status}}", "reqps"),
    Panel("CPU", "rate(process_cpu_seconds_total[5m])", "{{job}} {{instance}}"),
    Panel("Memory", "process_resident_memory_bytes", "{{job}} {{instance}}", "bytes"),
    Panel("Open files", "process_open_fds / process_max_fds", "{{job}} {{instance}}",
          "percentunit"),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The document that Grafana imports."""
    source = {"type": "prometheus", "uid": "${source}"}
    chosen = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "genoflow",
        "title": "GenoFlow: its own processes",
        "tags": ["genoflow"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [chosen]},
        "panels": list(_panels(source)),
    }


def _panels(source: dict[str, str]) -> Iterator[dict[str, Any]]:
    for number, panel in enumerate(PANELS):
        place = number * WIDTH
        yield {
            "id": number + 1,
            "type": "timeseries",
            "title": panel.title,
            "datasource": source,
            "gridPos": {
                "x": place % COLUMNS, "y": place // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT,
            },
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": "A", "datasource": source, "expr": panel.asks,
                 "legendFormat": panel.legend}
            ],
        }  # fmt: skip


def text() -> str:
    """The document as it stands in its file."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
