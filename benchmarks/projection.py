"""From the log to rows: ours, a bare COPY, a bare loop of inserts, and Debezium's JDBC sink.

    inserts    every event is a row of its own: the audit trail as it ships, with seven indexes
    updates    every event changes the row of its subject, and every version of it is kept

Ours is what `genoflow project` runs: records from Kafka, rows and offsets in one transaction. The
updates are decoded and folded; rows of the audit trail are made straight of the bytes, as they are
while it is fed alone. The anchors are given finished rows, and tables with no index but the key.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.contest import RATE, Comparison, Contestant, Figures, Row, compete, row_of
from benchmarks.material import Material
from benchmarks.servers import postgres
from benchmarks.subjects import Subjects
from benchmarks.ten_types import interleaved
from genoflow.deploy.garbage import settle
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.model import AnyModel
from genoflow.projections.row import Table
from genoflow.projections.runner import bring_up, catch_up, ends_of
from genoflow.projections.store import begin_build, drop_build

RECORDED = Path(__file__).with_name("debezium.json")  # benchmarks/debezium.py writes it
INSERTS, UPDATES = "projection, inserts", "projection, updates"
MODELS: dict[str, AnyModel] = {INSERTS: AuditTrail(), UPDATES: Subjects()}
COPY_CHUNK_BYTES = 512 * 1024  # as asyncpg sends them
STATEMENTS_IN_TRANSACTION = 5_000  # as many rows as a batch of ours has at most
SCHEMA = "anchor"


def _ours(path: str) -> str:
    return f"{path.partition(', ')[2]}: genoflow project"


def _copy(path: str) -> str:
    return f"{path.partition(', ')[2]}: COPY of ready rows, with the key"


def _many(path: str) -> str:
    return f"{path.partition(', ')[2]}: asyncpg executemany"


def _debezium(path: str) -> str:
    return f"{path.partition(', ')[2]}: Debezium JDBC sink 3.5.0, recorded"


COMPARISONS = tuple(
    comparison
    for path in MODELS
    for comparison in (
        Comparison(path, _ours(path), _copy(path), target=0.25),
        Comparison(path, _ours(path), _many(path), note="ready rows, without a history"),
        Comparison(path, _ours(path), _debezium(path), target=3.0, note="scaled by COPY"),
    )
)


@dataclass(frozen=True, slots=True)
class Ready:
    """The rows of one read model as its anchors take them."""

    table: Table
    octets: dict[str, bytes]  # by relation, as COPY's binary stream
    rows: list[Any]  # every version, in the order of the log

    def create(self) -> list[str]:
        """The statements that make its relations with their keys and nothing else."""
        return [one for one in self.table.create(SCHEMA) if one.startswith("create table")]


@dataclass(frozen=True, slots=True)
class Projections:
    """The contestants: each makes the rows of all events in a database without them."""

    log: KafkaLog
    connection: Any
    count: int
    ready: dict[str, Ready]

    async def ours(self, path: str) -> Figures:
        """What ships, into a build of its own."""
        model, connection = MODELS[path], self.connection
        build = await begin_build(connection, model)
        until = await ends_of(self.log, [model])
        began = time.perf_counter()
        await catch_up(self.log, self.log.codec, connection, [build], until)
        taken = time.perf_counter() - began
        if path not in self.ready:
            self.ready[path] = await read_back(connection, build.name, model.tables[0], self.count)
        await drop_build(connection, build.name)
        return {RATE: self.count / taken}

    async def copy(self, path: str) -> Figures:
        """Anchor: the server's fastest way, and nothing to be done for it."""
        ready = self.ready[path]
        async with self._timed(ready) as figures:
            for name, octets in ready.octets.items():
                await self.connection.copy_to_table(
                    name, source=_chunks(octets), schema_name=SCHEMA, format="binary"
                )
        return figures

    async def many(self, path: str) -> Figures:
        """Anchor: a statement an event, as asyncpg's manual sends many."""
        ready = self.ready[path]
        names = [one.name for one in ready.table.columns]
        values = ", ".join(f"${number}" for number, _ in enumerate(names, 1))
        statement = ready.table.insert(SCHEMA)
        begin, end = statement.index(" select "), statement.index(" on conflict")
        statement = f"{statement[:begin]} values ({values}){statement[end:]}"
        async with self._timed(ready) as figures:
            for first in range(0, len(ready.rows), STATEMENTS_IN_TRANSACTION):
                async with self.connection.transaction():
                    some = ready.rows[first : first + STATEMENTS_IN_TRANSACTION]
                    await self.connection.executemany(statement, some)
        return figures

    @contextlib.asynccontextmanager
    async def _timed(self, ready: Ready) -> AsyncIterator[Figures]:
        await self.connection.execute(f"create schema {SCHEMA}")
        for statement in ready.create():
            await self.connection.execute(statement)
        figures: Figures = {}
        began = time.perf_counter()
        yield figures
        figures[RATE] = self.count / (time.perf_counter() - began)
        await self.connection.execute(f"drop schema {SCHEMA} cascade")

    def contestants(self) -> list[Contestant]:
        """All of them, in the order of one round: ours first, whose rows the others take."""
        return [
            Contestant(name(path), lambda run=run, path=path: run(path))  # type: ignore[misc]
            for path in MODELS
            for name, run in ((_ours, self.ours), (_copy, self.copy), (_many, self.many))
        ]


async def read_back(connection: Any, schema: str, table: Table, count: int) -> Ready:
    """The rows that were made, of which there has to be a version for every event."""
    octets = {}
    for name in table.names:
        buffer = io.BytesIO()
        await connection.copy_from_table(name, schema_name=schema, output=buffer, format="binary")
        octets[name] = buffer.getvalue()
    versions = table.history or table.name
    rows = await connection.fetch(
        f"select * from {schema}.{versions} order by log_topic, log_partition, log_offset"
    )
    if len(rows) != count:
        raise AssertionError(
            f"{table.name}: {count:,} events gave {len(rows):,} rows, so their speed means nothing"
        )
    return Ready(table, octets, rows)


async def _chunks(octets: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(octets), COPY_CHUNK_BYTES):
        yield octets[first : first + COPY_CHUNK_BYTES]


async def fill(log: KafkaLog, count: int) -> None:
    """Put the ten types on the log, and make the topics of all others."""
    async with TopicAdmin(log, partitions=topics.PARTITIONS_EMBEDDED) as admin:
        await admin.apply(topics.TOPICS)
    await log.append_bulk(interleaved(count))


def recorded(best: Mapping[str, Figures]) -> dict[str, Figures]:
    """What Debezium's sink would reach here: as far behind a bare COPY as where it was run."""
    found = json.loads(RECORDED.read_text(encoding="utf-8"))
    return {
        _debezium(path): {
            RATE: found[path]["events_per_second"]
            / found[path]["copy_beside"]
            * best[_copy(path)][RATE]
        }
        for path in MODELS
    }


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Fill the log once, then let them compete on one Postgres."""
    count, thresholds = len(material.events), gc.get_threshold()
    await fill(log, count)
    async with postgres() as address:
        connection = await asyncpg.connect(address)
        try:
            # What is known of subjects is fetched from the audit trail, so that one is live.
            await bring_up(log, log.codec, connection, [AuditTrail()])
            settle()  # as `genoflow project` does
            contestants = Projections(log, connection, count, {}).contestants()
            best = await compete(contestants, rounds)
        finally:
            gc.set_threshold(*thresholds)
            await connection.close()
    best |= recorded(best)
    return [row_of(comparison, best) for comparison in COMPARISONS]
