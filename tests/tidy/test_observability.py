"""Every figure that a rule, a dashboard or the page names is told by a process, and explained."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import promql_parser
import pytest
import yaml
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families as read_figures

from genoflow.api.figures import Figures
from genoflow.api.validation_figures import family_of
from genoflow.deploy.observed import read_models
from genoflow.deploy.observed.listeners import Listening, of_listeners
from genoflow.deploy.observed.spans import SpanSender, of_spans
from genoflow.deploy.observed.tower import ObservedTower
from genoflow.deploy.observed.worker import ObservedWorker
from genoflow.events.envelope import Producer
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import Ports
from genoflow.processors.watchtower.watch import Clock, Watch
from genoflow.processors.worker import Identity, Worker
from tests.tidy.source import ROOT
from tools import dashboard

RULES = ROOT / "deploy/observability/prometheus/rules.yml"
PAGE = ROOT / "docs/monitoring.md"
# A name of ours or of the process, at the beginning of a selector.
NAMED = re.compile(r"\b((?:genoflow|process|upload|active|validation)_[a-z_]+)\b")
SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def told() -> set[str]:
    """The names that the processes tell, without what their kinds add."""
    row = PROCESSORS["watch-silence"]
    log = MemoryLog()
    idle = Worker(log, log.codec, [row], Ports(clock=SystemClock()), identity=Identity("w", "1"))
    observed = ObservedWorker(idle, log.ends, [], 0)
    sender = SpanSender("tests", InMemorySpanExporter)
    figures = [*asyncio.run(observed.figures()), *read_models._of([]), *of_spans([sender])]
    figures += of_listeners([Listening("watch")])
    figures += asyncio.run(ObservedTower(_tower(), 0).figures())
    uploads = GaugeMetricFamily("active_uploads", "…", value=0)  # counted in the database
    text = Figures().text([uploads, family_of([])])
    return {one.name for one in (*figures, *read_figures(text))}


def _tower() -> Any:
    """What a tower's process shows of itself, before it has read anything."""

    class Nowhere:
        write = staticmethod(lambda *_: None)

    watch = Watch(MemoryLog().append_bulk, Producer(service="watchtower", version="1"), Nowhere())
    return SimpleNamespace(is_ready=False, is_caught_up=False, watch=watch, clock=Clock())


def base(name: str, known: set[str]) -> str:
    """The name of the family that a sample is of."""
    if name in known:
        return name
    return next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)


def asked() -> Iterator[tuple[str, str]]:
    """Each expression that Prometheus is asked, and where."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in dashboard.PANELS:
        yield panel.title, panel.asks


@pytest.mark.parametrize(("where", "expression"), list(asked()))
def test_every_figure_that_is_asked_for_is_told(where: str, expression: str) -> None:
    promql_parser.parse(expression)  # raises where Prometheus would refuse the file
    known = told()
    named = set(NAMED.findall(expression))
    assert named or "up{" in expression, f"{where} asks for no figure"
    assert {base(name, known) for name in named} <= known


@pytest.mark.parametrize("wrong", ["rate(genoflow_log_up)", "sum by (", "1 +", "up == 0 for 2m"])
def test_what_prometheus_would_refuse_is_found(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        promql_parser.parse(wrong)


def test_every_rule_says_what_to_do() -> None:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
            assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]


def test_the_dashboard_is_what_its_tool_writes() -> None:
    assert dashboard.TARGET.read_text() == dashboard.text(), "run python -m tools.dashboard"


def test_the_page_explains_every_figure_of_ours_and_no_other() -> None:
    known = {name for name in told() if not name.startswith(("process_", "python_"))}
    named = set(re.findall(r"^\| `([a-z_]+)(?:\{[a-z_, ]*\})?`", PAGE.read_text(), re.MULTILINE))
    assert {base(name, known) for name in named} == known
