"""The one door: every route says what it asks for, or the app does not start.

1. Who calls (a session's token or a key), unless the route is public.
2. Whether that caller is within its limit.
3. Whether a role, and the scopes of a key, allow it.
4. For a write under an Idempotency-Key: whether it was done already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID, uuid4, uuid5

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from genoflow.api.errors import ErrorEnvelope
from genoflow.api.idempotency import HEADER, WRITE_SECONDS_MAX, Claim, fingerprint_of
from genoflow.api.identity.keys import KEY_PREFIX
from genoflow.api.identity.permissions import Access, Caller, Permission
from genoflow.api.identity.tokens import NotValid
from genoflow.api.limits import PER_ADDRESS, PER_KEY, PER_USER, headers_of
from genoflow.api.plain_text import check_text
from genoflow.api.refusal import CODES, Refusal
from genoflow.api.services import Services

KEY_HEADER = "X-API-Key"
MOUNTED = "/registry"  # what is asked of the registry, as the figures name it
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ENTRY_CHARACTERS_MAX = 4_000  # a token of ours has 420
F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def asks(access: Access | Permission, *, counted: bool = True) -> Callable[[F], F]:
    """Say what a route asks for; `counted=False` for one that must answer at any rate."""

    def mark(endpoint: F) -> F:
        endpoint.__dict__.update(access=access, counted=counted)
        return endpoint

    return mark


def services_of(request: Request) -> Services:
    """The services of the app that serves this request."""
    return cast("Services", request.app.state.services)


def address_of(request: Request) -> str:
    """From where a request comes, as the server knows it."""
    return request.client.host if request.client else "unknown"


def caller_of(request: Request) -> Caller:
    """Who calls, behind the door."""
    return cast("Caller", request.state.caller)


# -- what routes depend on. Each is a coroutine, however little it does: FastAPI hands a plain
# function to another thread and waits for it, which took a tenth of a read.


async def _request_name(request: Request) -> UUID:
    key = request.headers.get(HEADER)
    return uuid4() if key is None else uuid5(caller_of(request).account, key)


async def _sees_only(request: Request) -> frozenset[str] | None:
    # Fails where the door has not said it: a question without an answer to this would show all.
    return cast("frozenset[str] | None", request.state.sees_only)


async def _services(request: Request) -> Services:
    return services_of(request)


async def _caller(request: Request) -> Caller:
    return caller_of(request)


# The projects whose rows alone the caller may see; None where it may see all.
SeesOnly = Annotated[frozenset[str] | None, Depends(_sees_only)]
# What names this request: the same for a write that is sent again under its key. A route derives
# the ids of its facts from it, so that even a first try of unknown outcome leaves one fact.
RequestName = Annotated[UUID, Depends(_request_name)]
CallerHere = Annotated[Caller, Depends(_caller)]
ServicesHere = Annotated[Services, Depends(_services)]


class GuardedRoute(APIRoute):
    """A route behind the door."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        marks = getattr(endpoint, "__dict__", {})
        if "access" not in marks:
            raise TypeError(f"{path}: says not what it asks for; decorate it with asks(…)")
        self.access: Access | Permission = marks["access"]
        self.counted: bool = marks["counted"]
        extra = dict(options.pop("openapi_extra", None) or {})
        extra.setdefault("x-permission", self.access.value)
        if self.access is Access.PUBLIC:
            extra["security"] = []
        options["responses"] = self._described(options)
        super().__init__(path, endpoint, openapi_extra=extra, **options)

    def _described(self, options: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
        told = dict(options.get("responses") or {})
        usual: dict[int | str, dict[str, Any]] = {
            status: {"model": ErrorEnvelope, "description": CODES[status][0]}
            for status in (*self._refusals(options.get("methods") or ["GET"]), *told)
            if status in CODES
        }
        return {
            status: {**usual.get(status, {}), **told.get(status, {})}
            for status in sorted({*usual, *told}, key=str)
        }

    def _refusals(self, methods: list[str] | set[str]) -> list[int]:
        known = [400, 422, 500, 503]
        if WRITES.intersection(methods):
            known += [408, 413]
            known += [409] if self.access is not Access.PUBLIC else []
        if self.access is not Access.PUBLIC:
            known += [401]
        if isinstance(self.access, Permission):
            known += [403]
        return [*known, *([429] if self.counted else [])]

    def get_route_handler(self) -> Handler:
        """The route's own handler behind the four steps."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.route = self.path
            if self.access is Access.PUBLIC:
                if self.counted:
                    await count(request, f"address:{address_of(request)}", PER_ADDRESS)
                await check_text(request)
                response = await handler(request)
            else:
                caller = request.state.caller = await authenticated(request)
                await _count(request, caller)
                _allow(caller, self.access)
                request.state.sees_only = (
                    caller.sees_only(self.access) if isinstance(self.access, Permission) else None
                )  # what concerns the caller alone is told to whoever it is
                await check_text(request)  # not before: a stranger's ten megabytes are not parsed
                response = await _once(request, caller, handler)
            response.headers.update(getattr(request.state, "limit_headers", {}))
            return response

        return guarded


class GuardedMount:
    """An app of its own behind the door, for whoever has signed in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of somebody who is known and within the limit."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            request.state.route = MOUNTED
            await _count(request, await authenticated(request))
        await self._app(scope, receive, send)


async def authenticated(request: Request) -> Caller:
    """Who calls; a Refusal of 401 that tells nobody why it is one."""
    entry = _entry(request)
    services = services_of(request)
    try:
        if entry.startswith(KEY_PREFIX):
            return await services.keys.caller(entry)
        return await services.sessions.caller(entry)
    except NotValid as error:
        # Whoever tries one after the other is counted by the address, and told no more than this.
        await count(request, f"address:{address_of(request)}", PER_ADDRESS)
        raise _unauthorized("what the request shows is not valid; sign in again") from error


def _entry(request: Request) -> str:
    bearers = request.headers.getlist("authorization")
    keys = request.headers.getlist(KEY_HEADER)
    if not bearers and not keys:
        raise _unauthorized(f"sign in, and send Authorization: Bearer …, or {KEY_HEADER}")
    if len(bearers) + len(keys) > 1:
        raise _unauthorized("the request shows who calls more than once; send one of them")
    if keys:
        if not keys[0].startswith(KEY_PREFIX):
            raise _unauthorized(f"{KEY_HEADER} holds no key")
        return keys[0]
    scheme, _, entry = bearers[0].partition(" ")
    if scheme.lower() != "bearer" or not 1 <= len(entry) <= ENTRY_CHARACTERS_MAX:
        raise _unauthorized("Authorization is not of the form: Bearer …")
    return entry


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, message, headers={"WWW-Authenticate": 'Bearer realm="genoflow"'})


