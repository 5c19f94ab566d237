"""A lab's information system behind a REST interface, as its mapping describes it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore2

from genoflow.events.errors import Parked, Refused, Retry
from genoflow.processors.lims_mapping import LimsMapping, at, is_wanted, mapped, order_in
from genoflow.processors.ports import LimsSaidNo, Report

CALL_SECONDS_MAX = 20.0  # twice in an effect of 60 s: asked, and then told
ANSWER_BYTES_MAX = 10_000_000  # 1,000 orders of 100 members of 100 characters
PAGES_MAX = 100
ORDERS_MAX = 10_000  # a lab's year; what is done there is not offered any more
SAID_CHARACTERS_MAX = 300  # of an answer that is a no, for people
NOT_FOUND = (404, 410)
AGAIN = (408, 425, 429)  # beside all of 5xx: it may be otherwise a moment later
HOSTS_OF_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class LimsSilent(Retry):
    """The system gave no answer, or one that says to ask again."""


class RestLims:
    """Orders from and facts to a REST interface: no redirects, no second origin, bounded."""

    def __init__(
        self,
        url: str,
        mapping: LimsMapping,
        token: Callable[[], str] | None = None,
        *,
        context: ssl.SSLContext | None = None,  # the system's certificates where none is given
        seconds_max: float = CALL_SECONDS_MAX,
    ) -> None:
        parts = urlsplit(url)
        is_local = parts.hostname in HOSTS_OF_THIS_MACHINE
        if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
            raise Refused(
                f"GENOFLOW_LIMS: {parts.scheme}://{parts.hostname} is no https:// address; a token "
                f"and what is told of samples go over no open line"
            )
        self._url = url.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self._mapping = mapping
        self._token = token
        self._context = context
        self._seconds_max = seconds_max

    async def knows(self, report: Report) -> bool:
        """Whether it has this fact already; LimsSilent where it does not answer."""
        results = self._mapping.results
        if results is None or results.lookup is None:
            return False
        if not is_wanted(results, report.occurred_at):
            return False
        address = self._address(results.lookup, report)
        code, body = await self._call("GET", address)
        if code in NOT_FOUND:
            return False
        _require_yes(code, body, f"GET {results.lookup}")
        return True

    async def take(self, report: Report) -> bool:
        """Send it; False where the mapping does not want it; LimsSaidNo where it is refused."""
        results = self._mapping.results
        if results is None or not is_wanted(results, report.occurred_at):
            return False
        document = {
            "event_id": str(report.event_id), "type": report.event_type,
            "subject": report.subject, "occurred_at": report.occurred_at.isoformat(),
            **json.loads(report.body),
        }  # fmt: skip
        sent = document if results.fields is None else mapped(document, results.fields)
        address = self._address(results.path, report)
        headers = [("idempotency-key", str(report.event_id))]
        code, body = await self._call(results.method, address, sent, headers)
        _require_yes(code, body, f"{results.method} {results.path}")
        return True

    async def orders(self) -> Sequence[tuple[str, object]]:
        """Every order that is released there, each with its place, in the words of our orders."""
        mapping = self._mapping.orders
        if mapping is None:
            raise Refused("the mapping of the LIMS names no orders; add them, then pull again")
        found: list[tuple[str, object]] = []
        address: str | None = self._url + mapping.path
        for number in range(1, PAGES_MAX + 1):
            assert address is not None
            code, body = await self._call("GET", address)
            _require_yes(code, body, f"GET {mapping.path}")
            answer = _json(body, mapping.path)
            rows = at(answer, mapping.items)
            if not isinstance(rows, list):
                raise LimsSaidNo(
                    f"GET {mapping.path}: its answer holds no list at {mapping.items!r}; mend "
                    f"orders.items of the mapping"
                )
            place = f"page {number}" if mapping.next else mapping.path
            found += [
                (f"{place} order {n}", order_in(one, mapping)) for n, one in enumerate(rows, 1)
            ]
            if len(found) > ORDERS_MAX:
                raise Refused(f"GET {mapping.path}: offers more than {ORDERS_MAX:,} orders")
            behind = at(answer, mapping.next) if mapping.next else None
            if not isinstance(behind, str) or not behind:
                return found
            address = self._next(address, behind)
        raise Refused(f"GET {mapping.path}: has more than {PAGES_MAX} pages; ask for fewer orders")

    def _address(self, path: str, report: Report) -> str:
        named = {"event_id": str(report.event_id), "subject": quote(report.subject, safe="")}
        for name, value in named.items():
            path = path.replace(f"{{{name}}}", value)
        return self._url + path

    def _next(self, address: str, behind: str) -> str:
        following = urljoin(address, behind)
        parts = urlsplit(following)
        if (parts.scheme, parts.netloc) != self._origin:
            raise LimsSaidNo("the next page of its orders is on another server; that is not asked")
        return following

    async def _call(
        self, method: str, address: str, document: Any = None, more: Sequence[Any] = ()
    ) -> tuple[int, bytes]:
        headers = [("accept", "application/json"), ("connection", "close"), *more]
        content = b""
        if document is not None:
            content = json.dumps(document, ensure_ascii=False).encode()
            headers.append(("content-type", "application/json"))
        if self._token is not None:
            headers.append(("authorization", f"Bearer {self._token()}"))
        try:
            async with asyncio.timeout(self._seconds_max):
                return await self._answer(method, address, headers, content)
        except TimeoutError as error:
            raise LimsSilent(
                f"the LIMS gave no answer within {self._seconds_max:g} s; is it up?"
            ) from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise LimsSilent(f"the LIMS gave no answer ({type(error).__name__})") from error
        except httpcore2.ProtocolError as error:
            raise LimsSilent("what the LIMS answered is no HTTP") from error

    async def _answer(
        self, method: str, address: str, headers: list[tuple[str, str]], content: bytes
    ) -> tuple[int, bytes]:
        body = bytearray()
        async with (
            httpcore2.AsyncConnectionPool(self._context) as pool,
            pool.stream(method, address, headers=headers, content=content) as response,
        ):
            async for piece in response.aiter_stream():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise LimsSaidNo(
                        f"{method}: its answer is longer than {ANSWER_BYTES_MAX:,} bytes; ask for "
                        f"smaller pages"
                    )
            return response.status, bytes(body)


def _require_yes(code: int, body: bytes, what: str) -> None:
    if 200 <= code < 300:
        return
    if code >= 500 or code in AGAIN:
        raise LimsSilent(f"{what}: the LIMS answered {code}; it is asked again")
    if code in (401, 403):
        raise Parked(
            f"{what}: the LIMS answered {code}; put a token that may into the file of "
            f"GENOFLOW_LIMS_TOKEN_FILE, then `genoflow parked requeue`"
        )
    said = body.decode("utf-8", "replace")[:SAID_CHARACTERS_MAX].strip()
    told = f" ({said})" if said else ""
    raise LimsSaidNo(f"{what}: the LIMS answered {code}{told}; mend it there, or the mapping", code)


def _json(body: bytes, path: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LimsSaidNo(f"GET {path}: its answer is no JSON ({error})") from error
