"""The API over the rows of a small cohort that went through the whole flow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from genoflow.api.routes import ROUTERS
from genoflow.deploy.settings import Settings
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.models import MODELS
from genoflow.projections.runner import bring_up
from tests.doors import Door, Unlimited, open_door
from tests.partition import CODEC
from tests.simulation.whole import logged
from tests.whole.cohort import Cohort, make

COHORT = make(5, 12, 6)


@lru_cache(maxsize=1)
def first() -> tuple[Event, ...]:
    """What that cohort leaves on the log."""
    return played(COHORT)


@lru_cache(maxsize=1)
def later() -> tuple[Event, ...]:
    """What happens in another cohort, some time after."""
    return played(make(6, 3, 3))


def played(cohort: Cohort) -> tuple[Event, ...]:
    """What a cohort leaves on the log."""
    # The simulator has an event loop of its own, and a thread runs one at a time.
    with ThreadPoolExecutor(1) as thread:
        return tuple(thread.submit(logged, cohort).result())


@asynccontextmanager
async def log_of(*facts: Event) -> AsyncIterator[MemoryLog]:
    """A log on which these facts stand."""
    async with MemoryLog(codec=CODEC) as log:
        for fact in facts:
            await log.append(fact)
        yield log


def copy_of(log: MemoryLog) -> MemoryLog:
    """A log of its own, on which the same records stand."""
    found = MemoryLog(codec=CODEC)
    for name, partitions in log._topics.items():
        for mine, there in zip(found._topics[name], partitions, strict=True):
            mine.records, mine.offsets = [*there.records], [*there.offsets]
            mine.end, mine.latest_ms = there.end, there.latest_ms
    return found


@asynccontextmanager
async def door_over(
    postgres_url: str, log: MemoryLog, settings: Settings | None = None
) -> AsyncIterator[Door]:
    """The API over the rows of this log."""
    async with open_door(
        postgres_url, routers=ROUTERS, limits=Unlimited(), log=log, settings=settings
    ) as door:
        await follow(door, log)
        yield door


async def follow(door: Door, log: MemoryLog, *facts: Event) -> None:
    """Let these facts happen, and the rows follow."""
    for fact in facts:
        await log.append(fact)
    async with door.services.pool.acquire() as connection:
        await bring_up(log, CODEC, connection, MODELS)


async def ask(door: Door, headers: dict[str, str], address: str, **params: Any) -> Any:
    """The body of an answer that is no refusal."""
    answer = await door.client.get(f"/v1{address}", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def every(
    door: Door, headers: dict[str, str], address: str, limit: int, **params: Any
) -> list[dict[str, Any]]:
    """All rows of a list, by as many pages as there are."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        body = await ask(door, headers, address, limit=limit, **params, **after)
        found += body["items"]
        if body["next"] is None:
            return found
        assert len(body["items"]) == limit
        after = {"after": body["next"]}
