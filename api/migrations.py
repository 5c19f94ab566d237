"""Brings tables of our own to the shape that this release knows, once, whoever comes first.

A step is SQL under a name. Applied steps are kept with their checksums, so a step that was edited
after its release stops the start instead of leaving two databases of one version apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Connection

from genoflow.events.errors import Stop

LOCK_SECONDS_MAX = 30  # another process that migrates takes seconds; these tables are small


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tables, applied once and never edited afterwards."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What shows that a step is still the one that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(connection: Connection, schema: str, steps: Sequence[Step]) -> list[str]:
    """Apply the steps that are missing, all or none of them, and return their names."""
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{LOCK_SECONDS_MAX}s'")
        # Two that start at once: the second waits here, and then finds everything done.
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"genoflow/{schema}"
        )
        await connection.execute(f"create schema if not exists {schema}")
        await connection.execute(
            f"create table if not exists {schema}.migrations (name text primary key, "
            f"checksum text not null, applied_at timestamptz not null default now())"
        )
        rows = await connection.fetch(f"select name, checksum from {schema}.migrations")
        applied = {row["name"]: row["checksum"] for row in rows}
        _check(schema, applied, steps)
        missing = [step for step in steps if step.name not in applied]
        for step in missing:
            await connection.execute(step.sql)
            await connection.execute(
                f"insert into {schema}.migrations (name, checksum) values ($1, $2)",
                step.name, step.checksum,
            )  # fmt: skip
    return [step.name for step in missing]


def _check(schema: str, applied: dict[str, str], steps: Sequence[Step]) -> None:
    known = {step.name: step.checksum for step in steps}
    for name, checksum in applied.items():
        if name not in known:
            raise Stop(
                f"schema {schema}: {name} was applied and is unknown here; deploy the release "
                f"that knows it"
            )
        if known[name] != checksum:
            raise Stop(
                f"schema {schema}: {name} was edited after it was applied; restore it, and make "
                f"the change a step of its own"
            )
