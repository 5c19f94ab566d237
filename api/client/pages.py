"""Lists that are longer than an answer: walked row by row or page by page, along their `next`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import httpx2
from pydantic import ValidationError
from pydantic_core import from_json

from genoflow.api.client.answers import Head, adapter_of, heard_head, unreadable
from genoflow.api.client.call import Call
from genoflow.api.client.errors import Unreadable, denied
from genoflow.api.client.wire import AsyncWire, Wire

T = TypeVar("T")
AFTER = "after"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and where the next ones begin."""

    items: tuple[T, ...]
    next: str | None  # hand it to `after`, here or in another process; None at the end
    head: Head = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Listing(Generic[T]):
    """A list that was asked for and not yet read."""

    call: Call
    row: type[T]
    field: str  # under which its rows stand

    def read(self, response: httpx2.Response) -> Page[T]:
        """The page that a response holds."""
        if response.status_code != 200:
            raise denied(response)
        try:
            body: Any = from_json(response.content)
            rows = tuple(adapter_of(self.row).validate_python(one) for one in body[self.field])
            following: str | None = body["next"]
        except ValidationError as error:
            raise unreadable(response, error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{response.url}: holds no page of {self.field}; take the client of "
                             f"the API's version") from error  # fmt: skip
        if following is not None and following == self.call.query.get(AFTER):
            raise Unreadable(f"{response.url}: its next page is itself; this walk would not end")
        return Page(rows, following, heard_head(response))

    def behind(self, page: Page[T]) -> Call:
        """The call for the page behind this one."""
        return replace(self.call, query={**self.call.query, AFTER: page.next})


class Pages(Generic[T]):
    """A list that is asked for while it is walked: row by row, or with `pages` page by page."""

    def __init__(self, wire: Wire, call: Call, row: type[T], field: str) -> None:
        self._wire, self._listing = wire, _Listing(call, row, field)

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        """The pages, each when it is asked for."""
        listing = self._listing
        while True:
            page = listing.read(self._wire.response(listing.call))
            yield page
            if page.next is None:
                return
            listing = replace(listing, call=listing.behind(page))

    def page(self) -> Page[T]:
        """The first page alone."""
        return next(self.pages())


class AsyncPages(Generic[T]):
    """A list that is asked for while it is walked: row by row, or with `pages` page by page."""

    def __init__(self, wire: AsyncWire, call: Call, row: type[T], field: str) -> None:
        self._wire, self._listing = wire, _Listing(call, row, field)

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for row in page.items:
                yield row

    async def pages(self) -> AsyncIterator[Page[T]]:
        """The pages, each when it is asked for."""
        listing = self._listing
        while True:
            page = listing.read(await self._wire.response(listing.call))
            yield page
            if page.next is None:
                return
            listing = replace(listing, call=listing.behind(page))

    async def page(self) -> Page[T]:
        """The first page alone."""
        return self._listing.read(await self._wire.response(self._listing.call))
