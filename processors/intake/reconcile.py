"""A crawl for what notifications lost: everything that the store keeps, held against the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.processors.intake.heard import Shelf, Shelves
from genoflow.processors.intake.notifications import LOOKS_AT_ONCE, StorePorch

FAULTS_KEPT_MAX = 20  # are named; the others are counted


@dataclass(slots=True)
class Crawl:
    """What a crawl has come to so far."""

    bucket: str
    objects: int = 0
    versions: int = 0
    missing: Counter[str] = field(default_factory=Counter)  # facts that the log lacked, by type
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0


@dataclass(frozen=True, slots=True)
class _How:
    since: datetime | None
    dry_run: bool
    told: Callable[[Event], None]


async def reconcile(
    porch: StorePorch,
    shelves: Shelves,
    bucket: str,
    prefix: str = "",
    *,
    since: datetime | None = None,
    dry_run: bool = False,
    progress: Callable[[Crawl], None] = lambda _: None,
    told: Callable[[Event], None] = lambda _: None,
) -> Crawl:
    """Tell what the log lacks of every object of this beginning, and that known ones are gone.

    With `since`, versions that came before are left alone. In a dry run nothing is appended.
    `told` is called with each fact that was lacking. It may run beside the porch that takes
    notifications, and be broken off and begun again.
    """
    crawl = Crawl(bucket)
    how = _How(since, dry_run, told)
    await porch.known.catch_up()
    unseen = set(porch.known.standing(bucket, prefix))
    some: list[Shelf] = []
    async with aclosing(shelves.crawl(bucket, prefix)) as found:
        async for shelf in found:
            unseen.discard(shelf.place)
            crawl.objects += 1
            crawl.versions += sum(not one.is_marker for one in shelf.kept)
            if porch.concerns(shelf.place):
                some.append(shelf)
            if len(some) >= LOOKS_AT_ONCE:
                await _together(porch, some, crawl, how)
                progress(crawl)
                some = []
    some += [Shelf(place, ()) for place in unseen]
    for start in range(0, len(some), LOOKS_AT_ONCE):
        await _together(porch, some[start : start + LOOKS_AT_ONCE], crawl, how)
        progress(crawl)
    return crawl


async def _together(porch: StorePorch, shelves: list[Shelf], crawl: Crawl, how: _How) -> None:
    await asyncio.gather(*(_one(porch, shelf, crawl, how) for shelf in shelves))


async def _one(porch: StorePorch, shelf: Shelf, crawl: Crawl, how: _How) -> None:
    try:
        async with aclosing(porch.lacking(shelf, since=how.since)) as facts:
            async for fact in facts:
                porch.check(fact)
                if how.dry_run:
                    porch.known.take(fact)  # what follows from it is missing as well
                elif not await porch.append(fact):
                    continue  # a message has told it meanwhile
                crawl.missing[fact.type()] += 1
                how.told(fact)
    except Refused as error:  # one object that cannot be told hides no other
        crawl.fault_count += 1
        if len(crawl.faults) < FAULTS_KEPT_MAX:
            crawl.faults.append(porch.unnamed(f"{shelf.place}: {error}"))
