"""The client and the OpenAPI never differ: what is committed, and what can be called."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import httpx2
import pytest
from pydantic import BaseModel

from genoflow.api import client
from genoflow.api.client import AsyncClient, Client, errors
from genoflow.api.client.call import IDEMPOTENCY_KEY
from tests.tidy.source import files, text_of
from tools.client import CLIENT, FOLDERS, document, written

DOCUMENT: Any = document()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    one["operationId"]: (method.upper(), path, one)
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
}
AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"
SAMPLES: Mapping[str, Any] = {
    "string": "a word", "integer": 7, "number": 0.5, "boolean": True, "null": None,
    "date-time": "2026-03-01T10:00:00Z", "uuid": AN_ID, "date": "2026-03-01",
}  # fmt: skip


def test_the_client_is_the_one_that_the_openapi_gives() -> None:
    committed = {
        name: text_of(name)
        for name in files()
        if name.startswith(tuple(f"{CLIENT}/{folder}/" for folder in FOLDERS))
        and name.endswith(".py")
    }
    made = written(DOCUMENT)
    assert [
        name for name in sorted({*made, *committed}) if made.get(name) != committed.get(name)
    ] == [], "run `make client`"


def test_operations_have_names_of_their_own() -> None:
    every = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len(OPERATIONS) == len(every)
    assert {"samples_list", "samples_get", "samples_list_waiting", "sequencing_runs_list",
            "timelines_case", "execution_get_job"} <= set(OPERATIONS)  # fmt: skip


def example(shape: Mapping[str, Any]) -> Any:
    """Something that fits a shape of the document."""
    if "$ref" in shape:
        return example(SCHEMAS[shape["$ref"].rpartition("/")[2]])
    if "anyOf" in shape:
        return example(shape["anyOf"][0])
    if "enum" in shape:
        return shape["enum"][0]
    kind = shape.get("type")
    if kind == "object":
        return {name: example(one) for name, one in shape.get("properties", {}).items()}
    if kind == "array":
        return [example(shape["items"])]
    return SAMPLES.get(shape.get("format", ""), SAMPLES.get(kind or "", {}))


class Lab:
    """Answers every call of the document with an example, and keeps what was asked."""

    def __init__(self, operation: str) -> None:
        self.method, self.path, self.operation = OPERATIONS[operation]
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        status, told = next(iter(self.operation["responses"].items()))
        content = told.get("content", {})
        if "text/event-stream" in content:
            event = httpx2.Response(200, json=example({"$ref": "#/components/schemas/EventOut"}))
            said = f"id: AQ\ndata: {event.text}\n\n"
            return httpx2.Response(200, text=said, headers={"Content-Type": "text/event-stream"})
        if "application/json" not in content:
            return httpx2.Response(int(status))
        body = example(content["application/json"]["schema"])
        if isinstance(body, dict) and "next" in body and len(body) == 2:
            body["next"] = None
        return httpx2.Response(int(status), json=body)

    def was_asked_rightly(self) -> None:
        """Exactly one call came, to the right address, with each filter under its own name."""
        [request] = self.asked
        assert request.method == self.method
        pattern = re.sub(r"{\w+}", "[^/]+", self.path)
        assert re.fullmatch(pattern, request.url.raw_path.decode().partition("?")[0])
        known = {
            one["name"] for one in self.operation.get("parameters", []) if one["in"] == "query"
        }
        assert set(request.url.params) == known
        is_named = any(
            one["name"] == IDEMPOTENCY_KEY for one in self.operation.get("parameters", [])
        )
        assert (IDEMPOTENCY_KEY in request.headers) == is_named
        assert ("X-API-Key" in request.headers) == (self.operation.get("security") != [])


def arguments(method: Callable[..., Any]) -> dict[str, Any]:
    """Something for each argument of a method, by its type."""
    hints = typing.get_type_hints(method)
    return {
        name: value
        for name in inspect.signature(method).parameters
        for value in _values(hints[name])
    }


def _values(kind: Any) -> Iterator[Any]:
    chosen = [one for one in typing.get_args(kind) if one is not type(None)]
    if typing.get_origin(kind) is typing.Literal:
        yield chosen[0]
    elif str(kind).startswith("collections.abc.Sequence"):
        yield ["one", "two"]
    elif chosen:
        yield from _values(chosen[0])
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind()
    else:
        plain: Mapping[Any, Any] = {str: "a/word?", int: 3, float: 1.5, bool: True, bytes: b"x",
                                    UUID: UUID(AN_ID), date: date(2026, 3, 1)}  # fmt: skip
        yield plain[kind] if kind in plain else kind.fromisoformat("2026-03-01T10:00:00+00:00")


def method_of(where: Client | AsyncClient, operation: str) -> Callable[..., Any]:
    """The method that is an operation: its tag, and what is left of its name."""
    tag = re.sub(r"\W+", "_", OPERATIONS[operation][2]["tags"][0])
    found: Callable[..., Any] = getattr(getattr(where, tag), operation.removeprefix(f"{tag}_"))
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_can_be_called_and_its_answer_read(operation: str) -> None:
    lab = Lab(operation)
    with Client("http://lab", key="gf_x", transport=httpx2.MockTransport(lab)) as there:
        method = method_of(there, operation)
        answer = method(**arguments(method))
        if isinstance(answer, client.Pages):
            assert len(list(answer)) == 1
        elif isinstance(answer, client.Stream):
            with answer:
                next(answer)
    lab.was_asked_rightly()


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_operation_can_be_awaited_and_its_answer_read(operation: str) -> None:
    lab = Lab(operation)
    transport = httpx2.MockTransport(lab)
    async with AsyncClient("http://lab", key="gf_x", transport=transport) as there:
        method = method_of(there, operation)
        answer = method(**arguments(method))
        if isinstance(answer, client.AsyncPages):
            assert len([one async for one in answer]) == 1
        elif isinstance(answer, client.AsyncStream):
            async with answer:
                await anext(answer)
        else:
            await answer
    lab.was_asked_rightly()


def test_both_clients_take_the_same() -> None:
    with Client("http://lab") as waiting:
        awaiting = AsyncClient("http://lab")
        for operation in OPERATIONS:
            one, other = (method_of(where, operation) for where in (waiting, awaiting))
            assert inspect.signature(one).parameters == inspect.signature(other).parameters


def test_a_program_that_asks_brings_no_server() -> None:
    program = (
        "import json, sys\nimport genoflow.api.client\nprint(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(re.findall(r'"([^"]+)"', done.stdout))
    servers = {
        "asyncpg",
        "fastapi",
        "starlette",
        "uvicorn",
        "aiokafka",
        "boto3",
        "click",
        "fastavro",
    }
    assert loaded & servers == set()
    ours = {name for name in loaded if name.startswith("genoflow.") and "api.client" not in name}
    assert ours == {"genoflow.api", "genoflow.events", "genoflow.events.errors"}


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value)
        and issubclass(value, errors.ApiError)
        and value.__module__ == errors.__name__
    }
    assert drawn | {"ApiError"} == defined
    assert defined <= set(client.__all__)
    assert all(hasattr(client, name) for name in client.__all__)
