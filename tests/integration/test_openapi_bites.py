"""The drawn requests find what is wrong with an app: each fault that is built in is named."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Response
from pydantic import BaseModel


class Right(BaseModel):
    """What the routes promise."""

    count: int


def faulty() -> FastAPI:
    """An app that breaks one promise on each route, and asks nobody who he is."""
    app = FastAPI()

    @app.get("/right", response_model=Right)
    async def right() -> dict[str, int]:
        return {"count": 1}

    @app.get("/fails")
    async def fails(number: int = 0) -> int:
        return 1 // 0

    @app.get("/other-status")
    async def other_status() -> Response:
        return Response("{}", 418, media_type="application/json")

    @app.get("/other-body", response_model=Right)
    async def other_body() -> Response:
        return Response('{"count": "many"}', media_type="application/json")

    @app.get("/takes-anything")
    async def takes_anything() -> int:
        return 1

    return app


async def test_what_is_wrong_with_an_answer_is_found() -> None:
    from tests.openapi_cases import on_loop, play
    from tests.openapi_words import Words
    from tests.straight_in import Answer, straight_in

    app = faulty()
    document = app.openapi()
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}
    document["paths"]["/takes-anything"]["get"]["parameters"] = [limit]

    async def ask(sent: Any, is_known: bool) -> Answer:
        url = urlsplit(sent.url)
        return await straight_in(app, sent.method, url.path, url.query, [("host", "lab")], b"")

    tally = await asyncio.to_thread(
        play, document, Words(), on_loop(asyncio.get_running_loop(), ask),
        cases=200, seed_=1, seconds=30.0,
    )  # fmt: skip
    told: dict[str, str] = {}
    for key in tally.findings:
        name, _, what = key.partition(": ")
        told[name] = told.get(name, "") + what + "\n"
    assert "500 ZeroDivisionError" in told["GET /fails"]
    assert "Undocumented status code" in told["GET /other-status"]
    assert "is not of type" in told["GET /other-body"]
    assert "violating request accepted" in told["GET /takes-anything"]
    assert any("a stranger is answered" in one for one in told.values())
    assert "no request id" in told["GET /other-status"]
    assert "Undocumented" not in told.get("GET /right", "")
