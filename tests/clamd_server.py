"""A small server that answers as clamd's protocol says, and knows one test string.

It takes one command of each connection, ended by a zero byte. A stream comes in chunks of a length
in four bytes and as many bytes; one that is longer than it allows is refused at once.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Put together here, so that no scanner takes this file for what it tests.
EICAR = b"".join(
    (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}", b"$EICAR-", b"STANDARD-ANTIVIRUS-", b"TEST-FILE!", b"$H+H*")
)
VERSION = "ClamAV 1.4.2/27000/Sun Mar  1 10:00:00 2026"


class Clamd:
    """What it was sent, and how it is to answer."""

    def __init__(self, stream_bytes_max: int) -> None:
        self.stream_bytes_max = stream_bytes_max
        self.streams: list[int] = []  # their lengths
        self.fault = ""  # what it answers in place of a verdict
        self.address = ""

    def answer(self, connection: socket.socket) -> None:
        """Take the one command of a connection."""
        command = b""
        while not command.endswith(b"\0"):
            command += connection.recv(1)
        if command == b"zVERSION\0":
            connection.sendall(VERSION.encode() + b"\0")
            return
        assert command == b"zINSTREAM\0", command
        connection.sendall(self._scan(connection).encode() + b"\0")

    def _scan(self, connection: socket.socket) -> str:
        body = b""
        while length := struct.unpack(">I", _exactly(connection, 4))[0]:
            body += _exactly(connection, length)
            if len(body) > self.stream_bytes_max:
                return "INSTREAM size limit exceeded. ERROR"
        self.streams.append(len(body))
        return self.fault or ("stream: Eicar-Test FOUND" if EICAR in body else "stream: OK")


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = connection.recv(count - len(found))
        if not piece:
            raise ConnectionError("the stream was broken off")
        found += piece
    return found


@contextmanager
def clamd(stream_bytes_max: int = 10**9, path: Path | None = None) -> Iterator[Clamd]:
    """One that listens on a free port of this machine, or on a socket at this path."""
    known = Clamd(stream_bytes_max)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                known.answer(self.request)
            except ConnectionError:
                return  # the other side has gone, which some tests want

    server: socketserver.BaseServer
    if path is None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        known.address = "{}:{}".format(*server.server_address[:2])
    else:
        server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        known.address = str(path)
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield known
        server.shutdown()
        thread.join()
