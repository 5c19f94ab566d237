"""The log to a subscriber: ours, and a bare consumer with a bare Avro library."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fastavro
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from benchmarks.contest import RATE, Comparison, Contestant, Figures, Row, compete, row_of
from benchmarks.material import TOPIC, Material, parsed_schema
from genoflow.events import topics
from genoflow.events.codec import PREFIX
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_reader import FETCH_BYTES_MAX
from genoflow.events.subscribe import Delivery, Subscription

# For throughput, as aiokafka's manual says: getmany instead of single records, and large fetches.
AIOKAFKA = {
    "isolation_level": "read_committed",
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "max_partition_fetch_bytes": FETCH_BYTES_MAX,
    "fetch_max_wait_ms": 100,
}
POLL_MILLISECONDS = 200

OURS = "subscription, .event"
OURS_ROUTED = "subscription, headers only"
BARE = "aiokafka getmany + fastavro"
BARE_BYTES = "aiokafka getmany, bytes only"

COMPARISONS = (
    Comparison("tail", OURS, BARE, target=0.8),
    Comparison("tail", OURS_ROUTED, BARE_BYTES, note="nothing is decoded"),
)


@dataclass(frozen=True, slots=True)
class Tail:
    """The contestants of this path: each connects and reads the whole topic once."""

    log: KafkaLog
    wire_topic: str
    schema: Any
    count: int

    async def ours(self) -> Figures:
        """What ships: filtered, repetitions dropped, decoded to a model, acknowledged."""
        return await self._subscribed(lambda delivery: delivery.event)

    async def ours_routed(self) -> Figures:
        """What ships, for a subscriber that looks at the type and the key only."""
        return await self._subscribed(lambda delivery: delivery.record.type)

    async def _subscribed(self, look: Callable[[Delivery[FileLanded]], object]) -> Figures:
        began, left = time.perf_counter(), self.count
        async with Subscription(self.log, name=None, types=(FileLanded,)) as deliveries:
            async for delivery in deliveries:
                look(delivery)
                delivery.ack()
                left -= 1
                if not left:
                    break
            return {RATE: self.count / (time.perf_counter() - began)}

    async def bare(self) -> Figures:
        """The anchor: read_committed, decoded to plain dictionaries."""
        schema, read, skip = self.schema, fastavro.schemaless_reader, PREFIX.size

        def decoded(value: bytes) -> None:
            buffer = io.BytesIO(value)
            buffer.seek(skip)
            read(buffer, schema, None)

        return await self._consumed(decoded)

    async def bare_bytes(self) -> Figures:
        """The same without decoding."""
        return await self._consumed(len)

    async def _consumed(self, look: Callable[[bytes], object]) -> Figures:
        began, left = time.perf_counter(), self.count
        client = AIOKafkaConsumer(bootstrap_servers=self.log.address, **AIOKAFKA)
        async with client:
            places = range(topics.PARTITIONS_EMBEDDED)
            client.assign([TopicPartition(self.wire_topic, place) for place in places])
            while left:
                fetched = await client.getmany(timeout_ms=POLL_MILLISECONDS)
                for rows in fetched.values():
                    for row in rows:
                        look(row.value)
                    left -= len(rows)
            return {RATE: self.count / (time.perf_counter() - began)}

    def contestants(self) -> tuple[Contestant, ...]:
        """All of them, in the order of one round."""
        return (
            Contestant(OURS, self.ours),
            Contestant(BARE, self.bare),
            Contestant(OURS_ROUTED, self.ours_routed),
            Contestant(BARE_BYTES, self.bare_bytes),
        )


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Fill the topic once, then let them compete."""
    await log.append_bulk(material.events)
    tail = Tail(log, log.wire_name(TOPIC), parsed_schema(), len(material.events))
    best = await compete(tail.contestants(), rounds)
    return [row_of(comparison, best) for comparison in COMPARISONS]
