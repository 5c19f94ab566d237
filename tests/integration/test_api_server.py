"""The API behind a real socket: slow, broken and rude clients, while others are served."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from genoflow.api import middleware
from genoflow.api.hot import Hot
from genoflow.api.identity.permissions import Role
from genoflow.api.registry import listen
from tests.doors import PASSWORD, Door, Unlimited, open_door

ANSWER_SECONDS_MAX = 20.0
LOGIN = "POST /v1/auth/login HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def served(door: Door, http: type[asyncio.Protocol] | None = None) -> AsyncIterator[int]:
    """The app behind a port of this machine."""
    with listen("127.0.0.1", 0) as listener:
        app = Hot(door.app, door.services)
        config = uvicorn.Config(
            app, http=http or "auto", log_config=None, lifespan="off", access_log=False
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def port(tables_url: str) -> AsyncIterator[int]:
    async with open_door(tables_url, limits=Unlimited()) as door, served(door) as found:
        await door.account("vera", Role.ADMIN)
        yield found


async def said_to(port: int, sent: bytes, *, end: bool = False) -> bytes:
    """All that the server answers to these bytes, until it closes the connection or goes quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        if end:
            writer.write_eof()
        head = b""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
            for line in head.lower().splitlines():
                if line.startswith(b"content-length:"):
                    return head + await reader.readexactly(int(line.partition(b":")[2]))
        return head
    finally:
        writer.close()


async def signs_in(port: int) -> bool:
    """Whether somebody who behaves is served."""
    body = json.dumps({"username": "vera", "password": PASSWORD})
    head = f"{LOGIN}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (await said_to(port, (head + body).encode())).startswith(b"HTTP/1.1 200 ")


def envelope(answer: bytes, status: int) -> str:
    """The code of a refusal of this status."""
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    code: str = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]
    return code


async def test_a_body_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS_MAX", 0.3)
    slow = f"{LOGIN}Content-Length: 100\r\n\r\n{{".encode()
    answers = asyncio.gather(*(said_to(port, slow) for _ in range(20)))
    assert await signs_in(port)
    for answer in await answers:
        assert envelope(answer, 408) == "REQUEST_TIMEOUT"
        assert b"connection: close" in answer.lower()
    assert await signs_in(port)


async def test_a_body_that_says_it_is_too_long_is_not_read(port: int) -> None:
    asked = f"{LOGIN}Content-Length: 10000001\r\n\r\n{{".encode()
    assert envelope(await said_to(port, asked), 413) == "PAYLOAD_TOO_LARGE"
    assert await signs_in(port)


async def test_chunks_without_an_end_are_counted(port: int) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    asked = f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 10
    assert envelope(await said_to(port, asked), 413) == "PAYLOAD_TOO_LARGE"
    assert await signs_in(port)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS where none is spoken
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: lab\r\nX-Request-ID: a\x00b\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: lab\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nHost: lab\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_others_are_served(port: int, sent: bytes) -> None:
    answer = await said_to(port, sent)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200")), answer
    assert await signs_in(port)


@pytest.mark.parametrize(
    "path", ["/v1/%ff%fe", "/v1/%00", "/v1/..%2f..%2fetc/passwd", "/v1/%0d%0aX:%20y", "/%2e%2e/"]
)
async def test_an_odd_address_leads_nowhere(port: int, path: str) -> None:
    asked = f"GET {path} HTTP/1.1\r\nHost: lab\r\n\r\n".encode()
    assert envelope(await said_to(port, asked), 404) == "NOT_FOUND"
    assert await signs_in(port)


async def test_a_client_that_leaves_in_the_middle_is_not_missed(port: int) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{LOGIN}Content-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        writer.transport.abort()
    assert await signs_in(port)
