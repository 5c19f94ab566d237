"""The hold of a processor on one input partition, on Kafka.

One transactional id per (processor, input partition), as in Kafka Streams: aiokafka cannot fence a
zombie by its group's generation, so starting the producer does it.

    1. fence     starting the producer ends every older session of this task
    2. restore   only then is the changelog read, committed records only, to its end
    3. commit    events, changed state and position in one transaction
    4. any doubt ends the session: the process leaves, and restarting is the recovery
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, ProducerFenced

from genoflow.events.errors import Fenced, LogUnavailable, OutcomeUnknown, Stop
from genoflow.events.event import Event
from genoflow.events.log.changelog import fold, records
from genoflow.events.log.kafka_client import heard
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import Restored, TaskSession
from genoflow.events.topics import Topic, changelog_of

if TYPE_CHECKING:
    from genoflow.events.log.kafka import KafkaLog

# Well under the 50 ms that a commit should take, times 200: longer means trouble, not load.
TRANSACTION_MILLISECONDS_MAX = 10_000
FENCE_SECONDS_MAX = 30  # an open transaction of the old owner is aborted within its own limit


class KafkaTask(TaskSession):
    """One task; `fence`, then `restore`, then any number of `commit`."""

    def __init__(
        self, log: KafkaLog, prefix: str, processor: str, topic: Topic, partition: int
    ) -> None:
        self._log = log
        self._prefix = prefix
        self._changelog = changelog_of(processor, topic).name
        self._partition = partition
        self._name = f"{prefix}{processor}-{topic.name}-{partition}"
        self._producer: AIOKafkaProducer | None = None

    async def fence(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._log.address,
            transactional_id=self._name,
            transaction_timeout_ms=TRANSACTION_MILLISECONDS_MAX,
            linger_ms=0,
        )
        try:
            async with asyncio.timeout(FENCE_SECONDS_MAX):
                await producer.start()  # step 1
        except (KafkaConnectionError, TimeoutError) as error:
            await producer.stop()
            raise LogUnavailable(
                f"{self._name}: no broker at {self._log.address} grants the task within "
                f"{FENCE_SECONDS_MAX} s; start again"
            ) from error
        self._producer = producer

    async def restore(self) -> Restored:
        if self._producer is None:
            raise Stop(f"{self._name}: restored before it was fenced; call fence() first")
        await self._log.partitions(self._changelog)
        place = (self._changelog, self._partition)
        start = (await self._log.starts(self._changelog))[place]
        stop = (await self._log.ends(self._changelog))[place]
        found = [  # step 2
            (record.key_bytes or b"", record.value)
            async for record in self._log.read({place: start}, {place: stop})
        ]
        return fold(f"{self._changelog}[{self._partition}]", found)

    async def commit(
        self, events: Sequence[Event], changes: Mapping[bytes, bytes | None], position: int
    ) -> None:
        if self._producer is None:
            raise Stop(f"{self._name}: committed before it was fenced; call fence() first")
        writes = [await self._encoded(event) for event in events]
        changelog = self._prefix + self._changelog
        writes += [
            (changelog, self._partition, key, value, [])
            for key, value in records(changes, position)
        ]
        try:
            async with asyncio.timeout(TRANSACTION_MILLISECONDS_MAX / 1000):
                await self._transaction(self._producer, writes)  # step 3
        except ProducerFenced as error:
            raise Fenced(
                f"{self._name}: another session has taken this task over; leave the process"
            ) from error
        except (KafkaError, TimeoutError) as error:  # step 4
            raise OutcomeUnknown(
                f"{self._name}: {type(error).__name__} while committing position {position}; "
                f"leave the process, the changelog says what happened"
            ) from error

    async def _encoded(self, event: Event) -> tuple[str, int, bytes, bytes | None, list[object]]:
        value, headers = self._log.codec.encode(event)
        key = event.key.encode()
        partition = partition_of(key, await self._log.partitions(event.topic))
        return self._prefix + event.topic, partition, key, value, list(headers)

    @staticmethod
    async def _transaction(
        producer: AIOKafkaProducer,
        writes: Sequence[tuple[str, int, bytes, bytes | None, list[object]]],
    ) -> None:
        async with producer.transaction():
            sent = [
                heard(await producer.send(topic, value, key=key, partition=at, headers=headers))
                for topic, at, key, value, headers in writes
            ]
            await asyncio.gather(*sent)

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None
