"""Reads by key that many ask for: their answers are kept as long as nothing in them has changed.

1. A plain GET of such a route is looked up together with all others that wait (`together.py`): who
   calls, and which version its row has. That happens for every request.
2. Where the answer to that version is kept, it is sent, with what is this request's own: its id,
   its limits, and the position. It is counted and told like any other.
3. In every other case the request goes the usual way, and what comes of it is kept, if it can be.

So an answer is never older than the rows, no refusal is given here, and there is one place where
answers are made.
"""

from __future__ import annotations

import logging
import re
import time
import zlib
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genoflow.api.errors import REQUEST_ID
from genoflow.api.guard import KEY_HEADER, count_of
from genoflow.api.identity.keys import KEY_PREFIX
from genoflow.api.identity.permissions import Caller, Permission
from genoflow.api.identity.tokens import NotValid
from genoflow.api.limits import LIMIT_HEADERS, headers_of
from genoflow.api.middleware import ALIAS, BASE, GIVEN
from genoflow.api.ports import UNAVAILABLE
from genoflow.api.reading import POSITION
from genoflow.api.reads import Subject, shown_in
from genoflow.api.refusal import Refusal
from genoflow.api.services import Services
from genoflow.api.together import Found, Shown, Together, Versions
from genoflow.api.tracing import HEADER as TRACE
from genoflow.api.tracing import Step
from genoflow.projections.run_versions import run_versions
from genoflow.projections.samples import sample_versions

ANSWER_BYTES_MAX = 100_000  # a sample of 32 lanes has 30 kB
KEPT_BYTES_MAX = 64_000_000  # some 20,000 answers of 3 kB
ANSWER_OVERHEAD_BYTES = 2_000  # its headers and what it shows, about
HEADERS_MAX = 40  # a browser sends 20; whoever sends more may wait longer
# With one of these a request, or its answer, is no plain one.
UNUSUAL = frozenset({
    b"if-none-match", b"origin", b"content-type", b"content-length", b"transfer-encoding",
})  # fmt: skip
OWN = (REQUEST_ID, POSITION, *LIMIT_HEADERS)
_RAW_TRACE = TRACE.encode()
_RAW_REQUEST_ID, _RAW_KEY = REQUEST_ID.lower().encode(), KEY_HEADER.lower().encode()
GZIP_ENDS = 16 + zlib.MAX_WBITS
_log = logging.getLogger("genoflow.api.requests")


@dataclass(frozen=True, slots=True)
class HotRoute:
    """A route of which answers are kept: how it is found, and what its answers depend on."""

    path: str  # below BASE, as the route itself has it
    permission: Permission
    versions: Versions
    others: frozenset[str] = frozenset()  # names that are routes of their own


