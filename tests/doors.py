"""An API over a database of its own: with a clock that a test moves, and a quick hash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import httpx2
from argon2 import PasswordHasher
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from starlette.datastructures import State

from genoflow.api.app import create_app
from genoflow.api.desks import Links
from genoflow.api.guard import CallerHere, GuardedRoute, RequestName, asks
from genoflow.api.hot import Hot
from genoflow.api.identity.accounts import Account
from genoflow.api.identity.passwords import Passwords
from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.identity.tables import prepare
from genoflow.api.identity.tokens import Tokens, new_key
from genoflow.api.limits import MemoryLimits
from genoflow.api.ports import Outside, RateLimits, Uploads, UploadStore, Verdict
from genoflow.api.services import Services, services
from genoflow.deploy.api_services import as_it_is
from genoflow.deploy.burdens import LogProcesses
from genoflow.deploy.desks import desks
from genoflow.deploy.order_reader import OrderReader
from genoflow.deploy.porch import LogPorch
from genoflow.deploy.settings import Settings
from genoflow.events.envelope import Actor
from genoflow.events.errors import LogUnavailable, Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import EventLog
from genoflow.events.registry import read_editions
from tests.sending import FakeUploads

PASSWORD = "a sentence that nobody guesses"
BY = Actor(kind="person", id="tests")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class _Kept:
    """Apps that nobody uses now; their routers live as long as the ids by which they are found."""

    routers: Sequence[APIRouter]
    apps: list[FastAPI] = field(default_factory=list)


_apps: dict[tuple[int | str, ...], _Kept] = {}
toys = APIRouter(prefix="/toys", tags=["toys"], route_class=GuardedRoute)


class Toy(BaseModel):
    """What the tests write."""

    sample_id: str
    count: int = 0


class Shelf:
    """What the toy's routes have done, and what they wait for."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.open = asyncio.Event()
        self.open.set()


@toys.post("", status_code=201)
@asks(Permission.SAMPLES_WRITE)
async def make(toy: Toy, caller: CallerHere, request: Request) -> dict[str, Any]:
    """Make a toy, unless its name says how to fail."""
    shelf: Shelf = request.app.state.shelf
    await shelf.open.wait()
    if toy.sample_id == "refused":
        raise Refused("refused: there is such a toy; choose another name")
    if toy.sample_id == "away":
        raise LogUnavailable("no broker answers")
    if toy.sample_id == "broken":
        raise ZeroDivisionError("a secret of the program")
    shelf.made.append(toy.sample_id)
    return {"made": len(shelf.made), "by": caller.username, "sample_id": toy.sample_id}


@toys.post("/name")
@asks(Permission.SAMPLES_WRITE)
async def name(caller: CallerHere, called: RequestName) -> dict[str, Any]:
    """What the facts of this request would be named by."""
    return {"name": called, "actor": caller.actor}


@toys.get("")
@asks(Permission.SAMPLES_READ)
async def read(caller: CallerHere) -> dict[str, Any]:
    """Something long enough to be compressed."""
    return {"text": "toy " * 1_000, "via": caller.via}


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What the services take for now."""
        return self.now

    def move(self, **duration: float) -> None:
        """Let this much time pass."""
        self.now += timedelta(**duration)


class Unlimited(RateLimits):
    """For tests that ask more often than anybody may."""

    async def take(self, who: str, per_minute: int) -> Verdict:
        """Let everything through."""
        return Verdict(True, per_minute, per_minute, 60)


@dataclass
class Announced:
    """An announcer that keeps what it is told, and can fail."""

    facts: list[Event] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    async def append(self, event: Event) -> object:
        """Keep it, or raise what the test wants."""
        if self.failures:
            raise self.failures.pop(0)
        self.facts.append(event)
        return len(self.facts)


@dataclass
class Door:
    """The services, the clock, the keys that sign tokens, and clients of the app."""

    services: Services
    clock: Clock
    keys: dict[str, bytes]
    app: FastAPI
    client: httpx2.AsyncClient

    async def account(self, name: str, *roles: Role) -> Account:
        """An account of this name with the usual password."""
        return await self.services.accounts.create(name, PASSWORD, frozenset(roles), BY)

    async def login(self, name: str) -> dict[str, Any]:
        """What the API answers to a right password."""
        asked = {"username": name, "password": PASSWORD}
        answer = await self.client.post("/v1/auth/login", json=asked)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def bearer(self, name: str, *roles: Role) -> dict[str, str]:
        """The header with which a new account of these roles calls."""
        await self.account(name, *roles)
        return {"Authorization": f"Bearer {(await self.login(name))['access_token']}"}

    async def key(self, name: str, *scopes: Permission, days: int = 30) -> str:
        """A key of an account that is there."""
        account = await self.services.accounts.find(name)
        _, key = await self.services.keys.create(account, "a program", scopes, days, BY)
        return key


@asynccontextmanager
async def open_door(
    postgres_url: str,
    *,
    routers: Sequence[APIRouter] = (),
    limits: RateLimits | None = None,
    cors_origins: Sequence[str] = (),
    log: EventLog | None = None,
    settings: Settings | None = None,
    links: Links | None = None,
    uploads: UploadStore | None = None,
) -> AsyncIterator[Door]:
    """The API over this database and log, until the end of the block."""
    clock, keys = Clock(), dict([new_key()])
    log = log or MemoryLog()
    with TemporaryDirectory() as home:
        known = settings or Settings(home=Path(home), person_patterns=())
        asked = desks(known, log)
        asked = replace(asked, links=links) if links else asked
        reader = OrderReader(known.person_patterns)
        sent = Uploads(uploads or FakeUploads(), known.upload_bytes_max)
        porch, processes = LogPorch(log, known.person_patterns), LogProcesses(log)
        outside = Outside(porch, asked, reader, sent, processes)
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=4, reset=as_it_is) as pool:
        async with pool.acquire() as connection:
            await prepare(connection)
        made = services(
            pool,
            tokens=Tokens(keys),
            passwords=Passwords(QUICK),
            limits=limits or MemoryLimits(),
            clock=clock,
            spans=log.spans,
        )
        with _app(made, outside, routers, cors_origins) as app:
            transport = httpx2.ASGITransport(app=Hot(app, made), raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://lab") as client:
                yield Door(made, clock, keys, app, client)


@contextmanager
def _app(
    made: Services, outside: Outside, routers: Sequence[APIRouter], origins: Sequence[str]
) -> Iterator[FastAPI]:
    """An app over these, with nothing of another door but its routes: they take a second to make.

    One that is in use is nobody else's.
    """
    key: tuple[int | str, ...] = (*map(id, routers), *origins)
    kept = _apps.setdefault(key, _Kept(routers))
    app = kept.apps.pop() if kept.apps else create_app(
        made, read_editions(), outside, routers=routers, cors_origins=origins
    )  # fmt: skip
    app.state = State(
        {"services": made, "outside": outside, "codec": app.state.codec, "shelf": Shelf()}
    )
    yield app
    kept.apps.append(app)


def refused(answer: httpx2.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The error of an answer that is a refusal of this status, in its envelope."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert "category" in error["details"]
    if code is not None:
        assert error["code"] == code
    return error
