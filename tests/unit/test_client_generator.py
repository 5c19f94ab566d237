"""What the client's generator makes of operations that the API may get: bodies, links, files."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx2
import pytest
from fastapi import Body, FastAPI, Header, Query, Response
from pydantic import BaseModel, Field

from genoflow.api.app import document_of
from genoflow.api.client import Client, Unreachable, head_of, models, resources
from genoflow.api.operations import operation_id
from tools.client import CLIENT, written

AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"


class Part(BaseModel):
    """A part of a wish."""

    name: str
    copy_: Annotated[int, Field(alias="copy")] = 1


class Wish(BaseModel):
    """What is wished for."""

    sample_id: str
    parts: list[Part]
    kind: Literal["small", "large"] = "small"
    note: str | None = None


class Made(BaseModel):
    """What was made."""

    sample_id: str
    schema_: Annotated[str, Field(alias="schema")]
    state: Literal["made", "kept"]
    made_of: list[Part]


class Begun(BaseModel):
    """What is not done yet."""

    link: str


class Call(BaseModel):
    """Something with a name that is taken."""

    number: int


def app() -> FastAPI:
    """An API of wishes."""
    there = FastAPI(generate_unique_id_function=operation_id)
    link: dict[int | str, dict[str, Any]] = {202: {"model": Begun}}

    @there.post("/v1/wishes", tags=["wishes"], status_code=201, responses=link)
    async def create_wish(wish: Wish) -> Made:
        """Wish for something."""
        raise NotImplementedError

    @there.delete("/v1/wishes/{wish_id}", tags=["wishes"], status_code=204)
    async def delete_wish(
        wish_id: str, reason: Annotated[str, Query()], x_why: Annotated[str | None, Header()] = None
    ) -> None:
        """Wish for it no more."""

    @there.get("/v1/wishes/{wish_id}/report", tags=["wishes"], response_class=Response,
               responses={200: {"content": {"text/csv": {}}}})  # fmt: skip
    async def show_report(
        wish_id: UUID, sort: Literal["up", "down"] = "up",
        after: Annotated[str | None, Query(alias="from")] = None,
    ) -> Response:  # fmt: skip
        """Tell all of it."""
        return Response()

    @there.put("/v1/wishes/{wish_id}/picture", tags=["wishes"])
    async def put_picture(
        wish_id: UUID, picture: Annotated[bytes, Body(media_type="image/png")]
    ) -> dict[str, int]:
        """Keep a picture."""
        return {}

    @there.post("/v1/wishes/copies", tags=["wishes"])
    async def copy_wish(wish: Annotated[dict[str, Any], Body()]) -> Made:
        """Wish for the same."""
        raise NotImplementedError

    @there.get("/v1/parts", tags=["parts of it"])
    async def list_parts() -> list[Part]:
        """List all parts."""
        return []

    return there


@pytest.fixture
def wishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The class of the wishes' calls, as it would stand in the client."""
    for name, text in written(document_of(app())).items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    for package in (models, resources):
        room = str(tmp_path / CLIENT / package.__name__.rpartition(".")[2])
        monkeypatch.setattr(package, "__path__", [room])
        for name in [one for one in sys.modules if one.startswith(f"{package.__name__}.")]:
            leaf = name.rpartition(".")[2]
            monkeypatch.delitem(sys.modules, name)  # another test may have asked for the real ones
            monkeypatch.setattr(package, leaf, getattr(package, leaf))
    known = set(sys.modules)
    yield importlib.import_module(f"{resources.__name__}.wishes").WishesCalls
    for name in set(sys.modules) - known:
        if name.startswith((models.__name__, resources.__name__)):
            del sys.modules[name]


class Heard:
    """Answers as it is told, and keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[httpx2.Response | Exception] = []
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_writes_links_and_files_have_types_of_their_own(wishes: Any) -> None:
    heard = Heard()
    with Client("http://lab/at/home", transport=httpx2.MockTransport(heard)) as lab:
        calls = wishes(lab._wire)
        body = {
            "sample_id": "S1",
            "schema": "x",
            "state": "other",
            "made_of": [{"name": "a", "copy": 2}],
        }
        heard.answers = [
            httpx2.Response(201, json=body, headers={"GenoFlow-Position": "AQ"}),
            httpx2.Response(
                202, json={"link": "/v1/wishes/1"}, headers={"Location": "/v1/wishes/1"}
            ),
            httpx2.Response(204),
            httpx2.Response(200, text="a,b"),
            httpx2.Response(200, json={"bytes": 3}),
            httpx2.Response(200, json=body),
        ]
        made = calls.create(sample_id="S1", parts=[{"name": "a"}], kind="large")
        assert (type(made).__name__, made.state, made.schema_) == ("Made", "other", "x")
        assert (made.made_of[0].copy_, head_of(made).position) == (2, "AQ")
        begun = calls.create(sample_id="S1", parts=[made.made_of[0]])
        assert (type(begun).__name__, head_of(begun).status) == ("Begun", 202)
        assert head_of(begun).location == "/v1/wishes/1"
        assert calls.delete("a b", reason="enough", x_why="because") is None
        assert calls.get_report(AN_ID, sort="down", from_="x") == b"a,b"
        assert calls.put_picture(AN_ID, content=b"png") == {"bytes": 3}
        assert calls.copy(body={"note": None}) == made
    first, second, third, fourth, fifth, sixth = heard.asked
    assert first.content == b'{"sample_id":"S1","parts":[{"name":"a"}],"kind":"large"}'
    assert second.content == b'{"sample_id":"S1","parts":[{"name":"a","copy":2}]}'
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]
    assert (third.url.raw_path, third.headers["X-Why"]) == (
        b"/at/home/v1/wishes/a%20b?reason=enough", "because",
    )  # fmt: skip
    assert dict(fourth.url.params) == {"sort": "down", "from": "x"}
    assert sixth.content == b'{"note":null}'
    assert (fifth.content, fifth.headers["Content-Type"]) == (b"png", "image/png")


def test_a_write_without_an_answer_says_how_to_repeat_it(
    wishes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    heard.answers = [httpx2.ReadTimeout("late")] * 4
    waits: list[float] = []
    with Client("http://lab", transport=httpx2.MockTransport(heard)) as lab:
        monkeypatch.setattr(lab._wire, "wait", waits.append)
        with pytest.raises(Unreachable, match="idempotency_key='mine': it is done once") as caught:
            wishes(lab._wire).create(sample_id="S1", parts=[], idempotency_key="mine")
    assert caught.value.idempotency_key == "mine"
    assert caught.value.request_id == heard.asked[-1].headers["X-Request-ID"]
    assert {request.headers["Idempotency-Key"] for request in heard.asked} == {"mine"}
    assert len(waits) == 3


def test_names_that_clash_are_refused() -> None:
    there = FastAPI(generate_unique_id_function=operation_id)

    @there.post("/v1/wishes/{sample_id}", tags=["wishes"])
    async def create_wish(sample_id: str, wish: Wish) -> None:
        """Wish for it twice."""

    with pytest.raises(SystemExit, match=r"takes \['sample_id'\] twice; rename one"):
        written(document_of(there))


def test_models_do_not_take_names_of_the_client() -> None:
    there = FastAPI(generate_unique_id_function=operation_id)

    @there.get("/v1/calls", tags=["calls"])
    async def show_call() -> Call:
        """Show one."""
        raise NotImplementedError

    with pytest.raises(SystemExit, match=r"\['Call'\]: are names of the client itself"):
        written(document_of(there))
