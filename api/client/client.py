"""The two clients: `Client` for programs that wait, `AsyncClient` for those that await."""

from __future__ import annotations

from importlib.metadata import version
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import httpx2

from genoflow.api.client.async_resources.everything import AsyncResources
from genoflow.api.client.call import Timeouts
from genoflow.api.client.resources.everything import Resources
from genoflow.api.client.session import Session
from genoflow.api.client.wire import AsyncWire, Wire, timeout_of


def _options(url: str, timeouts: Timeouts, verify: SSLContext | bool) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise TypeError(f"{url!r}: is no address; give one such as https://lab.example.org")
    if url.rstrip("/").endswith("/v1"):
        raise TypeError(f"{url!r}: the client adds /v1 itself; give what stands before it")
    return {
        "base_url": url,
        "timeout": timeout_of(timeouts),
        "verify": verify,
        # A key goes to the address that it was given for, and to no other.
        "follow_redirects": False,
        "headers": {"User-Agent": f"genoflow-client/{version('genoflow')}"},
    }


class Client(Resources):
    """The API of one lab, for one key or one person; a block around it ends what it began."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timeouts: Timeouts | None = None,
        verify: SSLContext | bool = True,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        times = timeouts or Timeouts()
        session = Session(key=key, username=username, password=password)
        http = httpx2.Client(transport=transport, **_options(url, times, verify))
        self._wire = Wire(http, session, times)
        super().__init__(self._wire)

    def close(self) -> None:
        """Sign out where this client signed in, and close its connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        where: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


class AsyncClient(AsyncResources):
    """The API of one lab, for one key or one person; a block around it ends what it began."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timeouts: Timeouts | None = None,
        verify: SSLContext | bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        times = timeouts or Timeouts()
        session = Session(key=key, username=username, password=password)
        http = httpx2.AsyncClient(transport=transport, **_options(url, times, verify))
        self._wire = AsyncWire(http, session, times)
        super().__init__(self._wire)

    async def close(self) -> None:
        """Sign out where this client signed in, and close its connections."""
        await self._wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        where: TracebackType | None,
    ) -> None:  # fmt: skip
        await self.close()
