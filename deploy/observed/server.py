"""Tells the figures of a process and whether it is well, to whoever asks at its own address.

    GET /metrics        the figures, for Prometheus
    GET /health/live    200 while its event loop answers within 5 s; who sees 503 starts it again
    GET /health/ready   200 where it can do its work; 503 with the reasons where it cannot

The server has threads of its own, so that it can say that the loop hangs. What it tells names
processors, topics and read models, and no subject: it asks nobody who they are.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from genoflow.deploy.observed.spans import of_spans
from genoflow.events.errors import Refused

LOOP_SECONDS_MAX = 5.0  # a batch holds the loop for some 50 ms; Prometheus waits for 10 s
IDLE_SECONDS_MAX = 60.0  # of a connection: Prometheus asks every 15 s or so, and keeps it
TEXT, JSON = "text/plain; charset=utf-8", "application/json"

_log = logging.getLogger("genoflow.observed")
T = TypeVar("T")


class Observed(Protocol):
    """A process as it can be asked, on its own event loop."""

    async def figures(self) -> Sequence[Metric]:
        """The figures of now; what a server that is away would have told is left out."""
        ...

    async def reasons(self) -> Sequence[str]:
        """Why it cannot do its work now; none where it can."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    kind: str
    body: bytes


class _Late(Exception):
    """The loop did not answer in time."""


class Given(Collector):
    """Figures that were taken already."""

    def __init__(self, figures: Sequence[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Those that were given."""
        return self._figures


def build_info(version: str, revision: str = "unknown") -> Metric:
    """Which program tells all this."""
    about = "Which program this is; always 1."
    found = GaugeMetricFamily("genoflow_build_info", about, labels=("version", "revision"))
    found.add_metric((version, revision), 1)
    return found


def of_process() -> Iterator[Metric]:
    """What every process tells of itself: CPU, memory, open files, when it began; its spans."""
    yield from of_spans()
    for collector in (ProcessCollector(registry=None), PlatformCollector(registry=None)):
        yield from collector.collect()


class Desk:
    """Answers questions from other threads about what lives on one event loop."""

    def __init__(self, observed: Observed, loop: asyncio.AbstractEventLoop) -> None:
        self._observed = observed
        self._loop = loop

    def answer(self, path: str, accept: str) -> Answer:
        """The answer to a GET of this path."""
        ways: dict[str, Callable[[], Answer]] = {
            "/metrics": lambda: self._metrics(accept),
            "/health/live": self._live,
            "/health/ready": self._ready,
        }
        way = ways.get(path)
        if way is None:
            return Answer(404, TEXT, f"{path}: there is {', '.join(ways)}\n".encode())
        try:
            return way()
        except _Late:
            late = f"its event loop did not answer within {LOOP_SECONDS_MAX:g} s; start it again"
            return _told(503, [late])

    def _metrics(self, accept: str) -> Answer:
        registry = CollectorRegistry()
        registry.register(Given([*of_process(), *self._ask(self._observed.figures())]))
        encoder, kind = choose_encoder(accept)
        return Answer(200, kind, encoder(registry))

    def _live(self) -> Answer:
        self._ask(asyncio.sleep(0))
        return _told(200, [])

    def _ready(self) -> Answer:
        reasons = self._ask(self._observed.reasons())
        return _told(503 if reasons else 200, reasons)

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        try:
            asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        except RuntimeError as error:  # it is closed: the process ends
            question.close()
            raise _Late from error
        try:
            return asked.result(LOOP_SECONDS_MAX)
        except (TimeoutError, CancelledError) as error:
            asked.cancel()
            raise _Late from error


def _told(status: int, reasons: Sequence[str]) -> Answer:
    body = {"status": "ok" if status == 200 else "unavailable", "because": list(reasons)}
    return Answer(status, JSON, json.dumps(body).encode() + b"\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    desk: Desk


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS_MAX
    server: _Server

    def do_GET(self) -> None:
        """Answer one question."""
        answer = self.server.desk.answer(urlsplit(self.path).path, self.headers.get("Accept", ""))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *line: Any) -> None:
        """Say it where it is looked for, and no louder."""
        _log.debug(*line)


@contextmanager
def observing(address: str | None, observed: Observed) -> Iterator[str | None]:
    """Answer at this address (host:port; port 0 is any free one) until the block ends.

    Yields where that is; without an address nobody is answered.
    """
    if address is None:
        yield None
        return
    host, _, port = address.rpartition(":")
    try:
        server = _Server((host.strip("[]"), int(port)), _Handler)
    except (OSError, OverflowError) as error:
        raise Refused(
            f"GENOFLOW_METRICS={address}: {error}; give each process of a machine a port of its "
            f"own, or port 0 for any that is free"
        ) from error
    server.desk = Desk(observed, asyncio.get_running_loop())
    thread = threading.Thread(target=server.serve_forever, name="observed", daemon=True)
    thread.start()
    place = f"{host}:{server.server_port}"
    _log.info("tells its figures at http://%s/metrics", place)
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
