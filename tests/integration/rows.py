"""A read model over a log in memory and a real Postgres, for tests that speak in events."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Vector
from genoflow.processors.flow import FLOW, PROCESSORS
from genoflow.processors.read_models import ReadModel
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.course import Moments
from genoflow.projections.model import AnyModel
from genoflow.projections.paging import Found
from genoflow.projections.runner import bring_up, ends_of
from genoflow.projections.store import forget_all
from tests.asked import told
from tests.histories import history
from tests.partition import CODEC

PIECE_MAX = 12  # events
LENGTH = 60


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some models, and the log that they come from."""

    connection: Any
    log: MemoryLog
    models: tuple[AnyModel, ...]

    async def tell(self, *events: Event) -> Vector:
        """Let these facts happen, and the rows follow; returns where the log is then."""
        for event in told(*events):
            await self.log.append(event)
        await self.follow()
        return await ends_of(self.log, self.models)

    async def follow(self) -> None:
        """Bring the rows to the end of the log."""
        await bring_up(self.log, CODEC, self.connection, self.models)

    async def every(self) -> dict[str, list[str]]:
        """All rows and all their versions, as texts, and what was set aside."""
        names = [f"live.{n}" for model in self.models for t in model.tables for n in t.names]
        found = {}
        for name in (*names, "gf.set_aside"):
            rows = await self.connection.fetch(f"select t::text as row from {name} t order by 1")
            found[name] = [row["row"] for row in rows]
        return found

    async def set_aside(self) -> list[str]:
        """Why events gave no rows."""
        return [row["cause"] for row in await self.connection.fetch("select * from gf.set_aside")]


def uses_of(model: AnyModel) -> set[type[Event]]:
    """What the flow says that this read model reads."""
    [row] = [row for row in FLOW if isinstance(row, ReadModel) and row.name == model.name]
    return set(row.on)


@asynccontextmanager
async def rows_of(postgres_url: str, *models: AnyModel) -> AsyncIterator[Rows]:
    """These read models, and the audit trail that they are folded from, with nothing in them."""
    connection = await asyncpg.connect(postgres_url)
    try:
        async with MemoryLog(codec=CODEC) as log:
            yield Rows(connection, log, (AuditTrail(), *models))
    finally:
        await connection.close()


async def moments_of(rows: Rows, number: int) -> Moments:
    """From before the first event to behind the last one."""
    [found] = await rows.connection.fetch(
        "select min(recorded_at) as first, max(recorded_at) as last from live.events"
    )
    step = (found["last"] - found["first"]) / (number - 3) + timedelta(microseconds=1)
    return Moments(found["first"] - step, step, number)


async def are_equal_in_pieces(rows: Rows, events: Sequence[Event], seed: int) -> None:
    """Rows that grew piece by piece, some events told twice, are those of one piece."""
    chance = random.Random(f"pieces {seed}")
    left = list(events)
    while left:
        number = chance.randint(1, PIECE_MAX)
        await rows.tell(*left[:number], *chance.sample(left[:number], min(2, len(left[:number]))))
        left = left[number:]
    in_pieces = await rows.every()
    await forget_all(rows.connection)
    await rows.follow()
    in_one = await rows.every()
    for name, found in in_pieces.items():
        assert in_one[name] == found, name


def histories(names: Iterable[str], seed: int, length: int = LENGTH) -> list[Event]:
    """What these rows of the flow might read, one after the other: branches within their reach."""
    events = [event for name in names for event in history(PROCESSORS[name], seed, length)]
    # Histories of two rows may hold other words under the same id, which a log never does.
    return list({event.envelope.event_id: event for event in reversed(events)}.values())[::-1]


async def all_pages(
    ask: Any, connection: Any, order: Sequence[str], limit: int, **filters: Any
) -> list[Found]:
    """Every row, by as many pages as there are."""
    found: list[Found] = []
    while True:
        after = [found[-1][name] for name in order] if found else None
        rows = await ask(connection, after=after, limit=limit, **filters)
        found += rows
        if len(rows) < limit:
            return found
