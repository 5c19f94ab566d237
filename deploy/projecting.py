"""Read models as an operator sees them: fed, listed, built anew, and told of when they switch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from genoflow.deploy.people import said_by
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log, open_postgres
from genoflow.events.errors import Refused, Retry
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.projection_cut_over import ProjectionCutOver
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.model import AnyModel
from genoflow.projections.models import BY_NAME, MODELS
from genoflow.projections.runner import Told, ends_of, keep_up, pause
from genoflow.projections.store import Connection, live_build, position, prepare

# What ends when a server is back: the broker's answers, and those of Postgres while it starts.
PASSING = (
    Retry,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
PAUSE_SECONDS = 1.0  # a killed Postgres answers again within two


def chosen(names: Sequence[str]) -> list[AnyModel]:
    """The read models of these names, all of them without one; the audit trail comes first."""
    unknown = sorted(set(names) - set(BY_NAME))
    if unknown:
        raise Refused(
            f"{unknown[0]!r}: is no read model; there are {', '.join(BY_NAME)}; nothing was done"
        )
    return [one for one in MODELS if not names or one.name in (*names, AuditTrail.name)]


async def feed(
    settings: Settings, models: Sequence[AnyModel], stop: asyncio.Event, tell: Told
) -> None:
    """Feed read models until told to stop; a server that goes away is waited for."""
    while not stop.is_set():
        try:
            async with open_log(settings) as log, open_postgres(settings) as connection:
                await prepare(connection)
                await tell_of_switches(log, connection)
                await keep_up(log, log.codec, connection, models, stop, tell)
        except PASSING as error:
            tell(f"{type(error).__name__}: {error}; tried again in {PAUSE_SECONDS:g} s")
            await pause(stop, PAUSE_SECONDS)


async def tell_of_switches(log: KafkaLog, connection: Connection) -> int:
    """Append ProjectionCutOver of every switch of which nothing was said; its id is its build's."""
    rows = await connection.fetch(
        "select build, switched_at, cut_over from gf.builds "
        "where cut_over is not null and not is_told order by switched_at"
    )
    for row in rows:
        found = json.loads(row["cut_over"])
        person = found.pop("person")
        await log.append(said_by(person, ProjectionCutOver(**found), row["switched_at"]))
        await connection.execute(
            "update gf.builds set is_told = true where build = $1", row["build"]
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one read model is."""

    read_model: str
    build: str
    version: int
    state: str  # live, or why not
    records: int  # offsets that it has read
    lag: int  # offsets that it has not
    set_aside: int
    switched_at: datetime | None


async def standings(log: KafkaLog, connection: Connection) -> list[Standing]:
    """Every read model, with its place and its lag."""
    await prepare(connection)
    ends = await ends_of(log, MODELS)
    found = []
    for model in MODELS:
        build = await live_build(connection, model)
        place = await position(connection, build)
        mine = {topic.name for topic in model.reads}
        lag = sum(end - place.get(at, 0) for at, end in ends.items() if at[0] in mine)
        [row] = await connection.fetch(
            "select switched_at, (select count(*) from gf.set_aside s where s.build = b.build) "
            "as aside from gf.builds b where build = $1",
            build.name,
        )
        found.append(
            Standing(
                model.name, build.name, build.version,
                "made by another version; rebuild it" if build.is_outdated else "live",
                sum(place.values()), max(lag, 0), row["aside"], row["switched_at"],
            )
        )  # fmt: skip
    return found


async def set_aside(connection: Connection, model: AnyModel) -> list[dict[str, Any]]:
    """The events of which the live rows of a read model tell nothing, and why."""
    build = await live_build(connection, model)
    rows = await connection.fetch(
        "select topic, partition, log_offset, subject, type, cause, recorded_at "
        "from gf.set_aside where build = $1 order by topic, partition, log_offset",
        build.name,
    )
    return [dict(row) for row in rows]
