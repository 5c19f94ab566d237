"""Spans as a collector has them: kept in memory, by their names, and who hangs below whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from genoflow.deploy.observed.spans import SpanSender

SECONDS_MAX = 20.0


class Traces:
    """Who takes spans, and what was taken."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        self.spans = SpanSender("tests", lambda: self._kept)

    def all(self) -> Sequence[ReadableSpan]:
        """Every span; nothing is taken after this."""
        self.spans.close(SECONDS_MAX)
        found = self._kept._finished_spans  # its own way gives none once it is shut down
        assert len(found) == self.spans.sent
        assert self.spans.dropped == 0
        return list(found)


def name_of(span: ReadableSpan) -> str:
    """Which service did what."""
    service = span.resource.attributes["service.name"]
    assert isinstance(service, str)
    return f"{service} {span.name}"


def ids(spans: Sequence[ReadableSpan]) -> dict[str, tuple[int, int]]:
    """Trace and span by name."""
    return {name_of(one): (one.context.trace_id, one.context.span_id) for one in spans}


def way(spans: Sequence[ReadableSpan], name: str) -> list[str]:
    """From a span of this name up to where its story began."""
    by_id: Mapping[int, ReadableSpan] = {one.context.span_id: one for one in spans}
    [here] = [one for one in spans if name_of(one) == name]
    found = [name]
    while here.parent is not None and here.parent.span_id in by_id:
        here = by_id[here.parent.span_id]
        found.append(name_of(here))
    return found


@dataclass
class Collector:
    """An HTTP server, and what was posted there: the path, the kind and the bytes."""

    address: str = ""
    posted: list[tuple[str, str, bytes]] = field(default_factory=list)


@contextmanager
def collector(*, status: int = 200, waits: threading.Event | None = None) -> Iterator[Collector]:
    """One that answers so, and not before it may."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if waits is not None:
                waits.wait(SECONDS_MAX)
            found.posted.append((self.path, self.headers["Content-Type"], body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *line: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        if waits is not None:
            waits.set()
        server.shutdown()
        server.server_close()
        thread.join()
