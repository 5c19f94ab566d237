"""The bare loop of a read model: aiokafka and asyncpg, rows and offsets in one transaction.

    python -m benchmarks.visible_bare POSTGRES source|target ERRAND

It reads one topic and writes one row an event, into a table with a key and no other index.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from typing import Any

import asyncpg
import fastavro
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.stage_answer import PREFIX_BYTES, Errand, errand

TABLES = """
create schema if not exists bare;
create table if not exists bare.rows (
    cause uuid primary key, event_id uuid not null, subject text not null,
    occurred_at timestamptz not null, body jsonb not null
);
create table if not exists bare.offsets (
    topic text, partition integer, next_offset bigint not null, primary key (topic, partition)
)
"""
UPSERT = """
insert into bare.rows values ($1, $2, $3, $4, $5) on conflict (cause) do update
set event_id = excluded.event_id, subject = excluded.subject,
    occurred_at = excluded.occurred_at, body = excluded.body
"""
MOVE = """
insert into bare.offsets values ($1, $2, $3) on conflict (topic, partition) do update
set next_offset = excluded.next_offset
"""
POLL_MILLISECONDS = 200
RECORDS_MAX = 5_000  # as many as a batch of ours has at most


def row(schema: Any, value: bytes) -> tuple[Any, ...]:
    """The row of an event, under the id of the landed file that it is or follows from."""
    buffer = io.BytesIO(value)
    buffer.seek(PREFIX_BYTES)
    found: Any = fastavro.schemaless_reader(buffer, schema, None)
    about = found.pop("envelope")
    cause = about["causation_id"] or about["event_id"]
    body = json.dumps(found, default=str)
    return cause, about["event_id"], about["subject"], about["occurred_at"], body


async def run(told: Errand, address: str, side: str) -> None:
    """Work until the process is killed."""
    topic, schema = getattr(told, side), getattr(told, f"{side}_schema")
    connection = await asyncpg.connect(address)
    await connection.execute(TABLES)
    # For latency: short fetches, as in the bare loop of a stage.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=told.address,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=5,
        max_partition_fetch_bytes=4_194_304,
    )
    async with consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(told.partitions)])
        for partition, offset in await connection.fetch(
            "select partition, next_offset from bare.offsets where topic = $1", topic
        ):
            consumer.seek(TopicPartition(topic, partition), offset)
        while True:
            fetched = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_MAX)
            if not fetched:
                continue
            rows = [row(schema, one.value) for found in fetched.values() for one in found]
            moved = [
                (topic, place.partition, found[-1].offset + 1) for place, found in fetched.items()
            ]
            async with connection.transaction():
                await connection.executemany(UPSERT, rows)
                await connection.executemany(MOVE, moved)


if __name__ == "__main__":
    asyncio.run(run(errand(), sys.argv[1], sys.argv[2]))
