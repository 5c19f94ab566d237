"""A lab's information system for tests: a real HTTP server on this machine, started and ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-token-of-tests"
Answer = tuple[int, Any]


@dataclass
class LimsServer:
    """What it offers, what it was sent, and how it answers."""

    port: int = 0
    pages: list[Any] = field(default_factory=list)  # answers to questions for orders, in order
    kept: dict[str, Any] = field(default_factory=dict)  # by the path
    sent: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)  # for the next requests, else by itself

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, headers: dict[str, str], body: Any) -> Answer:
        """What it says to a request."""
        self.sent.append((method, path, headers, body))
        if self.answers:
            return self.answers.pop(0)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "who are you?"}
        if path.startswith("/orders"):
            number = int(path.partition("page=")[2] or 1)
            return 200, self.pages[number - 1]
        if method == "GET":
            return (200, self.kept[path]) if path in self.kept else (404, {})
        self.kept[path] = body
        return 201, {}


@contextmanager
def lims_server(*pages: Any) -> Iterator[LimsServer]:
    """A system that offers these pages of orders, for as long as the block lasts."""
    made = LimsServer(pages=list(pages))

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            text = self.rfile.read(size)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(text) if text else None
            code, said = made.answer(self.command, self.path, headers, body)
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(code)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = _answer  # noqa: N815 -- the names of the library

        def log_message(self, *_: Any) -> None:
            """Write nothing to the terminal of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
