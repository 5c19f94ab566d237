"""The API over a log on which deciders work, and rows that follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.processor import Processor
from tests.doors import Door
from tests.integration.rows_over_http import door_over, follow, log_of
from tests.workers import Lab

PAUSE_SECONDS = 0.02


@asynccontextmanager
async def deciding(door: Door, log: MemoryLog, *rows: Processor) -> AsyncIterator[None]:
    """Workers that decide, and rows that follow, until the end of the block."""

    async def keep_up() -> None:
        while True:
            await follow(door, log)
            await asyncio.sleep(PAUSE_SECONDS)

    async with Lab(log).working(*rows):
        following = asyncio.create_task(keep_up())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait([following])


@asynccontextmanager
async def lab(postgres_url: str, *events: Event) -> AsyncIterator[tuple[Door, MemoryLog]]:
    """The API over a log on which this has happened."""
    async with log_of(*events) as log, door_over(postgres_url, log) as door:
        yield door, log


async def said(log: MemoryLog, kind: str, topic: topics.Topic = topics.SAMPLE) -> list[Any]:
    """The events of one type that stand on the log."""
    return [record.event for record in await Lab(log).said(kind, topic)]
