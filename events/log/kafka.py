"""The log on Kafka: idempotent single appends, transactions where all or nothing counts.

Nothing here waits without a limit. When a limit passes during a write its outcome is unknown; the
producer keeps trying behind the scenes, which is harmless, since a repetition has the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from genoflow.events.codec import Codec
from genoflow.events.errors import LogUnavailable, OutcomeUnknown, TopicMismatch, TopicMissing
from genoflow.events.event import Event
from genoflow.events.log.kafka_client import connect, heard, know, partitions_of
from genoflow.events.log.kafka_reader import (
    SESSION_SECONDS,
    KafkaGroupReader,
    KafkaReader,
    consumer,
)
from genoflow.events.log.kafka_task import KafkaTask
from genoflow.events.log.kafka_withheld import withheld, witness
from genoflow.events.log.kafka_work import KafkaWorkReader, member
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import (
    EventLog,
    GroupReader,
    Reader,
    Share,
    TaskSession,
    Vector,
    Withheld,
    WorkReader,
)
from genoflow.events.log.recorded import EPOCH, Position, Raw
from genoflow.events.registry import released
from genoflow.events.spans import Spans, tell_appended
from genoflow.events.topics import BY_NAME, Topic

APPEND_SECONDS_MAX = 30  # three leader elections of 10 s; then the outcome is unknown
METADATA_PAUSE_SECONDS = 0.05  # between two questions
METADATA_SECONDS_MAX = 2  # a topic that was just created reaches every broker within one
BATCH_BYTES_MAX = 262_144  # 700 events of 352 bytes; four of them fit in one request of 1 MiB
# Batches on their way in a bulk append: 64 of 256 kB are 16 MB, aiokafka's whole buffer is ours.
BATCHES_WAITING_MAX = 64
# This topic stands on the broker while a restore is under way, and no longer.
RESTORING = "gf.restoring"


class KafkaLog(EventLog):
    """One connection to a cluster; topics may carry a prefix so that deployments share it."""

    def __init__(
        self,
        address: str,
        *,
        prefix: str = "",
        codec: Codec | None = None,
        partitions: int | None,
        restoring: bool = False,
        session_seconds: int = SESSION_SECONDS,
        spans: Spans | None = None,
    ) -> None:
        self.address = address
        self.spans = spans
        self._session_seconds = session_seconds
        self.codec = codec or Codec(released())
        self._prefix = prefix
        self._restoring = restoring
        self._expected = partitions
        self._counts: dict[str, int] = {}
        self._producer: AIOKafkaProducer | None = None
        self._transactional: AIOKafkaProducer | None = None
        self._one_transaction = asyncio.Lock()
        self._metadata: AIOKafkaConsumer | None = None
        self._witness: AIOKafkaConsumer | None = None
        self._one_look = asyncio.Lock()
        self._lock = asyncio.Lock()

    # -- connections: made at the first use, each once

    async def _consumer(self) -> AIOKafkaConsumer:
        async with self._lock:
            if self._metadata is None:
                self._metadata = await self._connected(consumer(self.address))
        return self._metadata

    async def _sender(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._lock:
            if self._producer is None:
                self._producer = await self._connected(self._new_producer())
        return self._producer

    def _new_producer(self, transactional_id: str | None = None) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self.address,
            enable_idempotence=True,
            transactional_id=transactional_id,
            max_batch_size=BATCH_BYTES_MAX,
            linger_ms=0,
        )

    async def _connected(self, client: Any) -> Any:
        await connect(self.address, client.start, client.stop)
        return client

    # -- topics

    async def topics(self) -> list[str]:
        """The names of all topics of this deployment, without its prefix."""
        client = await self._consumer()
        async with self._asked("the topics"):
            names = await client.topics()
        return sorted(n.removeprefix(self._prefix) for n in names if n.startswith(self._prefix))

    def wire_name(self, topic: str) -> str:
        """The name on the broker."""
        return self._prefix + topic

    async def partitions(self, topic: str) -> int:
        count = self._counts.get(topic)
        if count is None:
            count = self._counts[topic] = await self._ask_partitions(topic)
        return count

    async def _ask_partitions(self, topic: str) -> int:
        client = await self._consumer()
        name = self.wire_name(topic)
        found: int | None = None
        deadline = time.monotonic() + METADATA_SECONDS_MAX
        while not found and time.monotonic() < deadline:
            async with self._asked(f"the partitions of {topic}"):
                counts = await partitions_of(client, [name, self.wire_name(RESTORING)])
            if not self._restoring and self.wire_name(RESTORING) in counts:
                raise TopicMismatch(
                    f"kafka at {self.address}: holds a part of a backup only, its restore is under "
                    f"way or was interrupted; finish it with `genoflow restore`"
                )
            found = counts.get(name)
            if not found:
                await asyncio.sleep(METADATA_PAUSE_SECONDS)
        if not found:
            raise TopicMissing(
                f"kafka at {self.address}: topic {name} is missing; run `genoflow topics apply`"
            )
        if self._expected is not None and topic in BY_NAME and found != self._expected:
            raise TopicMismatch(
                f"kafka at {self.address}: topic {name} has {found} partitions and the "
                f"settings say {self._expected}; set GENOFLOW_PARTITIONS={found}, or keep the "
                f"number and move to a new generation of topics (docs/decisions)"
            )
        return found

    # -- writing

    async def append(self, event: Event) -> Position:
        spans = self.spans
        began_ns = 0 if spans is None else spans.now_ns()
        value, headers = self.codec.encode(event)
        key, topic = event.key.encode(), event.topic
        partition = partition_of(key, self._counts.get(topic) or await self.partitions(topic))
        producer = self._producer or await self._sender()
        async with self._outcome(f"{topic}[{partition}] {event.type()} {event.key}"):
            sent = await producer.send(
                self._prefix + topic, value, key=key, partition=partition, headers=headers
            )
            metadata = await sent
        place = Position(topic, partition, metadata.offset)
        if spans is not None:
            tell_appended(spans, [event], began_ns, place)
        return place

    @contextlib.asynccontextmanager
    async def _outcome(self, place: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(APPEND_SECONDS_MAX):
                yield
        except (KafkaError, TimeoutError) as error:
            raise OutcomeUnknown(
                f"{place}: {type(error).__name__} within {APPEND_SECONDS_MAX} s, so it may stand "
                f"on the log or not; append the same event again, its id is the same"
            ) from error

    async def append_atomically(self, events: Sequence[Event]) -> None:
        began_ns = 0 if self.spans is None else self.spans.now_ns()
        writes = []
        for event in events:
            value, headers = self.codec.encode(event)
            key = event.key.encode()
            partition = partition_of(key, await self.partitions(event.topic))
            writes.append((self.wire_name(event.topic), value, key, partition, headers))
        async with self._one_transaction, self._outcome(f"{len(events)} events as one"):
            producer = self._transactional
            if producer is None:
                # A name of its own: nobody else is fenced by it, and nobody fences it.
                producer = self._new_producer(f"{self._prefix}append-{uuid.uuid4()}")
                await self._connected(producer)
            self._transactional = None  # in doubt until the commit: then another one is made
            try:
                async with producer.transaction():
                    sent = [
                        heard(
                            await producer.send(
                                topic, value, key=key, partition=at, headers=headers
                            )
                        )
                        for topic, value, key, at, headers in writes
                    ]
                    await asyncio.gather(*sent)
            except BaseException:
                await producer.stop()
                raise
            self._transactional = producer
        if self.spans is not None:
            tell_appended(self.spans, events, began_ns)

    async def append_bulk(self, events: Iterable[Event]) -> int:
        producer = await self._sender()
        encode, prefix, counts = self.codec.encode, self._prefix, self._counts
        open_batches: dict[tuple[str, int], Any] = {}
        waiting: deque[Any] = deque()
        count = 0
        async with self._outcome_of_bulk():
            for event in events:
                value, headers = encode(event)
                key, topic = event.key.encode(), event.topic
                place = (
                    topic, partition_of(key, counts.get(topic) or await self.partitions(topic))
                )  # fmt: skip
                batch = open_batches.get(place) or producer.create_batch()
                while batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    waiting.append(
                        await producer.send_batch(batch, prefix + topic, partition=place[1])
                    )
                    if len(waiting) > BATCHES_WAITING_MAX:
                        await waiting.popleft()
                    batch = producer.create_batch()
                open_batches[place] = batch
                count += 1
            for (topic, number), batch in open_batches.items():
                waiting.append(await producer.send_batch(batch, prefix + topic, partition=number))
            while waiting:
                await waiting.popleft()
        return count

    @contextlib.asynccontextmanager
    async def _outcome_of_bulk(self) -> AsyncIterator[None]:
        try:
            yield
        except (KafkaError, TimeoutError) as error:
            raise OutcomeUnknown(
                f"kafka at {self.address}: {type(error).__name__} in the middle of a bulk append; "
                f"append the same events again, their ids are the same"
            ) from error

    async def append_raw(self, topic: str, partition: int, records: Sequence[Raw]) -> list[int]:
        await self.partitions(topic)
        producer = await self._sender()
        name = self.wire_name(topic)
        waiting: list[tuple[Any, int]] = []
        async with self._outcome(f"{topic}[{partition}] {len(records)} records"):
            batch = producer.create_batch()
            for raw in records:
                row = {
                    "key": raw.key, "value": raw.value, "headers": list(raw.headers),
                    "timestamp": raw.timestamp_ms or None,
                }  # fmt: skip
                if batch.append(**row) is None:
                    sent = await producer.send_batch(batch, name, partition=partition)
                    waiting.append((sent, batch.record_count()))
                    batch = producer.create_batch()
                    batch.append(**row)
            if batch.record_count():
                sent = await producer.send_batch(batch, name, partition=partition)
                waiting.append((sent, batch.record_count()))
            return [
                first + index
                for future, count in waiting
                for first in [(await future).offset]
                for index in range(count)
            ]

    # -- reading

    async def _places(self, topic: str) -> list[TopicPartition]:
        name, count = self.wire_name(topic), await self.partitions(topic)
        async with self._asked(f"the leaders of {topic}"):
            await know(await self._consumer(), name)
        return [TopicPartition(name, number) for number in range(count)]

    def _vector(self, topic: str, offsets: Mapping[TopicPartition, int]) -> Vector:
        return {(topic, place.partition): offset for place, offset in offsets.items()}

    @contextlib.asynccontextmanager
    async def _asked(self, what: str) -> AsyncIterator[None]:
        """A broker that goes away while it is asked, as the error that says so."""
        try:
            yield
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(
                f"{what}: {type(error).__name__} from {self.address}; the broker is away or busy, "
                f"try again"
            ) from error

    async def starts(self, topic: str) -> Vector:
        client, places = await self._consumer(), await self._places(topic)
        async with self._asked(f"the first offsets of {topic}"):
            return self._vector(topic, await client.beginning_offsets(places))

    async def ends(self, topic: str) -> Vector:
        client, places = await self._consumer(), await self._places(topic)
        async with self._asked(f"the ends of {topic}"):
            return self._vector(topic, await client.end_offsets(places))

    async def withheld(self, topic: str) -> dict[tuple[str, int], Withheld]:
        client, places = await self._consumer(), await self._places(topic)
        async with self._one_look, self._asked(f"what {topic} withholds"):
            if self._witness is None:
                self._witness = await self._connected(witness(self.address))
            await know(self._witness, self.wire_name(topic))
            found = await withheld(self._witness, client, places)
        return {(topic, number): one for number, one in found.items()}

    async def offsets_at(self, topic: str, time: datetime) -> Vector:
        client, places = await self._consumer(), await self._places(topic)
        wanted_ms = int((time - EPOCH).total_seconds() * 1000)
        async with self._asked(f"the offsets of {topic} at a time"):
            found = await client.offsets_for_times(dict.fromkeys(places, wanted_ms))
            ends = await client.end_offsets(places)
        return self._vector(
            topic, {p: found[p].offset if found.get(p) else ends[p] for p in places}
        )

    async def reader(self, start: Vector) -> Reader:
        for topic, _ in start:
            await self.partitions(topic)
        client = await self._connected(consumer(self.address))
        return KafkaReader(client, self.codec, self._prefix, start)

    async def group_reader(
        self, name: str, topics: Sequence[str], *, earliest: bool
    ) -> GroupReader:
        for topic in topics:
            await self.partitions(topic)
        client = consumer(
            self.address,
            group=self._prefix + name,
            earliest=earliest,
            session_seconds=self._session_seconds,
        )
        reader = KafkaGroupReader(client, self.codec, self._prefix, topics)
        await self._connected(client)
        return reader

    async def work_reader(self, name: str, topic: Topic, share: Share) -> WorkReader:
        await self.partitions(topic.name)
        client = member(self.address, self._prefix + name, self._session_seconds)
        await self._connected(client)
        return KafkaWorkReader(client, self.codec, self._prefix, name, topic.name, share)

    def task(self, processor: str, topic: Topic, partition: int) -> TaskSession:
        return KafkaTask(self, self._prefix, processor, topic, partition)

    async def close(self) -> None:
        for producer in (self._producer, self._transactional):
            if producer is not None:
                await producer.stop()
        for client in (self._metadata, self._witness):
            if client is not None:
                await client.stop()
