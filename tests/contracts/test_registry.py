"""The registry endpoint against Confluent's documented API, with Apicurio as second opinion.

Every case of `registry_cases.py` is asked of both over HTTP; confluent-kafka's own client and the
program itself come after.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from genoflow.api.registry import COMPATIBILITY, MEDIA_TYPE, REQUEST_BYTES_MAX
from genoflow.events.registry import Edition, read_editions
from genoflow.events.schema_rules import without_words
from tests.contracts.registry_cases import (
    BARE,
    CASES,
    FIRST,
    NEXT,
    SAME,
    SECOND,
    THIRD,
    TOY,
    TOY2,
    TOYS,
    UNKNOWN_ID,
    Asked,
    Case,
    Refused,
    by_id,
    spelled,
    subjects,
    with_field,
)
from tests.registries import apicurio_registry, our_registry

READY_SECONDS_MAX = 30  # an import of 0.7 s on an idle machine


@pytest.fixture(scope="module")
def editions() -> tuple[Edition, ...]:
    """What both registries hold: all that is released, and a toy with several versions."""
    return (*read_editions(), *TOYS)


@pytest.fixture(scope="module")
def ours(editions: tuple[Edition, ...]) -> Iterator[Asked]:
    with our_registry(editions) as address, httpx2.Client(base_url=address) as client:
        yield Asked("ours", client, editions, {each: each.id for each in editions})


@pytest.fixture(scope="module")
async def apicurio(
    editions: tuple[Edition, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asked]:
    log = tmp_path_factory.mktemp("apicurio") / "apicurio.log"
    async with apicurio_registry(log) as address:
        with httpx2.Client(base_url=address, timeout=30) as client:
            rule = {"compatibility": COMPATIBILITY}
            client.put("/config", json=rule).raise_for_status()
            ids = {each: _registered(client, each) for each in editions}
            client.put(f"/config/{TOY}", json=rule).raise_for_status()
            yield Asked("apicurio", client, editions, ids)


def _registered(client: httpx2.Client, edition: Edition) -> int:
    answer = client.post(f"/subjects/{edition.subject}/versions", json={"schema": edition.text})
    assert answer.status_code == 200, f"{edition.subject} v{edition.version}: {answer.text}"
    number: int = answer.json()["id"]
    return number


def check(asked: Asked, case: Case) -> None:
    """Ask the case's question and compare the answer, but for the order of names and spelling."""
    path = case.path if isinstance(case.path, str) else case.path(asked)
    content = case.body if isinstance(case.body, bytes) or case.body is None else None
    content = content if case.body is None or content else json.dumps(case.body).encode()
    headers = {"Content-Type": MEDIA_TYPE} if case.method == "POST" else {}
    answer = asked.client.request(case.method, path, content=content, headers=headers)
    deviates = asked.name == "apicurio" and case.apicurio is not SAME
    wanted = case.apicurio if deviates else case.answer
    if isinstance(wanted, Refused):
        check_refusal(answer, wanted.code)
    elif wanted is None:
        assert (answer.status_code, answer.content) == (204, b"")
    else:
        assert answer.status_code == 200, answer.text
        assert plain(answer.json()) == (wanted(asked) if callable(wanted) else wanted)


def check_refusal(answer: httpx2.Response, code: int) -> None:
    """A status alone is compared as such: it is the HTTP server's answer, not the registry's."""
    if code < 1000:
        assert answer.status_code == code, answer.text
        return
    assert answer.status_code == code // 100, answer.text
    said = answer.json()
    assert (said["error_code"], said.keys()) == (code, {"error_code", "message"})
    assert said["message"].strip()


