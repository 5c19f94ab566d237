"""Webhooks as Standard Webhooks has them: signed, thin, bounded, and without a second hop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from urllib.parse import urlsplit

import httpcore2
from standardwebhooks.webhooks import Webhook

from genoflow.processors.adapters.public_network import NoAddress, NotAllowed, PublicNetwork
from genoflow.processors.ports import Hook, Undelivered

WEBHOOK_SECONDS_MAX = 20  # Standard Webhooks asks for 15 to 30 s for the receiver's answer
GONE = 410
AGENT = "GenoFlow"

Secrets = Callable[[str], Sequence[str]]  # by the secret's name: those that are valid, newest first


class SignedWebhooks:
    """Webhooks over HTTP: the answer's body is never read, and no redirect is followed."""

    def __init__(
        self,
        secrets: Secrets,
        *,
        allowed_hosts: Collection[str] = (),
        network: PublicNetwork | None = None,
        seconds_max: float = WEBHOOK_SECONDS_MAX,
        context: ssl.SSLContext | None = None,  # the system's certificates where none is given
    ) -> None:
        self._secrets = secrets
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._network = network or PublicNetwork(allowed_hosts)
        self._seconds_max = seconds_max
        self._context = context

    async def post(self, hook: Hook, at: datetime) -> int:
        """The receiver's 2xx; Undelivered where it was any other answer, or none."""
        self._require_tls(hook.url)
        headers = self._headers(hook, at)
        try:
            async with asyncio.timeout(self._seconds_max):
                code = await self._code(hook, headers)
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
        if not 200 <= code < 300:
            raise _refused(code)
        return code

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

    def _headers(self, hook: Hook, at: datetime) -> list[tuple[str, str]]:
        name = str(hook.webhook_id)
        keys = [key for secret in hook.secret_names for key in self._secrets(secret)]
        signed = [Webhook(key).sign(name, at, hook.body) for key in keys]
        return [
            ("content-type", "application/json"),
            ("user-agent", AGENT),
            ("connection", "close"),
            ("webhook-id", name),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", " ".join(signed)),
        ]

    async def _code(self, hook: Hook, headers: list[tuple[str, str]]) -> int:
        # A client without proxies, cookies, redirects or an environment that could add them.
        async with (
            httpcore2.AsyncConnectionPool(self._context, network_backend=self._network) as pool,
            pool.stream("POST", hook.url, headers=headers, content=hook.body.encode()) as response,
        ):
            return response.status


def _refused(code: int) -> Undelivered:
    if code == GONE:
        return Undelivered("the receiver answered 410", "gone", code, is_lasting=True)
    if 300 <= code < 400:
        return Undelivered(
            f"the receiver answered {code}, and redirects are not followed; subscribe with the "
            f"address that it leads to",
            "refused",
            code,
        )
    kind = "server error" if code >= 500 else "refused"
    return Undelivered(f"the receiver answered {code}", kind, code)
