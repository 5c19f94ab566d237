"""SQL, broken text, too much, too slowly: each is refused, and the service goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import pytest

from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.middleware import BODY_BYTES_MAX
from genoflow.deploy import timely
from genoflow.deploy.timely import TimelyProtocol
from genoflow.projections.vectors import to_word
from tests.doors import Door, Unlimited, open_door, refused, toys
from tests.integration.test_api_server import envelope, said_to, served, signs_in

SQL = (
    "' or '1'='1",
    "'; delete from live.samples; --",
    "x') union select secret from identity.keys --",
    "$1",
    "%",
    "\\'; drop table live.events; --",
    "1; select pg_sleep(30)",
)
GOOD = "/v1/samples?limit=1"


@pytest.fixture
async def toy_door(tables_url: str) -> AsyncIterator[Door]:
    async with open_door(tables_url, routers=[toys], limits=Unlimited()) as opened:
        yield opened


async def counted(door: Door) -> dict[str, int]:
    """How many rows each table of the read models and of the API's own has."""
    tables = await door.services.pool.fetch(
        "select schemaname || '.' || tablename as name from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema') "
        "union select schemaname || '.' || viewname from pg_views where schemaname = 'live'"
    )
    found = {}
    for name in sorted(row["name"] for row in tables):
        found[name] = await door.services.pool.fetchval(f"select count(*) from {name}")
    return found


@pytest.mark.parametrize("words", [1, pytest.param(len(SQL), marks=pytest.mark.long)])
async def test_sql_in_a_filter_is_a_word_that_no_row_has(door: Door, words: int) -> None:
    headers = {"X-API-Key": await _key(door)}
    document = (await door.client.get("/v1/openapi.json")).json()
    lists = {
        path: methods["get"]["parameters"]
        for path, methods in document["paths"].items()
        if "{" not in path and "parameters" in methods.get("get", {})
    }
    before, asked, turned = await counted(door), 0, cycle(SQL)
    for path, parameters in lists.items():
        if path.endswith("/stream"):
            continue
        whole = (await door.client.get(path, headers=headers)).json()
        for name in (one["name"] for one in parameters if one["in"] == "query"):
            for word in islice(turned, words):
                address = f"{path}?{name}={quote(word)}"
                answer = await door.client.get(address, headers=headers)
                asked += 1
                if answer.status_code == 200:
                    assert answer.json() != whole or not _rows(whole), address
                    assert not _rows(answer.json()), address
                else:
                    refused(answer, 422)
    assert asked > 70 * words
    assert await counted(door) == before
    assert (await door.client.get(GOOD, headers=headers)).status_code == 200


async def _key(door: Door) -> str:
    await door.account("chief", Role.ADMIN)
    return await door.key("chief", *Permission)


def _rows(body: object) -> list[object]:
    """What an answer lists: rows of a page, or counts."""
    if isinstance(body, dict):
        for name in ("items", "events", "pipelines"):
            if name in body:
                return list(body[name])
        return list(body.values())
    return list(body) if isinstance(body, list) else []


async def test_sql_in_a_path_names_nothing(door: Door) -> None:
    headers = {"X-API-Key": await _key(door)}
    paths = (await door.client.get("/v1/openapi.json")).json()["paths"]
    for path in (one for one in paths if "{" in one and "get" in paths[one]):
        for word in SQL:
            before, _, rest = path.partition("{")
            address = before + quote(word, safe="") + rest.partition("}")[2]
            answer = await door.client.get(address, headers=headers)
            refused(answer, 422 if answer.status_code == 422 else 404)
    assert (await door.client.get(GOOD, headers=headers)).status_code == 200


async def test_a_position_that_no_log_can_have_is_none(door: Door) -> None:
    headers = {"X-API-Key": await _key(door)}
    place = ("gf.sample.v1", 0)
    for name in ("at_position", "min_position"):
        for offset in (2**63, 2**69):
            word = to_word({place: offset})
            answer = await door.client.get(f"/v1/samples?{name}={word}", headers=headers)
            assert "never that long" in refused(answer, 422)["message"]
    word = to_word({place: 2**63 - 1})
    answer = await door.client.get(f"/v1/samples?at_position={word}", headers=headers)
    assert answer.status_code == 200
    answer = await door.client.get(f"/v1/events/stream?position={to_word({place: 2**63})}",
                                   headers=headers)  # fmt: skip
    refused(answer, 422)