HOT = (
    HotRoute(
        "/samples/{sample_id}", Permission.SAMPLES_READ, sample_versions,
        frozenset({"counts", "waiting"}),
    ),
    HotRoute(
        "/execution/jobs/{job_id}", Permission.RUNS_READ, run_versions, frozenset({"counts"})
    ),
)  # fmt: skip
_BY_PREFIX = {BASE + one.path.partition("{")[0]: one for one in HOT}
_PATH = re.compile(
    rf"(?:{re.escape(ALIAS.removesuffix(BASE))})?"
    rf"({'|'.join(map(re.escape, _BY_PREFIX))})([A-Za-z0-9][A-Za-z0-9._-]{{0,99}})"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A plain GET of a hot route."""

    route: HotRoute
    row: str
    shown: Shown
    takes_gzip: bool
    request_id: str
    trace: str  # as it was given; empty where none was

    @property
    def name(self) -> tuple[str, str, bool]:
        """Under what its answer is kept."""
        return self.route.path, self.row, self.takes_gzip


@dataclass(frozen=True, slots=True)
class _Answer:
    version: str
    headers: tuple[tuple[bytes, bytes], ...]
    own: tuple[tuple[str, int], ...]  # which headers are each request's own, and their places
    body: bytes
    subjects: Collection[Subject]

    @property
    def size_bytes(self) -> int:
        return len(self.body) + ANSWER_OVERHEAD_BYTES


class _Kept:
    """Answers, those that were asked for last."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str, bool], _Answer] = OrderedDict()
        self._bytes = 0

    def get(self, name: tuple[str, str, bool], version: str) -> _Answer | None:
        """The answer to this version, if it is here."""
        found = self._answers.get(name)
        if found is None or found.version != version:
            return None
        self._answers.move_to_end(name)
        return found

    def put(self, name: tuple[str, str, bool], answer: _Answer) -> None:
        """Keep it instead of what was there, and forget what was not asked for the longest."""
        before = self._answers.pop(name, None)
        self._bytes += answer.size_bytes - (before.size_bytes if before else 0)
        self._answers[name] = answer
        while self._bytes > KEPT_BYTES_MAX:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= oldest.size_bytes


class Hot:
    """Answers plain GETs of hot routes from what is kept, and hands everything else to the app.

    It stands before the whole app: what surrounds every request there is in the kept answers.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._together = Together(services.pool, services.sessions, services.keys)
        self._kept = _Kept()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        asked = self._asked(scope) if scope["type"] == "http" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        spans = self._services.spans
        step = None if spans is None else Step(asked.trace, spans)
        try:
            found = await self._together.ask(asked.shown, asked.route.versions, asked.row)
        except UNAVAILABLE:
            await self._app(scope, receive, send)  # which says so
            return
        caller, version = found.caller, found.version
        if caller is None or version is None or not _sees_all(caller, asked.route.permission):
            await self._app(scope, receive, send)
            return
        answer = self._kept.get(asked.name, version)
        headers = None if answer is None else await self._headers(asked, answer, caller, found)
        if answer is None or headers is None:
            await self._app(scope, receive, _Keeping(send, self._kept, asked, version).send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        took = time.monotonic() - begun
        self._services.figures.answered("GET", asked.route.path, 200, took)
        if step is not None:
            step.answered("GET", asked.route.path, 200, asked.request_id)
        if _log.isEnabledFor(logging.DEBUG):
            line = (scope["path"], round(took * 1_000), asked.request_id)
            _log.debug("GET %s: 200 in %d ms, request %s, from what is kept", *line)

    async def _headers(
        self, asked: _Asked, answer: _Answer, caller: Caller, found: Found
    ) -> list[tuple[bytes, bytes]] | None:
        """What the answer is sent with, once it is counted and told; None where it is refused."""
        verdict = await self._services.limits.take(*count_of(caller))
        if not verdict.allowed:
            return None  # one that is refused is not counted, so that it can be refused again
        try:
            self._services.reads.add(caller, asked.route.path, answer.subjects)
        except Refusal:
            return None
        own = {REQUEST_ID: asked.request_id, POSITION: found.position, **headers_of(verdict)}
        headers = list(answer.headers)
        for name, place in answer.own:
            headers[place] = (headers[place][0], own[name].encode())
        return headers

    def _asked(self, scope: Scope) -> _Asked | None:
        if scope["method"] != "GET" or scope["query_string"]:
            return None
        found = _PATH.fullmatch(scope["path"])
        if found is None or len(scope["headers"]) > HEADERS_MAX:
            return None
        route, row = _BY_PREFIX[found[1]], found[2]
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]) or not UNUSUAL.isdisjoint(headers):
            return None
        shown = self._shown(headers)
        if shown is None or row in route.others:
            return None
        given = headers.get(_RAW_REQUEST_ID, b"").decode("latin-1")
        request_id = given if GIVEN.fullmatch(given) else str(uuid4())
        takes_gzip = b"gzip" in headers.get(b"accept-encoding", b"")
        trace = headers.get(_RAW_TRACE, b"").decode("latin-1")
        return _Asked(route, row, shown, takes_gzip, request_id, trace)

    def _shown(self, headers: dict[bytes, bytes]) -> Shown | None:
        bearer, key = headers.get(b"authorization"), headers.get(_RAW_KEY)
        if (bearer is None) == (key is None):
            return None
        if key is None:
            scheme, _, entry = (bearer or b"").decode("latin-1").partition(" ")
            if scheme.lower() != "bearer":
                return None
        else:
            entry = key.decode("latin-1")
            if not entry.startswith(KEY_PREFIX):
                return None
        try:
            if entry.startswith(KEY_PREFIX):
                return self._services.keys.hash_of(entry)
            return self._services.sessions.claims(entry)
        except NotValid:
            return None


def _sees_all(caller: Caller, permission: Permission) -> bool:
    """Whether an answer is the same for this caller as for others: a partner sees a part."""
    return caller.may(permission) and caller.sees_only(permission) is None


class _Keeping:
    """Passes an answer on, and keeps it when it is whole and plain."""

    def __init__(self, send: Send, kept: _Kept, asked: _Asked, version: str) -> None:
        self._send = send
        self._kept = kept
        self._asked = asked
        self._version = version
        self._headers: tuple[tuple[bytes, bytes], ...] | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Pass on one part of the answer."""
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._headers = tuple((bytes(name), bytes(value)) for name, value in message["headers"])
        elif message["type"] == "http.response.body" and self._headers is not None:
            self._body += message.get("body", b"")
            if len(self._body) > ANSWER_BYTES_MAX:
                self._headers = None
            elif not message.get("more_body", False):
                self._keep(self._headers)
        await self._send(message)

    def _keep(self, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        is_packed = dict(headers).get(b"content-encoding") == b"gzip"
        body = zlib.decompress(self._body, GZIP_ENDS) if is_packed else self._body
        places = {name: place for place, (name, _) in enumerate(headers)}
        own = tuple((name, places[name.lower().encode()]) for name in OWN)
        answer = _Answer(self._version, headers, own, self._body, shown_in(body))
        self._kept.put(self._asked.name, answer)
