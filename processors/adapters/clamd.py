"""A virus scan by clamd: its INSTREAM command over TCP or a socket of this machine.

clamd takes no more than its StreamMaxLength in one stream, and a file of reads is longer. So a file
goes in several streams, each beginning with the last bytes of the one before: what lies across an
end is whole in one of them. A chunk is its length in four bytes, the highest first, and its bytes;
a length of nothing ends the stream, and then clamd answers.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress

from genoflow.events.errors import Parked, Retry
from genoflow.processors.ports import Scanned

NAME = "clamd"
OVERLAP_BYTES = 1024**2  # signatures span some kilobytes
CHUNK_BYTES = 256 * 1024  # of one stream; clamd keeps no more of it in memory at once
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0  # its MaxScanTime is two minutes, and others may stand before us
ANSWER_BYTES_MAX = 4_096
LENGTH = struct.Struct(">I")
TOO_LONG = "size limit exceeded"


class Clamd:
    """The port over one daemon; `address` is host:port, or the path of its socket."""

    def __init__(self, address: str, stream_bytes: int) -> None:
        self._address = address
        self._stream_bytes = stream_bytes
        # What begins a stream leaves room in it for half as much again.
        self._overlap = min(OVERLAP_BYTES, stream_bytes // 2)
        self._chunk = max(1, min(CHUNK_BYTES, stream_bytes // 4))

    def scan(self, _place: tuple[str, str, str], pieces: Iterator[bytes]) -> Scanned:
        """What it found; Retry where it does not answer, Parked where it takes no such stream."""
        version = self.version()
        chunks = _cut(pieces, self._chunk)
        chunk = next(chunks, None)
        size = streams = 0
        tail = b""
        while True:
            with closing(self._connection()) as connection:
                self._send(connection, b"zINSTREAM\0")
                sent = len(tail)
                if tail:
                    self._send(connection, LENGTH.pack(sent) + tail)
                while chunk is not None and sent + len(chunk) <= self._stream_bytes:
                    self._send(connection, LENGTH.pack(len(chunk)) + chunk)
                    tail = (tail + chunk)[-self._overlap :]
                    sent, size = sent + len(chunk), size + len(chunk)
                    chunk = next(chunks, None)
                self._send(connection, LENGTH.pack(0))
                threat = self._threat(self._answer(connection))
            streams += 1
            if threat or chunk is None:
                return Scanned(NAME, version, size, streams, (threat,) if threat else ())

    def version(self) -> str:
        """The release and the signatures, as it says them."""
        with closing(self._connection()) as connection:
            self._send(connection, b"zVERSION\0")
            return self._answer(connection)[:200]

    def _connection(self) -> socket.socket:
        try:
            if self._address.startswith("/"):
                made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                made.settimeout(CONNECT_SECONDS)
                made.connect(self._address)
            else:
                host, _, port = self._address.rpartition(":")
                made = socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS)
        except OSError as error:
            raise self._away(error) from error
        made.settimeout(ANSWER_SECONDS)
        return made

    def _send(self, connection: socket.socket, data: bytes) -> None:
        try:
            connection.sendall(data)
        except OSError as error:
            said = ""
            with suppress(Retry):  # it may have said why before it closed
                said = self._answer(connection)
            if TOO_LONG in said:
                self._threat(said)
            raise self._away(error) from error

    def _answer(self, connection: socket.socket) -> str:
        found = b""
        while not found.endswith(b"\0") and len(found) < ANSWER_BYTES_MAX:
            try:
                piece = connection.recv(ANSWER_BYTES_MAX)
            except OSError as error:
                raise self._away(error) from error
            if not piece:
                break
            found += piece
        if not found.endswith(b"\0"):
            raise Retry(f"clamd at {self._address}: broke off its answer; see its log")
        return found.rstrip(b"\0").decode(errors="replace").strip()

    def _threat(self, answer: str) -> str:
        """What the answer names; empty where it is a clean bill, and an error where it is none."""
        said = answer.removeprefix("stream: ")
        if said == "OK":
            return ""
        if said.endswith(" FOUND"):
            return said.removesuffix(" FOUND")
        if TOO_LONG in answer:
            raise Parked(
                f"clamd at {self._address}: takes no stream of {self._stream_bytes} bytes; lower "
                f"GENOFLOW_SCAN_STREAM_BYTES to its StreamMaxLength, then requeue the effect"
            )
        raise Retry(f"clamd at {self._address}: {answer[:300]}; see its log")

    def _away(self, error: OSError) -> Retry:
        return Retry(f"clamd at {self._address}: {error}; see that it runs and listens there")


def _cut(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), size):
            yield piece[start : start + size]
