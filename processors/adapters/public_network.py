"""Connections to the public network only: a name is resolved first, and every address is looked at.

Whoever may subscribe may name any URL, and a worker stands inside the lab's network. So a receiver
is connected by an address that was checked, never by a name that may mean another one a moment
later, and a name with one address of ours among its addresses is not connected at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import httpcore2

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

ADDRESSES_MAX = 20  # of one name, to be looked at and tried; more are no receiver but a puzzle
# Networks whose addresses hold one of IPv4, which a router on the way may go on with.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
COMPATIBLE = ipaddress.ip_network("::/96")


class NotAllowed(Exception):
    """A receiver is, or may be, inside a network that is not public."""


class NoAddress(httpcore2.ConnectError):
    """A name leads nowhere, at least for now."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address that the system has for a name; OSError where it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def is_public(text: str) -> bool:
    """Whether an address belongs to the public network, and everything that is hidden in it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in (address, *_inside(address)))


def _inside(address: IpAddress) -> Iterable[IpAddress]:
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    inner: list[IpAddress] = [
        one for one in (address.ipv4_mapped, address.sixtofour) if one is not None
    ]
    if address.teredo is not None:
        inner += address.teredo
    if address in NAT64 or address in COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inner


class PublicNetwork(httpcore2.AsyncNetworkBackend):
    """A network backend of httpcore2 that connects to public addresses, and to named hosts."""

    def __init__(
        self,
        allowed_hosts: Collection[str] = (),
        *,
        resolve: Resolve = resolve,
        backend: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolve = resolve
        self._backend = backend or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- the library's name
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to a checked address of this host; NotAllowed where one is not public."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NoAddress(host) from error
        if not addresses:
            raise NoAddress(host)
        if host.lower() not in self._allowed:
            _check(addresses)
        for number, address in enumerate(addresses, start=1):
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError("the last address either answers or raises")

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 -- the library's name
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 -- the same
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.AsyncNetworkStream:
        """No socket of this machine is a receiver."""
        raise NotAllowed("it is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait, between tries of the library's own."""
        await asyncio.sleep(seconds)


def _check(addresses: Sequence[str]) -> None:
    if len(addresses) > ADDRESSES_MAX:
        raise NotAllowed(f"its name has more than {ADDRESSES_MAX} addresses")
    if not all(is_public(address) for address in addresses):
        raise NotAllowed("its name has an address that is not public")