@pytest.mark.parametrize("name", ["as_of", "waits_since"])
@pytest.mark.parametrize("word", ["0", "1.5e9", "-1", "inf", "now", "12:00", "2026-03-01T10:00:00"])
async def test_a_time_is_said_in_words_with_its_zone(door: Door, name: str, word: str) -> None:
    headers = {"X-API-Key": await _key(door)}
    answer = await door.client.get(f"/v1/files?{name}={word}", headers=headers)
    error = refused(answer, 422)
    assert error["details"]["field"] == name
    assert "2026-03-01T10:00:00Z" in error["message"]


async def test_bytes_that_are_no_text_break_nothing(door: Door) -> None:
    headers = {"X-API-Key": await _key(door)}
    for path in ("/v1/samples/%ff%fe", "/v1/samples/%ed%a0%80", "/v1/samples/%c0%80/timeline"):
        refused(await door.client.get(path, headers=headers), 404)
    answer = await door.client.get("/v1/samples?state=%ff%fe", headers=headers)
    assert answer.json()["items"] == []
    refused(await door.client.get("/v1/samples?%ff=1", headers=headers), 422)
    for name in ("Authorization", "X-API-Key"):
        for value in (b"\xff\xfe", b"Bearer \xff", b"gf_\xff\xfe", "gf_\u00df".encode()):
            sent = [(name.encode(), value)]
            refused(await door.client.get("/v1/samples", headers=sent), 401)
    sent = [(b"X-API-Key", headers["X-API-Key"].encode()), (b"Last-Event-ID", b"\xff\xfe")]
    refused(await door.client.get("/v1/events/stream", headers=sent), 422)
    assert (await door.client.get(GOOD, headers=headers)).status_code == 200


TWICE = (
    b'{"sample_id": "a", "sample_id": "b"}',
    b'{"sample_id": "a", "count": 1, "\\u0063ount": 2}',
    b'{"sample_id": "a", "more": [{"x": {"y": 1, "y": 2}}]}',
)


@pytest.mark.parametrize("body", TWICE)
async def test_a_name_that_is_said_twice_is_refused(toy_door: Door, body: bytes) -> None:
    headers = await toy_door.bearer("vera", Role.ADMIN) | {"Content-Type": "application/json"}
    answer = await toy_door.client.post("/v1/toys", headers=headers, content=body)
    assert "twice" in refused(answer, 400)["message"]
    good = await toy_door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    assert good.status_code == 201


async def test_a_key_of_a_request_that_is_no_text_is_refused(toy_door: Door) -> None:
    bearer = (await toy_door.bearer("vera", Role.ADMIN))["Authorization"]
    for key in (b"\xff\xfe", b"a\x1b[31m", b"", b"x" * 201):
        headers = [(b"Authorization", bearer.encode()), (b"Idempotency-Key", key)]
        answer = await toy_door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
        refused(answer, 400)


async def test_ten_megabytes_are_read_and_one_byte_more_is_not(toy_door: Door) -> None:
    headers = await toy_door.bearer("vera", Role.ADMIN) | {"Content-Type": "application/json"}
    body = json.dumps({"sample_id": "S1"}).encode().ljust(BODY_BYTES_MAX)
    answer = await toy_door.client.post("/v1/toys", headers=headers, content=body)
    assert answer.status_code == 201
    answer = await toy_door.client.post("/v1/toys", headers=headers, content=body + b" ")
    refused(answer, 413)


async def test_a_strangers_body_is_not_even_parsed(toy_door: Door) -> None:
    for body in (b"{", b"[" * 1_000_000, b'{"a": 1, "a": 2}', b'"\xff"'):
        headers = {"Content-Type": "application/json"}
        answer = await toy_door.client.post("/v1/toys", headers=headers, content=body)
        refused(answer, 401)


FORGERIES = (
    "\r\n2026-01-01 forged line", '\n{"event": "forged"}', "\x1b[2J\x1b[31mforged",
    "\u2028forged", "\u202egrof",
)  # fmt: skip


