"""A POST to receivers of others: over TLS, bounded, without a second hop, to the public alone."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import httpcore2

from genoflow.processors.adapters.public_network import NoAddress, NotAllowed, PublicNetwork
from genoflow.processors.ports import Undelivered

POST_SECONDS_MAX = 20  # Standard Webhooks asks for 15 to 30 s for the receiver's answer
AGENT = "GenoFlow"
RETRY_AFTER_SECONDS_MAX = 86_400  # a day, the longest wait between two tries


class Answer(NamedTuple):
    """What a receiver said: its code, and when it wants to be asked again."""

    code: int
    retry_after_seconds: float | None


class PublicPost:
    """Requests over HTTP: the answer's body is never read, and no redirect is followed."""

    def __init__(
        self,
        *,
        allowed_hosts: Collection[str] = (),
        network: PublicNetwork | None = None,
        seconds_max: float = POST_SECONDS_MAX,
        context: ssl.SSLContext | None = None,  # the system's certificates where none is given
    ) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._network = network or PublicNetwork(allowed_hosts)
        self._seconds_max = seconds_max
        self._context = context

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: str) -> Answer:
        """What the receiver answered, whatever it was; Undelivered where there was no answer."""
        self._require_tls(url)
        try:
            async with asyncio.timeout(self._seconds_max):
                return await self._answer(url, headers, body)
        except NotAllowed as error:
            raise Undelivered(
                f"the receiver is not reached: {error}; name its host in GENOFLOW_WEBHOOK_HOSTS "
                f"if it is one of yours",
                "address not allowed",
                is_lasting=True,
            ) from error
        except TimeoutError as error:
            raise Undelivered(
                f"the receiver gave no answer within {self._seconds_max:g} s", "no answer"
            ) from error
        except NoAddress as error:
            raise Undelivered("the receiver's name has no address", "no answer") from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            # What the library says beside it may hold the address.
            raise Undelivered(
                f"the receiver gave no answer ({type(error).__name__})", "no answer"
            ) from error
        except httpcore2.ProtocolError as error:
            raise Undelivered("what the receiver answered is no HTTP", "no answer") from error

    def _require_tls(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
        except ValueError:
            parts, host = None, ""
        scheme = parts.scheme if parts is not None and host and url.isascii() else ""
        if scheme == "https" or (scheme == "http" and host in self._allowed):
            return
        raise Undelivered(
            "the receiver's address is no https:// one; name its host in GENOFLOW_WEBHOOK_HOSTS "
            "if it is one of yours, or subscribe with https",
            "address not allowed",
            is_lasting=True,
        )

    async def _answer(self, url: str, headers: Sequence[tuple[str, str]], body: str) -> Answer:
        said = [
            ("content-type", "application/json"),
            ("user-agent", AGENT),
            ("connection", "close"),
            *headers,
        ]
        # A client without proxies, cookies, redirects or an environment that could add them.
        async with (
            httpcore2.AsyncConnectionPool(self._context, network_backend=self._network) as pool,
            pool.stream("POST", url, headers=said, content=body.encode()) as response,
        ):
            return Answer(response.status, _retry_after(response.headers))


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float | None:
    for name, value in headers:
        text = value.decode("latin-1").strip()
        if name.lower() == b"retry-after" and text.isascii() and text.isdigit():
            return min(float(text[:9]), RETRY_AFTER_SECONDS_MAX)
    return None


def refused(answer: Answer) -> Undelivered:
    """What an answer means that is no yes."""
    code = answer.code
    if 300 <= code < 400:
        return Undelivered(
            f"the receiver answered {code}, and redirects are not followed; subscribe with the "
            f"address that it leads to",
            "refused",
            code,
        )
    kind = "server error" if code >= 500 else "refused"
    return Undelivered(
        f"the receiver answered {code}", kind, code, retry_after_seconds=answer.retry_after_seconds
    )


def gone(code: int) -> Undelivered:
    """What it means that nobody will ever take anything there."""
    return Undelivered(f"the receiver answered {code}", "gone", code, is_lasting=True)