async def _count(request: Request, caller: Caller) -> None:
    await count(request, *count_of(caller))


def count_of(caller: Caller) -> tuple[str, int]:
    """Under which name this caller's calls are counted, and how many a minute it may make."""
    if caller.via == "key":
        return f"key:{caller.via_id}", PER_KEY
    return f"user:{caller.account}", PER_USER


async def count(request: Request, who: str, per_minute: int) -> None:
    """Count one call of somebody; a Refusal of 429 where that is one too many."""
    verdict = await services_of(request).limits.take(who, per_minute)
    request.state.limit_headers = headers_of(verdict)
    if not verdict.allowed:
        raise Refusal(
            429, f"more than {per_minute:,} calls within a minute; wait as Retry-After says",
            headers={"Retry-After": str(verdict.reset_seconds)},
        )  # fmt: skip


def _allow(caller: Caller, access: Access | Permission) -> None:
    if isinstance(access, Permission) and not caller.may(access):
        what = "this key's scopes and roles" if caller.via == "key" else "your roles"
        raise Refusal(
            403, f"{what} do not allow {access}; ask an administrator for it",
            details={"permission": access.value},
        )  # fmt: skip


async def _once(request: Request, caller: Caller, handler: Handler) -> Response:
    key = request.headers.get(HEADER)
    if key is None or request.method not in WRITES:
        return await handler(request)
    kept = services_of(request).idempotency
    claim = await kept.begin(caller.account, key, await fingerprint_of(request))
    if not isinstance(claim, Claim):
        return claim
    try:
        async with asyncio.timeout(WRITE_SECONDS_MAX):
            response = await handler(request)
    except BaseException:
        await asyncio.shield(kept.drop(claim))
        raise
    await asyncio.shield(kept.keep(claim, response))
    return response
