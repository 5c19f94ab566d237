"""A connection that lets the service wait is ended: uvicorn alone would wait for ever.

A thousand connections are served at a time (`serve.CALLERS_MAX`). Whoever opens so many and sends
a byte a minute, or asks for much and reads nothing, would keep everybody else out.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from genoflow.api.refusal import CODES

HEAD_SECONDS_MAX = 10.0  # a head has a kilobyte; on the worst line it is here in one second
HEAD_BYTES_MAX = 65_536  # a token has 420 bytes, a cursor 4,000; browsers send some kilobytes
READ_SECONDS_MAX = 60.0  # of a client that takes nothing; its buffer and ours are full by then


class TimelyProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to waiting for a head or for a reader."""

    _head: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head counts when it is whole, however many pieces it came in."""
        super().data_received(data)
        if self._is_asked:
            self._stop_waiting_for_head()
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            said = f"the head has more than {HEAD_BYTES_MAX:,} bytes; send a shorter one"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, said)
        elif self._head is None:
            self._wait_for_head()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        self._stop_waiting_for_reader()
        self._reader = self.loop.call_later(READ_SECONDS_MAX, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it reads again."""
        super().resume_writing()
        self._stop_waiting_for_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._stop_waiting_for_head()
        self._stop_waiting_for_reader()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the envelope of every refusal."""
        del msg  # it says less
        if self._is_asked:  # an answer is on its way, and cannot be taken back
            self.transport.close()
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "what came is no HTTP/1.1; send a request")

    @property
    def _is_asked(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._head = self.loop.call_later(HEAD_SECONDS_MAX, self._too_late)

    def _too_late(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            said = f"no whole head came within {HEAD_SECONDS_MAX:.0f} s; send it again"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, said)

    def _refuse(self, status: HTTPStatus, said: str) -> None:
        self._stop_waiting_for_head()
        request_id = str(uuid4())
        code, category = CODES[status]
        told = {"code": code, "message": said, "details": {"category": category}}
        body = json.dumps({"error": {**told, "request_id": request_id}}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}", "Content-Type: application/json",
            f"Content-Length: {len(body)}", "Connection: close", f"X-Request-ID: {request_id}",
        )  # fmt: skip
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()

    def _stop_waiting_for_head(self) -> None:
        self._head_bytes = 0
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _stop_waiting_for_reader(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None