async def test_nothing_that_is_sent_can_forge_a_line_of_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = await _key(door)
    for forged in FORGERIES:
        word, raw = quote(forged, safe=""), forged.encode()
        asks = [
            door.client.get(f"/v1/samples/{word}", headers={"X-API-Key": key}),
            door.client.get(f"/v1/samples?state={word}", headers={"X-API-Key": key}),
            door.client.get(f"/v1/samples?{word}=1", headers={"X-API-Key": key}),
            door.client.get("/v1/samples", headers=[(b"X-API-Key", key.encode()),
                                                    (b"X-Request-ID", raw)]),
            door.client.get("/v1/samples", headers=[(b"X-API-Key", key.encode()),
                                                    (b"User-Agent", raw)]),
            door.client.get("/v1/samples", headers=[(b"Authorization", b"Bearer " + raw)]),
            door.client.post("/v1/auth/login", json={"username": forged, "password": forged}),
            door.client.post("/v1/auth/refresh", json={"refresh_token": forged}),
            door.client.request(f"G{'E' * 40}T", "/v1/samples", headers={"X-API-Key": key}),
        ]  # fmt: skip
        for answer in await asyncio.gather(*asks):
            assert answer.status_code < 500, answer.text
            assert answer.headers["X-Request-ID"].isprintable()
    ours = [one for one in caplog.records if one.name.startswith("genoflow")]
    assert len(ours) >= 9 * len(FORGERIES)
    for line in ours:
        assert line.getMessage().isprintable(), line.getMessage()
        assert line.getMessage().isascii()
        assert not line.getMessage().startswith(("2026", "{", "forged"))


@pytest.fixture
async def port(door: Door) -> AsyncIterator[int]:
    await door.account("vera", Role.ADMIN)
    async with served(door, TimelyProtocol) as found:
        yield found


@pytest.mark.parametrize("dripped", [b"", b"GET", b"GET /v1/health HTTP/1.1\r\nHost: l"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, dripped: bytes
) -> None:
    monkeypatch.setattr(timely, "HEAD_SECONDS_MAX", 0.3)
    answers = asyncio.gather(*(said_to(port, dripped) for _ in range(20)))
    assert await signs_in(port)
    for answer in await answers:
        assert envelope(answer, 408) == "REQUEST_TIMEOUT"
    assert await signs_in(port)


async def test_a_head_in_pieces_is_waited_for_as_long_as_one_in_one(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timely, "HEAD_SECONDS_MAX", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        # A whole request first: what follows on the same connection has its own time.
        writer.write(b"GET /v1/health HTTP/1.1\r\nHost: lab\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        ends = asyncio.create_task(reader.read())
        writer.write(b"GET /v1/")
        while not ends.done():  # a byte now and then keeps no connection
            writer.write(b"h")
            await asyncio.wait([ends], timeout=0.1)
        assert b"408 Request Timeout" in await ends
    finally:
        writer.close()


async def test_who_reads_nothing_keeps_no_connection_of_the_database(door: Door) -> None:
    key, begun, goes_on = await _key(door), asyncio.Event(), asyncio.Event()
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": "/v1/events", "raw_path": b"/v1/events",
        "root_path": "", "query_string": b"limit=1000", "client": ("203.0.113.7", 40_000),
        "headers": [(b"host", b"lab"), (b"x-api-key", key.encode())], "server": ("lab", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        begun.set()
        await goes_on.wait()

    asked = asyncio.create_task(door.app(scope, receive, send))
    await asyncio.wait_for(begun.wait(), 20)
    pool = door.services.pool
    assert pool.get_idle_size() == pool.get_size()
    goes_on.set()
    await asked


async def test_who_reads_nothing_is_ended(port: int, door: Door, monkeypatch: Any) -> None:
    monkeypatch.setattr(timely, "READ_SECONDS_MAX", 1.0)
    with lazy_ones(port, await _key(door)) as lazy:
        await asyncio.to_thread(_are_left, lazy)
    assert await signs_in(port)


@contextmanager
def lazy_ones(port: int, key: str) -> Iterator[list[socket.socket]]:
    """Eight clients, each with twenty large answers to read."""
    asked = f"GET /v1/events?limit=1000 HTTP/1.1\r\nHost: lab\r\nX-API-Key: {key}\r\n\r\n".encode()
    lazy = [_lazy(port) for _ in range(8)]
    try:
        for one in lazy:
            one.sendall(asked * 20)
        yield lazy
    finally:
        for one in lazy:
            one.close()


def _lazy(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.settimeout(20)
    made.connect(("127.0.0.1", port))
    return made


def _are_left(lazy: list[socket.socket]) -> None:
    """Every one of them is ended by the service."""
    for one in lazy:
        try:
            while one.recv(1 << 20):
                pass
        except ConnectionResetError:
            continue
