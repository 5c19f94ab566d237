"""A process tells its figures and its health, also when it hangs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families as read_figures

from genoflow.deploy.observed import server
from genoflow.deploy.observed.server import observing
from genoflow.events.errors import Refused

SECONDS_MAX = 20.0


class Toy:
    """Something that is observed, and why it is not well."""

    def __init__(self, *because: str) -> None:
        self.because = list(because)

    async def figures(self) -> Sequence[Metric]:
        """One figure, with a label that has to be quoted."""
        found = GaugeMetricFamily("toy", "A toy.", labels=("name",))
        found.add_metric(['a "quoted"\nname'], 7)
        return [found]

    async def reasons(self) -> Sequence[str]:
        """Those that it was made with."""
        return self.because


@contextmanager
def asked(toy: Toy) -> Iterator[str]:
    with observing("127.0.0.1:0", toy) as place:
        assert place is not None
        yield f"http://{place}"


async def get(address: str, **headers: str) -> httpx2.Response:
    """Ask from another thread: the loop of this one is what is asked about."""
    return await asyncio.to_thread(httpx2.get, address, headers=headers, timeout=SECONDS_MAX)


async def test_figures_are_told_with_those_of_the_process() -> None:
    with asked(Toy()) as address:
        answer = await get(f"{address}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {one.name: one for one in read_figures(answer.text)}
    assert [(one.labels, one.value) for one in found["toy"].samples] == [
        ({"name": 'a "quoted"\nname'}, 7.0)
    ]
    assert found["process_cpu_seconds"].samples[0].value > 0


async def test_the_newer_format_is_told_to_who_asks_for_it() -> None:
    with asked(Toy()) as address:
        answer = await get(f"{address}/metrics", accept="application/openmetrics-text")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_who_is_well_is_ready() -> None:
    with asked(Toy()) as address:
        for path in ("live", "ready"):
            answer = await get(f"{address}/health/{path}")
            assert (answer.status_code, answer.json()) == (200, {"status": "ok", "because": []})


async def test_who_cannot_work_lives_and_says_why() -> None:
    with asked(Toy("no log")) as address:
        ready, live = await get(f"{address}/health/ready"), await get(f"{address}/health/live")
    assert ready.status_code == 503
    assert ready.json() == {"status": "unavailable", "because": ["no log"]}
    assert live.status_code == 200


async def test_a_loop_that_hangs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LOOP_SECONDS_MAX", 0.1)
    with asked(Toy()) as address, ThreadPoolExecutor() as others:
        asking = [
            others.submit(httpx2.get, f"{address}{path}", timeout=SECONDS_MAX)
            for path in ("/health/live", "/health/ready", "/metrics")
        ]
        answers = [one.result() for one in asking]  # the loop hangs until all of them are answered
        assert [one.status_code for one in answers] == [503] * 3
        assert "did not answer within" in answers[0].json()["because"][0]
        assert (await get(f"{address}/health/live")).status_code == 200, "it goes on"


async def test_what_is_not_there_is_named() -> None:
    with asked(Toy()) as address:
        answer = await get(f"{address}/")
    assert answer.status_code == 404
    assert "/metrics, /health/live, /health/ready" in answer.text


async def test_a_port_that_is_taken_is_refused_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = pytest.raises(Refused, match=f"GENOFLOW_METRICS={place}: .*port 0")
        with refused, observing(place, Toy()):
            raise AssertionError("it was served")


async def test_without_an_address_nobody_is_answered() -> None:
    with observing(None, Toy()) as place:
        assert place is None
