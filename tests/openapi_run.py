"""The OpenAPI document against the API over a cohort's rows: who asks, and what is known first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from genoflow.api import reading
from genoflow.api.identity.permissions import Permission, Role
from genoflow.events.catalogue import EVENTS
from tests.doors import PASSWORD, Door
from tests.examples import example
from tests.integration.rows_over_http import door_over, first, log_of
from tests.openapi_cases import BASE_URL, Tally, on_loop, play
from tests.openapi_words import PAGE, Words
from tests.straight_in import Answer, straight_in

ASKED_FIRST_MAX = 3  # rows of each kind that are asked one by one
LEFT_OUT = ("host", "accept-encoding")  # the document describes answers, not their compression
EXAMPLES = 3  # of each kind of event: letters of all sorts, numbers at their limits
SIGN_IN = 20  # refresh tokens to hand out: each serves once


class Askers:
    """An administrator that asks, and another one in its place when a case has shut it out."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._number = 0
        self._key = ""

    async def renew(self) -> None:
        """Somebody new, who may everything."""
        self._number += 1
        name = f"chief-{self._number}"
        await self._door.account(name, Role.ADMIN)
        self._key = await self._door.key(name, *Permission)

    async def ask(self, sent: requests.PreparedRequest, is_known: bool = True) -> Answer:
        """What the app answers to this request, from somebody it knows or from nobody."""
        headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in sent.headers.items()
            if name.lower() not in LEFT_OUT
        }
        if is_known:
            headers |= await self._shown(str(sent.url))
        url = urlsplit(str(sent.url))
        body: Any = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        answer = await straight_in(
            self._door.app, str(sent.method), url.path, url.query,
            [("host", "lab"), *headers.items()], body,
        )  # fmt: skip
        if is_known and answer.status == 401 and "/auth/" not in url.path:
            await self.renew()
        return answer

    async def _shown(self, url: str) -> dict[str, str]:
        if url.endswith("/auth/logout"):  # a session ends there, and a key has none
            return {"Authorization": f"Bearer {(await self.signed_in())['access_token']}"}
        return {"X-API-Key": self._key}

    async def signed_in(self) -> dict[str, Any]:
        """What signing in answers."""
        return await self._door.login(f"chief-{self._number}")


async def learned(askers: Askers, document: dict[str, Any]) -> Words:
    """What the routes tell about the rows that there are."""
    words = Words()
    words.add("username", "chief-1")
    words.add("password", PASSWORD)
    for _ in range(SIGN_IN):
        words.add("refresh_token", (await askers.signed_in())["refresh_token"])
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    for path in sorted(paths, key=lambda one: one.count("{")):
        if path.endswith("/stream"):
            continue
        named = document["paths"][path]["get"].get("parameters", [])
        limited = f"?limit={PAGE}" if any(one["name"] == "limit" for one in named) else ""
        for address in addresses(path, words):
            sent = requests.Request("GET", f"{BASE_URL}{address}{limited}").prepare()
            words.learn(path, await askers.ask(sent))
    return words


def addresses(path: str, words: Words) -> list[str]:
    """A path with the ids of some rows in it."""
    before, mark, rest = path.partition("{")
    if not mark:
        return [path]
    name, _, after = rest.partition("}")
    return [
        f"{before}{quote(str(word), safe='')}{after}"
        for word in words.of(path, name)[:ASKED_FIRST_MAX]
    ]


@asynccontextmanager
async def room(postgres_url: str) -> AsyncIterator[Door]:
    """The API over a cohort's rows, and over rows of made-up events of every kind."""
    made_up = [example(kind, number) for kind in EVENTS for number in range(EXAMPLES)]
    async with log_of(*first(), *made_up) as log, door_over(postgres_url, log) as door:
        yield door


async def play_all(door: Door, *, cases: int, seed_: int, seconds: float) -> Tally:
    """Ask so many cases of all that the document describes."""
    document = json.loads((await door.client.get("/v1/openapi.json")).content)
    askers = Askers(door)
    await askers.renew()
    words = await learned(askers, document)
    ask = on_loop(asyncio.get_running_loop(), askers.ask)
    with without_waits():
        return await asyncio.to_thread(
            play, document, words, ask, cases=cases, seed_=seed_, seconds=seconds
        )


@contextmanager
def without_waits() -> Iterator[None]:
    """Nobody feeds the rows meanwhile: to wait for a position that was made up is in vain."""
    before = reading.WAIT_SECONDS_MAX
    reading.WAIT_SECONDS_MAX = 2 * reading.PAUSE_SECONDS
    try:
        yield
    finally:
        reading.WAIT_SECONDS_MAX = before
