"""Many events to the log: ours, and four ways in which a bare program does it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from confluent_kafka import KafkaException
from confluent_kafka import Producer as ConfluentProducer

from benchmarks.contest import RATE, Comparison, Contestant, Figures, Row, compete, row_of
from benchmarks.material import TOPIC, Material, avro, built, parsed_schema, validated
from genoflow.events import topics
from genoflow.events.log.kafka import BATCH_BYTES_MAX, KafkaLog
from genoflow.events.log.partitioner import partition_of

# For throughput, as aiokafka's manual says: linger so that batches fill, and larger batches.
# Durability as ours: idempotence, which means acks=all.
AIOKAFKA = {"enable_idempotence": True, "linger_ms": 5, "max_batch_size": BATCH_BYTES_MAX}
# For throughput, as librdkafka's manual says: linger, larger batches, a queue that never blocks;
# only failures are reported, so no Python is called per message.
CONFLUENT = {
    "enable.idempotence": True,
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 1_048_576,
    "delivery.report.only.error": True,
}
FLUSH_SECONDS_MAX = 60.0
BATCHES_WAITING_MAX = 64  # as many as ours has on the way

OURS = "append_bulk"
OURS_BUILT = "append_bulk, events built in it"
A = "aiokafka send + fastavro"
B = "confluent-kafka + fastavro"
C = "aiokafka send + fastavro + pydantic"
D = "aiokafka send_batch of ready bytes"

COMPARISONS = (
    Comparison("append_bulk", OURS, A, target=0.8),
    Comparison("append_bulk", OURS, B, target=1.5),
    Comparison("append_bulk", OURS_BUILT, B, target=1.5),
    Comparison("append_bulk", OURS_BUILT, C, note="both validate"),
    Comparison("append_bulk", OURS, D, note="the same batches without the codec"),
)


@dataclass(frozen=True, slots=True)
class Bulk:
    """The contestants of this path: each appends all of the material once."""

    log: KafkaLog
    aiokafka: AIOKafkaProducer
    confluent: Any
    wire_topic: str
    material: Material
    schema: Any

    @property
    def prefix(self) -> bytes:
        """Magic byte and schema id, which a bare program knows."""
        return self.material.records[0][1][:5]

    async def ours(self) -> Figures:
        """What ships, over events that were built before."""
        return await self._timed(self.log.append_bulk(self.material.events))

    async def ours_built(self) -> Figures:
        """What ships, and the building and validating of each event."""
        return await self._timed(self.log.append_bulk(map(built, self.material.fields)))

    async def aiokafka_fastavro(self) -> Figures:
        """Anchor A: values are plain dictionaries, keys and headers are ready."""
        return await self._timed(self._send(self.material.values))

    async def aiokafka_pydantic(self) -> Figures:
        """Anchor C: the same, and pydantic checks the fields and the envelope first."""
        material = self.material
        pairs = zip(material.fields, material.values, strict=True)
        return await self._timed(self._send(validated(f, v["envelope"]) for f, v in pairs))

    async def _send(self, values: Iterable[dict[str, Any]]) -> None:
        producer, topic = self.aiokafka, self.wire_topic
        prefix, schema = self.prefix, self.schema
        for each, (key, _, headers) in zip(values, self.material.records, strict=True):
            # aiokafka's own partitioner hashes in Python each time, which would cost it 6 %.
            number = partition_of(key, topics.PARTITIONS_EMBEDDED)
            value = avro(prefix, schema, each)
            await producer.send(topic, value, key=key, partition=number, headers=headers)
        await producer.flush()

    async def confluent_fastavro(self) -> Figures:
        """Anchor B: values are plain dictionaries, nothing is validated, librdkafka sends."""
        return await self._timed(self._produce())

    async def _produce(self) -> None:
        producer, topic, prefix, schema = self.confluent, self.wire_topic, self.prefix, self.schema
        rows = zip(self.material.values, self.material.records, strict=True)
        for number, (each, (key, _, headers)) in enumerate(rows):
            value = avro(prefix, schema, each)
            producer.produce(topic, value, key=key, headers=headers)
            if number % 1_000 == 0:
                producer.poll(0)
        if producer.flush(FLUSH_SECONDS_MAX):
            raise KafkaException("confluent-kafka did not deliver everything in time")

    async def aiokafka_batches(self) -> Figures:
        """Anchor D: no encoding at all, ready bytes into full batches."""
        return await self._timed(self._send_batches())

    async def _send_batches(self) -> None:
        producer, count = self.aiokafka, topics.PARTITIONS_EMBEDDED
        batches = {number: producer.create_batch() for number in range(count)}
        waiting = []
        for key, value, headers in self.material.records:
            number = partition_of(key, count)
            add = {"key": key, "value": value, "timestamp": None, "headers": headers}
            if batches[number].append(**add) is None:
                waiting.append(await self._send_batch(batches[number], number))
                batches[number] = producer.create_batch()
                batches[number].append(**add)
                if len(waiting) > BATCHES_WAITING_MAX:
                    await waiting.pop(0)
        for number, batch in batches.items():
            waiting.append(await self._send_batch(batch, number))
        await asyncio.gather(*waiting)

    async def _send_batch(self, batch: Any, number: int) -> Any:
        return await self.aiokafka.send_batch(batch, self.wire_topic, partition=number)

    async def _timed(self, work: Any) -> Figures:
        began = time.perf_counter()
        await work
        return {RATE: len(self.material.events) / (time.perf_counter() - began)}

    def contestants(self) -> tuple[Contestant, ...]:
        """All of them, in the order of one round."""
        return (
            Contestant(OURS, self.ours),
            Contestant(A, self.aiokafka_fastavro),
            Contestant(B, self.confluent_fastavro),
            Contestant(OURS_BUILT, self.ours_built),
            Contestant(C, self.aiokafka_pydantic),
            Contestant(D, self.aiokafka_batches),
        )


@contextlib.asynccontextmanager
async def opened(log: KafkaLog, material: Material) -> AsyncIterator[Bulk]:
    """The contestants, each with a producer of its own that is connected."""
    failures: list[Any] = []
    confluent = ConfluentProducer(
        {"bootstrap.servers": log.address, **CONFLUENT},
        on_delivery=lambda error, _: failures.append(error),
    )
    async with AIOKafkaProducer(bootstrap_servers=log.address, **AIOKAFKA) as producer:
        yield Bulk(log, producer, confluent, log.wire_name(TOPIC), material, parsed_schema())
    if failures:
        raise KafkaException(failures[0])


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Let them compete; every event of every run has to stand on the log afterwards."""
    async with opened(log, material) as bulk:
        contestants = bulk.contestants()
        best = await compete(contestants, rounds)
    expected = len(contestants) * (rounds + 1) * len(material.events)
    found = sum((await log.ends(TOPIC)).values())
    if found != expected:
        raise AssertionError(
            f"append_bulk: {found:,} records stand on the log and {expected:,} were appended; "
            f"a contestant lost or repeated some, so its speed means nothing"
        )
    return [row_of(comparison, best) for comparison in COMPARISONS]
