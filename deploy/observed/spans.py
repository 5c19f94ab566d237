"""Spans on their way to a collector of OpenTelemetry, by OTLP over HTTP.

A thread sends what waits every second, or as soon as there is a batch. Nobody waits for it: what
comes while the queue is full is dropped, as is what the collector does not take, and both are
counted. Each span is sent as one of the service that did the step, under its name in the flow, so
that a collector's map of services is the flow. What was not sent when the process is killed is
lost: the log is the record, and a span only shows it.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from genoflow.events.errors import Refused
from genoflow.events.spans import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from prometheus_client.metrics_core import Metric

WAITING_MAX = 10_000  # 1 kB each, 10 MB; at a collector's usual 5,000/s what two seconds bring
BATCH_MAX = 512  # half a megabyte, far below the 4 MB that collectors take by default
SEND_SECONDS = 1.0  # how old a span may be that waits for others
EXPORT_SECONDS_MAX = 5.0  # of one batch, its repetitions included
END_SECONDS_MAX = 3.0  # that the end of a process waits for the last batch
PATH = "/v1/traces"  # where OTLP over HTTP takes spans, if the address names nothing else
LIBRARY = "opentelemetry"

_log = logging.getLogger("genoflow.spans")


class SpanSender:
    """Takes spans of this process, and sends them from a thread of its own."""

    def __init__(
        self, environment: str, exporter: Callable[[], SpanExporter], place: str = "memory"
    ) -> None:
        self.sent = 0
        self.dropped = 0
        self._environment = environment
        self._exporter = exporter  # made in the thread: its library takes 0.3 s to load
        self._place = place
        self._waiting: deque[Span] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._failing = False

    def now_ns(self) -> int:
        """The machine's clock."""
        return time.time_ns()

    def put(self, span: Span) -> None:
        """Take one span, or drop it where too many wait; never waits for the collector."""
        with self._news:
            if self._ending or len(self._waiting) >= WAITING_MAX:
                self.dropped += 1
                return
            self._waiting.append(span)
            if self._thread is None:
                self._thread = threading.Thread(target=self._send, name="spans", daemon=True)
                self._thread.start()
            elif len(self._waiting) == BATCH_MAX:
                self._news.notify()

    def close(self, seconds: float = END_SECONDS_MAX) -> None:
        """Send what waits, for so long at most; what is left is dropped."""
        with self._news:
            self._ending = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join(seconds)
        with self._news:
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def _send(self) -> None:
        from genoflow.deploy.observed.span_records import record_of  # noqa: PLC0415 -- 0.3 s

        told = _LastWords()
        exporter, process = self._exporter(), _of_process(self._environment)
        while spans := self._next():
            self._export(exporter, [record_of(span, process) for span in spans], told)
        exporter.shutdown()

    def _next(self) -> list[Span]:
        """A batch, once there is one or the first of it has waited; none at the end."""
        with self._news:
            while not (self._waiting and (self._ending or len(self._waiting) >= BATCH_MAX)):
                if self._ending:
                    return []
                if not self._news.wait(SEND_SECONDS) and self._waiting:
                    break
            count = min(len(self._waiting), BATCH_MAX)
            return [self._waiting.popleft() for _ in range(count)]

    def _export(
        self, exporter: SpanExporter, records: Sequence[ReadableSpan], told: _LastWords
    ) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 -- as above

        told.words = ""
        try:
            is_taken = exporter.export(records) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001 -- a library's: work goes on whatever it raises
            is_taken, told.words = False, f"{type(error).__name__}: {error}"
        with self._news:
            if is_taken:
                self.sent += len(records)
            else:
                self.dropped += len(records)
        if is_taken == self._failing:  # it is otherwise than a moment ago
            self._failing = not is_taken
            if is_taken:
                _log.info("%s takes spans again; %d were dropped", self._place, self.dropped)
            else:
                _log.warning(
                    "GENOFLOW_TRACES: %s takes no spans (%s); they are dropped and counted, and "
                    "work goes on; start the collector, or unset it", self._place, told.words,
                )  # fmt: skip


class _LastWords(logging.Handler):
    """Keeps what the library says last, instead of a line for each of its tries."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        library = logging.getLogger(LIBRARY)
        library.propagate = False
        library.handlers[:] = [self]

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.words = record.getMessage()


def _of_process(environment: str) -> dict[str, str]:
    return {
        "service.namespace": "genoflow",
        "service.version": version("genoflow"),
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        "deployment.environment.name": environment,
    }


def endpoint_of(address: str) -> str:
    """Where spans are posted: the address, with OTLP's own path where it names none."""
    return address if urlsplit(address).path.strip("/") else address.rstrip("/") + PATH


def spans_of(address: str | None, environment: str) -> SpanSender | None:
    """Who takes this process's spans: one for each collector; none where none is named."""
    return None if address is None else _sender(address, environment)


@functools.cache
def _sender(address: str, environment: str) -> SpanSender:
    try:
        is_there = find_spec(f"{LIBRARY}.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        is_there = False
    if not is_there:
        raise Refused(
            f"GENOFLOW_TRACES={address}: what sends spans is not installed; "
            f"run `pip install 'genoflow[trace]'`, or unset it"
        )
    endpoint = endpoint_of(address)

    def exporter() -> Any:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )

        return OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS_MAX)

    sender = SpanSender(environment, exporter, endpoint)
    atexit.register(sender.close)
    _SENDERS.append(sender)
    return sender


_SENDERS: list[SpanSender] = []  # of this process


def of_spans(senders: Sequence[SpanSender] = _SENDERS) -> Iterator[Metric]:
    """How many spans this process has sent, and how many it could not; nothing where none are."""
    from prometheus_client.metrics_core import CounterMetricFamily  # noqa: PLC0415 -- 0.1 s

    if senders:
        about = "Spans that the collector has taken."
        sent = sum(one.sent for one in senders)
        yield CounterMetricFamily("genoflow_spans_sent", about, value=sent)
        about = "Spans that the collector did not take, or that too many waited before."
        dropped = sum(one.dropped for one in senders)
        yield CounterMetricFamily("genoflow_spans_dropped", about, value=dropped)
