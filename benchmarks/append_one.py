"""One durable append after another: how long each takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from confluent_kafka import KafkaException
from confluent_kafka import Producer as ConfluentProducer

from benchmarks.contest import (
    P50,
    P99,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    percentile,
    row_of,
)
from benchmarks.material import TOPIC, Material, avro, parsed_schema
from genoflow.events.log.kafka import KafkaLog

# For latency, as both manuals say: no linger. Durability as ours: idempotence means acks=all.
AIOKAFKA = {"enable_idempotence": True, "linger_ms": 0}
CONFLUENT = {"enable.idempotence": True, "partitioner": "murmur2_random", "linger.ms": 0}
FLUSH_SECONDS_MAX = 30.0

OURS = "append"
CONFLUENT_NAME = "confluent-kafka produce + flush"
AIOKAFKA_NAME = "aiokafka send_and_wait"

COMPARISONS = (
    Comparison("append_one", OURS, CONFLUENT_NAME, unit=P50, target=2.5),
    Comparison("append_one", OURS, CONFLUENT_NAME, unit=P99),
    Comparison("append_one", OURS, AIOKAFKA_NAME, unit=P50),
)


@dataclass(frozen=True, slots=True)
class Single:
    """The contestants of this path: each appends one event, waits for the broker, goes on."""

    log: KafkaLog
    aiokafka: AIOKafkaProducer
    confluent: Any
    wire_topic: str
    material: Material
    schema: Any

    async def ours(self) -> Figures:
        """What ships."""

        async def one(number: int) -> None:
            await self.log.append(self.material.events[number])

        return await self._timed(one)

    async def aiokafka_one(self) -> Figures:
        """The same client without our part."""

        async def one(number: int) -> None:
            key, value, headers = self._record(number)
            await self.aiokafka.send_and_wait(self.wire_topic, value, key=key, headers=headers)

        return await self._timed(one)

    async def confluent_one(self) -> Figures:
        """librdkafka, waited for in the calling thread."""

        async def one(number: int) -> None:
            key, value, headers = self._record(number)
            self.confluent.produce(self.wire_topic, value, key=key, headers=headers)
            if self.confluent.flush(FLUSH_SECONDS_MAX):
                raise KafkaException("confluent-kafka did not deliver an event in time")

        return await self._timed(one)

    def _record(self, number: int) -> tuple[bytes, bytes, Any]:
        key, ready, headers = self.material.records[number]
        return key, avro(ready[:5], self.schema, self.material.values[number]), headers

    async def _timed(self, one: Callable[[int], Awaitable[None]]) -> Figures:
        taken = []
        for number in range(len(self.material.events)):
            began = time.perf_counter()
            await one(number)
            taken.append((time.perf_counter() - began) * 1_000)
        taken.sort()
        return {P50: percentile(taken, 0.5), P99: percentile(taken, 0.99)}

    def contestants(self) -> tuple[Contestant, ...]:
        """All of them, in the order of one round."""
        return (
            Contestant(OURS, self.ours),
            Contestant(CONFLUENT_NAME, self.confluent_one),
            Contestant(AIOKAFKA_NAME, self.aiokafka_one),
        )


@contextlib.asynccontextmanager
async def opened(log: KafkaLog, material: Material) -> AsyncIterator[Single]:
    """The contestants, each with a producer of its own that is connected."""
    confluent = ConfluentProducer({"bootstrap.servers": log.address, **CONFLUENT})
    async with AIOKafkaProducer(bootstrap_servers=log.address, **AIOKAFKA) as producer:
        yield Single(log, producer, confluent, log.wire_name(TOPIC), material, parsed_schema())


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Let them compete over the same events."""
    async with opened(log, material) as single:
        best = await compete(single.contestants(), rounds)
    return [row_of(comparison, best) for comparison in COMPARISONS]
