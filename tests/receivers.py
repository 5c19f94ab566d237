"""Receivers of notifications that are real servers on this machine: for webhooks and for e-mail."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

T = TypeVar("T")
NEVER = 0  # instead of a code: the receiver takes the request and does not answer


def nothing() -> None:
    """Let a receiver go on."""


@dataclass(slots=True)
class Request:
    """What a receiver was sent."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """An HTTP server that answers as it is told, and keeps what it was sent."""

    code: int = 200
    header: str = ""
    port: int = 0
    connections: int = 0
    taken: Callable[[], None] = nothing  # called between taking a request and answering it
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        self.connections += 1
        try:
            await self._answer(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # the other side has gone
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rows = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rows)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append(Request(line, headers, body))
        self.taken()
        if self.code == NEVER:
            await reader.read()  # until the other side has had enough
            return
        writer.write(f"HTTP/1.1 {self.code} X\r\n{self.header}content-length: 0\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receiver(
    code: int = 200, header: str = "", *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver that listens for as long as the block lasts."""
    made = Receiver(code, header)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


def certified(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side that proves this name, and a client's side that trusts nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "both.pem").write_bytes(plain + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


@dataclass  # without slots: the server looks its methods up, and Python 3.11.2 stumbles over them
class Mailbox:
    """A mail server that keeps letters, or refuses as it is told."""

    refused: str = ""  # the command, RCPT or DATA
    answer: str = ""  # such as "550 no such mailbox"
    port: int = 0
    taken: Callable[[], None] = nothing
    letters: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 -- the library's name
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if self.refused == "RCPT":
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 -- the library's name
        self, server: Any, session: Any, envelope: Envelope
    ) -> str:
        """Take a letter, or not."""
        if self.refused == "DATA":
            return self.answer
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content))
        self.recipients += envelope.rcpt_tos
        self.taken()
        return "250 OK"


@asynccontextmanager
async def mailbox(refused: str = "", answer: str = "") -> AsyncIterator[Mailbox]:
    """A mail server that listens for as long as the block lasts."""
    made = Mailbox(refused, answer)
    loop = asyncio.get_running_loop()
    protocol: Callable[[], asyncio.Protocol] = lambda: SMTP(made, loop=loop)  # noqa: E731
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


@contextmanager
def hosted(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """A receiver for tests that do not await: it runs in a thread while the block lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        made = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        yield made
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
