"""`genoflow work` and `genoflow workers` on a real broker: shared, killed, kept going, drained."""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.work_ends import EXIT_PASSING
from genoflow.processors.flow import PROCESSORS
from tests.e2e.workers import (
    facts,
    genoflow,
    is_alive,
    owners,
    pid_of,
    settings_of,
    standing,
    succeeds,
    until,
    working,
)

WATCH = "watch-silence"
ROWS = (WATCH, "clock-sample")  # they need no object store


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, with its topics."""
    found = settings_of(stack, suffix, tmp_path / "home", partitions=4)  # for several to share
    succeeds(found, "topics", "apply")
    return found


def register(settings: Settings, *samples: str) -> None:
    """Append that these samples are known."""
    at = datetime.now(UTC).isoformat()
    lines = [
        json.dumps({
            "type": "SampleRegistered", "occurred_at": at,
            "actor": {"kind": "person", "id": "a.b"},
            "payload": {"sample_id": sample, "registered_by": "person", "project_id": "P"},
        })
        for sample in samples
    ]  # fmt: skip
    succeeds(settings, "events", "append", "-", said="\n".join(lines))


def deadlines(settings: Settings) -> list[str]:
    """The samples of which the processor has said that it waits for news."""
    return sorted(event.key for event in facts(settings, "DeadlineSet"))


def test_a_worker_works_is_seen_and_drains(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with working(settings, log, "--once", *ROWS) as worker:
        until(lambda: all(owners(settings, WATCH)), "it owns every partition")
        register(settings, "S1", "S2", "S3")
        until(lambda: len(deadlines(settings)) == 3, "three deadlines are set")
        until(lambda: lags(settings, WATCH) == [0, 0, 0, 0], "it has taken all there is")
        assert_fits(succeeds(settings, "workers"))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=40) == 0
    said = log.read_text()
    assert f"{WATCH} takes over" in said
    assert f"{WATCH} left" in said
    assert "has drained and left" in said
    after = json.loads(succeeds(settings, "workers", "--json"))
    assert after["workers"] == []
    assert {task["worker"] for task in after["tasks"]} == {None}
    assert sum(lag or 0 for lag in lags(settings, WATCH)) == 0, (
        "its changelog says that all is taken"
    )


def lags(settings: Settings, processor: str) -> list[int | None]:
    return [one.lag for one in standing(settings).tasks if one.processor == processor]


def assert_fits(page: str) -> None:
    """Nothing is wrapped at a hundred columns, and every processor has its lines."""
    assert max(map(len, page.splitlines())) <= 100
    assert all(name in page for name in PROCESSORS)
    assert "nobody works on" in page
    assert "partitions 0-3" in page


@pytest.mark.long
def test_workers_share_and_take_over(settings: Settings, tmp_path: Path) -> None:
    with working(settings, tmp_path / "1.log", "--once", *ROWS) as first:
        until(lambda: all(owners(settings, WATCH)), "the first owns all")
        with working(settings, tmp_path / "2.log", "--once", *ROWS) as second:
            until(lambda: len(set(owners(settings, WATCH)) - {None}) == 2, "both own some")
            register(settings, *(f"S{number}" for number in range(20)))
            until(lambda: len(deadlines(settings)) == 20, "all is taken between them")
            second.send_signal(signal.SIGTERM)
            assert second.wait(timeout=40) == 0
        until(lambda: {pid_of(one) for one in owners(settings, WATCH) if one} ==
              {first.pid} and all(owners(settings, WATCH)), "the first owns all again")  # fmt: skip
        register(settings, "S20")
        until(lambda: len(deadlines(settings)) == 21, "and goes on")
    assert deadlines(settings) == sorted(f"S{number}" for number in range(21)), "each fact once"


def test_a_killed_worker_is_started_again(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "kept.log"
    told = {"metrics": "127.0.0.1:0", "metrics_log_seconds": 0.5}
    settings = settings.model_copy(update=told)
    with working(settings, log, *ROWS) as keeper:
        first = until(lambda: owners(settings, WATCH)[0], "it works")
        child = pid_of(first)
        assert child != keeper.pid
        os.kill(child, signal.SIGKILL)
        register(settings, "S1")
        until(lambda: deadlines(settings) == ["S1"], "another one has taken over")
        second = until(
            lambda: next((o for o in owners(settings, WATCH) if o and o != first), None), "is seen"
        )
        assert is_alive(pid_of(second))
        address = re.findall(r"tells its figures at (\S+)/metrics", log.read_text())[-1]
        until(lambda: httpx2.get(f"{address}/health/ready").status_code == 200, "it is ready")
        until(lambda: lags_told(address) == [0.0] * 4, "it has taken all there is")
        figures = httpx2.get(f"{address}/metrics").text
        keeper.send_signal(signal.SIGINT)
        assert keeper.wait(timeout=40) == 0
        assert not is_alive(pid_of(second))
    assert "the worker ended (killed by SIGKILL); it starts again in 0.2 s" in log.read_text()
    assert "genoflow_worker_restarts_total 1.0" in figures
    assert "genoflow_log_up 1.0" in figures
    written = [line for line in log.read_text().splitlines() if line.startswith('{"_aws":')]
    assert any(f'"processor":"{WATCH}"' in line for line in written)
    assert re.search(rf'transaction_seconds_count{{processor="{WATCH}"}} [1-9]', figures)


def lags_told(address: str) -> list[float]:
    """How far the worker at this address says to be behind, by partition."""
    figures = httpx2.get(f"{address}/metrics").text
    found = re.findall(rf'genoflow_task_lag_records{{.*processor="{WATCH}".*}} (\S+)', figures)
    return [float(lag) for lag in found]


@pytest.mark.long
def test_a_worker_does_not_outlive_its_keeper(settings: Settings, tmp_path: Path) -> None:
    with working(settings, tmp_path / "kept.log", *ROWS) as keeper:
        child = pid_of(until(lambda: owners(settings, WATCH)[0], "it works"))
        keeper.kill()
        keeper.wait(timeout=10)
        until(lambda: not is_alive(child), "the worker ends with its keeper")
    assert "has drained and left" in (tmp_path / "kept.log").read_text()


def test_an_unknown_processor_is_refused_with_those_that_there_are(settings: Settings) -> None:
    for words in (("work", "nobody"), ("work", "--once", WATCH, "nobody")):
        done = genoflow(settings, *words)
        assert done.returncode == 1
        assert "'nobody' is no processor" in done.stderr
        assert all(name in done.stderr for name in PROCESSORS)


@pytest.mark.parametrize("words", [("work",), ("work", "--once")], ids=" ".join)
def test_missing_topics_are_named_with_what_creates_them(
    words: tuple[str, ...], stack: Addresses, suffix: str, tmp_path: Path
) -> None:
    bare = settings_of(stack, f"{suffix}bare", tmp_path)
    done = genoflow(bare, *words)
    assert done.returncode == 1
    assert "is missing" in done.stderr
    assert "genoflow topics apply" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_broker_is_an_exit_code_that_asks_for_another_start(settings: Settings) -> None:
    done = genoflow(settings.model_copy(update={"kafka": "127.0.0.1:1"}), "work", "--once")
    assert done.returncode == EXIT_PASSING
    assert "no broker answers" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_works_at_first(settings: Settings) -> None:
    page = succeeds(settings, "workers")
    assert "genoflow work" in page
    assert_fits(page)


@pytest.mark.parametrize("form", ["table", "mermaid", "graphviz"])
def test_the_flow_is_printed_in_every_form(settings: Settings, form: str) -> None:
    page = succeeds(settings, "flow", "--format", form)
    assert all(name in page for name in PROCESSORS)
    part = succeeds(settings, "flow", "--format", form, WATCH)
    assert WATCH in part
    assert "clock-case" not in part
