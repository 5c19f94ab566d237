"""The next records are read and decoded while Postgres writes the ones before them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from genoflow.events.log.port import Reader, Vector
from genoflow.events.log.recorded import Recorded

# Some 10 µs each: whoever waits for Postgres goes on within half a millisecond of its answer.
RECORDS_AT_ONCE = 50

Read = tuple[list[Recorded], Vector]  # records, and where the reader is behind them


class Ahead:
    """Polls a reader once more than it was asked: two batches are in memory at a time."""

    def __init__(
        self, reader: Reader, seconds: float, records_max: int, *, is_decoded: bool = True
    ) -> None:
        self._reader = reader
        self._seconds = seconds
        self._records_max = records_max
        self._is_decoded = is_decoded
        self._next: asyncio.Task[Read] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)

    async def poll(self) -> Read:
        """The records that follow, none if none came in time; begins to read those behind them."""
        read = self._next or asyncio.create_task(self._read())
        self._next = read  # so that it is ended, too, where this wait is
        found = await read
        self._next = asyncio.create_task(self._read())
        return found

    async def _read(self) -> Read:
        found = await self._reader.poll(self._seconds, self._records_max)
        here = self._reader.positions()
        if self._is_decoded:
            await _decode(found)
        return found, here


async def _decode(records: Sequence[Recorded]) -> None:
    for first in range(0, len(records), RECORDS_AT_ONCE):
        for record in records[first : first + RECORDS_AT_ONCE]:
            with suppress(Exception):  # whoever folds it meets it again, and says what follows
                record.event  # noqa: B018 -- kept by the record
        await asyncio.sleep(0)
