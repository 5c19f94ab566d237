"""What is kept of read models beside their rows: their builds, and where each has come to.

Every read model is built in a schema of its own (files_1, files_2 …). What readers see are views in
the schema `live`; a switch replaces the views, all of a read model at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.projections.model import AnyModel

BOOKKEEPING = """
create schema if not exists gf;
create schema if not exists live;
create table if not exists gf.builds (
    build       text primary key,
    model       text not null,
    generation  integer not null,
    version     integer not null,
    state       text not null check (state in ('building', 'live', 'retired')),
    begun_at    timestamptz not null default now(),
    switched_at timestamptz,
    cut_over    jsonb, -- what is to be told of the switch
    is_told     boolean not null default false,
    unique (model, generation)
);
create unique index if not exists one_is_live on gf.builds (model) where state = 'live';
create table if not exists gf.positions (
    build       text not null references gf.builds on delete cascade,
    topic       text not null,
    partition   integer not null,
    next_offset bigint not null,
    primary key (build, topic, partition)
);
create table if not exists gf.set_aside (
    build       text not null references gf.builds on delete cascade,
    topic       text not null,
    partition   integer not null,
    log_offset  bigint not null,
    subject     text not null,
    type        text not null,
    cause       text not null,
    recorded_at timestamptz not null,
    primary key (build, topic, partition, log_offset)
)
"""
LOCK = 4_736_201  # any number: nobody else makes bookkeeping tables in this database


class Connection(Protocol):
    """What a read model needs of asyncpg's connection."""

    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Any) -> None: ...
    async def fetch(self, query: str, *args: Any) -> list[Any]: ...
    async def copy_records_to_table(
        self, table_name: str, *, records: Any, columns: Any = None, schema_name: Any = None
    ) -> str: ...
    async def copy_to_table(self, table_name: str, *, source: Any, **options: Any) -> str: ...
    def transaction(self) -> Any: ...
    def is_in_transaction(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, and the offsets on both sides of them."""

    topic: str
    partition: int
    begins_at: int
    ends_at: int
    records: Sequence[Recorded]


@dataclass(frozen=True, slots=True)
class Build:
    """The tables of a read model, as they were made by one version of it."""

    name: str  # of the schema
    model: AnyModel
    version: int
    state: str

    @property
    def is_outdated(self) -> bool:
        """Whether this release would make other rows."""
        return self.version != self.model.version


async def prepare(connection: Connection) -> None:
    """Make the tables that keep positions, where they are missing."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(BOOKKEEPING)


async def live_build(connection: Connection, model: AnyModel) -> Build:
    """The build that readers see; one is begun where there is none."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        found = await _builds(connection, model, "live")
        if found:
            return found[0]
        build = await begin_build(connection, model)
        await show(connection, build)
        return Build(build.name, model, build.version, "live")


async def _builds(connection: Connection, model: AnyModel, state: str) -> list[Build]:
    rows = await connection.fetch(
        "select build, version from gf.builds where model = $1 and state = $2 order by generation",
        model.name, state,
    )  # fmt: skip
    return [Build(row["build"], model, row["version"], state) for row in rows]


async def begin_build(connection: Connection, model: AnyModel) -> Build:
    """Make empty tables beside those that are there."""
    [row] = await connection.fetch(
        "select coalesce(max(generation), 0) + 1 as next from gf.builds where model = $1",
        model.name,
    )
    build = Build(f"{model.name.replace('-', '_')}_{row['next']}", model, model.version, "building")
    await connection.execute(
        "insert into gf.builds (build, model, generation, version, state) "
        "values ($1, $2, $3, $4, 'building')",
        build.name, model.name, row["next"], model.version,
    )  # fmt: skip
    await connection.execute(f"create schema {build.name}")
    for table in model.tables:
        for statement in table.create(build.name):
            await connection.execute(statement)
    return build


async def show(connection: Connection, build: Build) -> None:
    """Let readers see this build from here on, all of its tables at once; in a transaction."""
    await connection.execute(
        "update gf.builds set state = 'retired' where model = $1 and state = 'live'",
        build.model.name,
    )
    await connection.execute(
        "update gf.builds set state = 'live', switched_at = now() where build = $1", build.name
    )
    for table in build.model.tables:
        for name in table.names:
            await connection.execute(f"drop view if exists live.{name}")
            await connection.execute(
                f"create view live.{name} as select * from {build.name}.{name}"
            )


async def drop_build(connection: Connection, name: str) -> None:
    """Throw away the tables of a build that nobody reads; Refused where readers see it."""
    async with connection.transaction():
        gone = await connection.fetch(
            "delete from gf.builds where build = $1 and state <> 'live' returning build", name
        )
        if not gone:
            raise Refused(f"{name}: readers see it, or it is not there; nothing was dropped")
        await connection.execute(f"drop schema {name} cascade")


async def forget_all(connection: Connection) -> None:
    """Throw every read model away, so that the next runner builds them anew from the log."""
    await prepare(connection)
    async with connection.transaction():
        for row in await connection.fetch("select build from gf.builds"):
            await connection.execute(f"drop schema if exists {row['build']} cascade")
        await connection.execute("delete from gf.builds")


async def live_position(connection: Connection, model: str) -> Vector:
    """How far the rows that readers see of this model know the log."""
    rows = await connection.fetch(
        "select p.topic, p.partition, p.next_offset from gf.positions p "
        "join gf.builds b using (build) where b.model = $1 and b.state = 'live'",
        model,
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def position(connection: Connection, build: Build) -> Vector:
    """The next offset of every partition that the build has read from."""
    rows = await connection.fetch(
        "select topic, partition, next_offset from gf.positions where build = $1", build.name
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
