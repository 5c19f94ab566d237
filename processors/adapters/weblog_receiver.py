"""Takes what an engine posts, on this machine alone and under a path that nobody else knows."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from genoflow.events.errors import Refused

BODY_BYTES_MAX = 1024 * 1024  # a script of a task is some kB; parameters of a cohort some 100 kB
SECONDS_MAX = 10.0  # for one request: it comes from this machine
TOKEN_BYTES = 16
LOOPBACK = "127.0.0.1"

Accept = Callable[[bytes], None]  # Refused says what is wrong with it


class WeblogReceiver:
    """An HTTP server of one run; use it in `with`."""

    def __init__(self, accept: Accept) -> None:
        """Hand each body to `accept`, from threads of its own."""
        path = f"/{secrets.token_urlsafe(TOKEN_BYTES)}"
        self._server = _Server(path, accept)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://{LOOPBACK}:{self._server.server_port}{self._server.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, path: str, accept: Accept) -> None:
        self.path, self.accept = path, accept
        super().__init__((LOOPBACK, 0), _Request)


class _Request(BaseHTTPRequestHandler):
    timeout = SECONDS_MAX
    server: _Server

    def do_POST(self) -> None:
        """Take one body, or say what is wrong with it."""
        if self.path != self.server.path:
            return self._answer(HTTPStatus.NOT_FOUND, "nothing is taken here")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self._answer(HTTPStatus.LENGTH_REQUIRED, "say how long it is")
        if int(length) > BODY_BYTES_MAX:
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {BODY_BYTES_MAX} B")
        try:
            self.server.accept(self.rfile.read(int(length)))
        except Refused as error:
            return self._answer(HTTPStatus.BAD_REQUEST, str(error))
        return self._answer(HTTPStatus.ACCEPTED, "")

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: what is refused is said by whoever refuses it."""