def plain(value: Any) -> Any:
    """The answer without what says nothing: the order of names, no references, white space."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(value)
    if isinstance(value, dict) and "schema" in value:
        kept = {key: part for key, part in value.items() if (key, part) != ("references", [])}
        return {**kept, "schema": json.loads(value["schema"])}
    return value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_ours_answers_as_documented(ours: Asked, case: Case) -> None:
    check(ours, case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_apicurio_agrees_or_departs_as_stated(apicurio: Asked, case: Case) -> None:
    check(apicurio, case)


def test_every_released_schema_reads_the_same_in_both(ours: Asked, apicurio: Asked) -> None:
    for edition in ours.editions:
        check(ours, Case(by_id(edition, "/schema"), json.loads(edition.text)))
    for edition in apicurio.editions:
        # Two versions that differ in words alone are one content to it: it gives out the first.
        path = by_id(edition, "/schema")
        answer = apicurio.client.get(path if isinstance(path, str) else path(apicurio))
        assert answer.status_code == 200, answer.text
        assert without_words(answer.json()) == without_words(json.loads(edition.text))


def test_a_released_text_is_given_out_byte_for_byte(ours: Asked) -> None:
    for edition in ours.editions:
        answer = ours.client.get(f"/schemas/ids/{edition.id}")
        assert answer.json()["schema"] == edition.text
        assert ours.client.get(f"/schemas/ids/{edition.id}/schema").text == edition.text


WRITES = (
    ("POST", f"/subjects/{TOY}/versions", 42205),
    ("POST", "/subjects/nobody/versions", 42205),
    ("DELETE", f"/subjects/{TOY}", 42205),
    ("DELETE", f"/subjects/{TOY}/versions/1", 42205),
    ("PUT", "/config", 42205),
    ("PUT", f"/config/{TOY}", 42205),
    ("DELETE", f"/config/{TOY}", 42205),
    ("PUT", "/mode", 42205),
    ("PUT", f"/mode/{TOY}", 42205),
    ("POST", "/subjects", 405),
    ("PUT", f"/subjects/{TOY}", 405),
    ("DELETE", "/schemas/ids/9001", 405),
)


@pytest.mark.parametrize(("method", "path", "code"), WRITES)
def test_a_write_is_refused_and_told_the_way(
    ours: Asked, method: str, path: str, code: int
) -> None:
    schema = {"type": "record", "name": "New", "fields": []}
    before = ours.client.get("/subjects").json()
    answer = ours.client.request(method, path, json={"schema": json.dumps(schema)})
    said = answer.json()
    assert (answer.status_code, said["error_code"]) == (code if code < 1000 else 422, code)
    assert "read-only" in said["message"]
    assert "genoflow schemas export" in said["message"]
    assert ours.client.get("/subjects").json() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"x" * (REQUEST_BYTES_MAX + 1), 42209),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"\xff", 400),
        (json.dumps({"schema": "[" * 100_000}).encode(), 42201),
        (json.dumps({"schema": 7}).encode(), 42201),
        (json.dumps({"schema": "{}"}).encode(), 42201),
        (json.dumps({"schema": '{"type": ["null"]}'}).encode(), 42201),
        (json.dumps({"schema": '{"type": "array"}'}).encode(), 42201),
        (json.dumps({"schema": '"string"', "schemaType": "PROTOBUF"}).encode(), 42201),
    ],
    ids=lambda value: f"{value[:24]!r}" if isinstance(value, bytes) else str(value),
)
def test_a_bad_request_is_refused_by_its_reason(ours: Asked, body: bytes, code: int) -> None:
    check_refusal(ours.client.post(f"/subjects/{TOY}", content=body), code)


STRANGE: tuple[Any, ...] = (
    {"type": "enum", "name": "E", "symbols": ["A"]},
    {"type": "fixed", "name": "F", "size": 4},
    {"type": "map", "values": "float"},
    ["null", "string", {"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}],
    "string",
    [],
    {"type": "array", "items": {"type": "map", "values": {"type": "array", "items": "int"}}},
    with_field(THIRD, {"name": "at", "type": {"type": "enum", "name": "E", "symbols": ["A"]}}),
    with_field(THIRD, {"name": "at", "type": ["int", {"type": "map", "values": "long"}]}),
    with_field(THIRD, {"name": "at", "type": {"type": "array", "items": "genoflow.v1.ToyKept"}}),
)


@pytest.mark.parametrize("schema", STRANGE, ids=range(len(STRANGE)))
def test_a_schema_unlike_ours_is_judged_and_never_a_fault(ours: Asked, schema: object) -> None:
    asked = {"schema": json.dumps(schema)}
    answer = ours.client.post(f"/compatibility/subjects/{TOY}/versions?verbose=true", json=asked)
    assert (answer.status_code, answer.json()["is_compatible"]) == (200, False)
    check_refusal(ours.client.post(f"/subjects/{TOY}", json=asked), 40403)


def test_no_depth_of_a_schema_is_a_fault(ours: Asked) -> None:
    for depth in range(20, 1_100, 20):
        schema = '{"type": "array", "items": ' * depth + '"int"' + "}" * depth
        for path in (f"/subjects/{TOY}", f"/compatibility/subjects/{TOY}/versions"):
            answer = ours.client.post(path, json={"schema": schema})
            assert answer.status_code in (200, 404, 422), (depth, answer.text)
            if depth > 64:
                assert "nests deeper than 64" in answer.json()["message"]
    deep = ours.client.post(f"/subjects/{TOY}", content="[" * 100_000)
    check_refusal(deep, 400)


def test_a_page_number_that_is_none_is_named(ours: Asked) -> None:
    answer = ours.client.get("/subjects?limit=many")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("limit=many: ")


def test_an_id_may_be_cached_for_ever_and_a_version_is_asked_again(ours: Asked) -> None:
    for path, cache in (
        ("/schemas/ids/9002", "public, max-age=31536000, immutable"),
        (f"/subjects/{TOY}/versions/latest", "no-cache"),
    ):
        first = ours.client.get(path)
        assert first.headers["Cache-Control"] == cache
        again = ours.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        changed = ours.client.get(path, headers={"If-None-Match": '"another"'})
        assert changed.content == first.content


def test_every_answer_has_confluents_content_type(ours: Asked) -> None:
    for path in ("/", "/subjects", "/schemas/ids/9001", "/schemas/ids/0", "/nowhere", "/mode"):
        answer = ours.client.get(path)
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        assert ours.client.head(path).status_code == answer.status_code


@pytest.fixture
def confluent(ours: Asked) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": str(ours.client.base_url)}) as client:
        yield client


def test_confluents_client_reads_all_there_is(ours: Asked, confluent: SchemaRegistryClient) -> None:
    assert confluent.get_subjects() == subjects(ours)
    assert confluent.get_subjects(subject_prefix="genoflow.v2.") == [TOY2]
    assert confluent.get_versions(TOY) == [1, 2, 3]
    assert confluent.get_schema_types() == ["AVRO"]
    assert confluent.get_subjects_by_schema_id(THIRD.id) == [TOY]
    (place,) = confluent.get_schema_versions(THIRD.id)
    assert (place.subject, place.version) == (TOY, 3)
    for edition in ours.editions:
        schema = confluent.get_schema(edition.id)
        assert (schema.schema_str, schema.schema_type) == (edition.text, "AVRO")


def test_confluents_client_finds_versions_and_rules(confluent: SchemaRegistryClient) -> None:
    latest = confluent.get_latest_version(TOY)
    assert (latest.schema_id, latest.version, latest.subject) == (THIRD.id, 3, TOY)
    first = confluent.get_version(TOY, 1)
    assert (first.schema_id, first.schema.schema_str) == (FIRST.id, FIRST.text)
    found = confluent.lookup_schema(TOY, Schema(json.dumps(spelled(SECOND)), "AVRO"))
    assert (found.schema_id, found.version) == (SECOND.id, 2)
    assert confluent.get_compatibility(TOY) == confluent.get_compatibility() == COMPATIBILITY
    assert confluent.get_config(TOY).compatibility_level == COMPATIBILITY
    assert confluent.get_mode(TOY) == confluent.get_global_mode() == "READONLY"


def test_confluents_client_asks_whether_a_schema_may_follow(
    confluent: SchemaRegistryClient,
) -> None:
    asked = {
        name: Schema(json.dumps(each), "AVRO") for name, each in (("next", NEXT), ("bare", BARE))
    }
    assert confluent.test_compatibility(TOY, asked["next"], version=2)
    assert confluent.test_compatibility_all_versions(TOY, asked["next"])
    assert not confluent.test_compatibility(TOY, asked["bare"])
    assert not confluent.test_compatibility_all_versions(TOY, asked["bare"])


def test_what_is_not_compatible_is_told_by_its_place(ours: Asked) -> None:
    path = f"/compatibility/subjects/{TOY}/versions/latest?verbose=True"
    answer = ours.client.post(path, json={"schema": json.dumps(BARE)}).json()
    assert not answer["is_compatible"]
    assert answer["messages"][0].startswith("note: ")


def test_confluents_client_is_refused_by_code(confluent: SchemaRegistryClient) -> None:
    new = Schema('{"type": "record", "name": "New", "fields": []}', "AVRO")
    refused: dict[int, Callable[[], object]] = {
        40401: lambda: confluent.get_latest_version("nobody"),
        40402: lambda: confluent.get_version(TOY, 9),
        40403: lambda: confluent.get_schema(UNKNOWN_ID),
        40408: lambda: confluent.get_compatibility("nobody"),
        42201: lambda: confluent.lookup_schema(TOY, Schema("{", "AVRO")),
        42205: lambda: confluent.register_schema(TOY, new),
    }
    for code, call in refused.items():
        with pytest.raises(SchemaRegistryError) as caught:
            call()
        assert (caught.value.error_code, caught.value.http_status_code) == (code, code // 100)


def test_a_serialiser_may_register_what_is_released(confluent: SchemaRegistryClient) -> None:
    assert confluent.register_schema(TOY, Schema(FIRST.text, "AVRO")) == FIRST.id


async def test_the_program_serves_what_is_released_and_ends_cleanly() -> None:
    process = await _program("--port", "0")
    assert process.stderr is not None
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            ready = (await process.stderr.readline()).decode()
        address = ready.removeprefix("registry at ").removesuffix(": ready\n")
        async with httpx2.AsyncClient(base_url=f"http://{address}") as client:
            names = (await client.get("/subjects")).json()
            assert names == sorted({edition.subject for edition in read_editions()})
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(READY_SECONDS_MAX):
                rest = await process.stderr.read()
                assert (await process.wait(), rest) == (0, b"")
    finally:
        await _ended(process)


async def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await _program("--port", str(port))
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                _, said = await process.communicate()
        finally:
            await _ended(process)
    assert process.returncode == 1
    assert said.decode().startswith(f"registry at 127.0.0.1:{port}: ")
    assert said.decode().count("\n") == 1
    assert b"--port" in said


async def _program(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "genoflow.api.registry", *arguments),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
