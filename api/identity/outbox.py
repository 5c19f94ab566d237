"""Facts of the API on their way to the log: written with the change, sent until they are there.

1. A change writes its rows and its facts in one transaction.
2. One sender at a time appends the facts in their order, each under its own id.
3. It removes what stands on the log. A kill between 2 and 3 appends a fact again, under the same
   id, and every reader drops an id that it has seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version

from asyncpg import Connection, Pool

from genoflow.api.ports import UNAVAILABLE, Announcer
from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.errors import Retry
from genoflow.events.event import Event, begin
from genoflow.events.key_issued import KeyIssued
from genoflow.events.key_revoked import KeyRevoked
from genoflow.events.project_access_granted import ProjectAccessGranted
from genoflow.events.project_access_revoked import ProjectAccessRevoked
from genoflow.events.role_granted import RoleGranted
from genoflow.events.role_revoked import RoleRevoked
from genoflow.events.subjects_read import SubjectsRead

SERVICE = "accounts"  # the porch, as the flow names it
# 100 facts of 1 kB: a few changes a day, and one fact a second for each caller who reads.
BATCH_MAX = 100
PAUSE_SECONDS = 1.0  # a fact stands on the log a second after its change
PAUSE_SECONDS_MAX = 30.0  # while no broker answers: 1, 2, 4, 8, 16, 30

_TYPES: dict[str, type[Event]] = {
    model.type(): model
    for model in (
        RoleGranted, RoleRevoked, ProjectAccessGranted, ProjectAccessRevoked, KeyIssued, KeyRevoked,
        SubjectsRead,
    )
}  # fmt: skip
_LOCK = "select pg_try_advisory_xact_lock(hashtextextended('genoflow/identity/outbox', 0))"
_log = logging.getLogger(__name__)


async def announce(connection: Connection, fact: Event, at: datetime, by: Actor) -> None:
    """Put a fact into the outbox, in the transaction of the change that it tells of."""
    await announce_all(connection, [(fact, at, by)], SERVICE)


async def announce_all(
    connection: Connection, facts: Iterable[tuple[Event, datetime, Actor]], service: str
) -> None:
    """Put facts of this porch into the outbox, in their order."""
    producer = Producer(service=service, version=version("genoflow"))
    said = [begin(fact, occurred_at=at, actor=by, by=producer) for fact, at, by in facts]
    await connection.executemany(
        "insert into identity.outbox (type, payload, envelope) values ($1, $2, $3)",
        [(one.type(), one.model_dump_json(), one.envelope.model_dump_json()) for one in said],
    )


async def send(pool: Pool, announcer: Announcer) -> int:
    """Append what waits, oldest first, and return how many; none where another sends just now."""
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(_LOCK):
            return 0
        rows = await connection.fetch(
            "select place, type, payload, envelope from identity.outbox order by place limit $1",
            BATCH_MAX,
        )
        for row in rows:
            await announcer.append(_fact(row["type"], row["payload"], row["envelope"]))
        if rows:
            await connection.execute(
                "delete from identity.outbox where place = any($1)", [row["place"] for row in rows]
            )
        return len(rows)


def _fact(name: str, payload: str, envelope: str) -> Event:
    fact = _TYPES[name].model_validate_json(payload)
    return fact.enveloped(Envelope.model_validate_json(envelope))


async def keep_sending(pool: Pool, announcer: Announcer) -> None:
    """Send for ever; what passes is tried again, and what does not ends the process."""
    pause = PAUSE_SECONDS
    while True:
        try:
            sent = await send(pool, announcer)
            pause = PAUSE_SECONDS
        except (Retry, *UNAVAILABLE) as error:
            _log.warning("changes of accounts and reads wait for the log: %s", error)
            sent, pause = 0, min(pause * 2, PAUSE_SECONDS_MAX)
        if sent < BATCH_MAX:
            await asyncio.sleep(pause)
