"""The hold of a processor on one input partition, on Kafka.

aiokafka cannot fence a zombie by its group's generation, so transactional ids do it, which belong
to (processor, input partition) as in Kafka Streams. There are two of them, `-a` and `-b`, and
commits take turns: a broker answers a commit before its markers are written, and aiokafka waits
20 ms whenever it begins the next transaction of the same id in between.

    1. fence     start producer a, then b. Each start ends all older holders of its id, aborts what
                 they left open, and waits until what they committed is complete, markers and all.
                 An older session that commits meanwhile does so before b is started, or never: its
                 turns alternate, each waits for the last one's answer, and one refusal ends it
    2. restore   only then is the changelog read, committed records only, to its end: everything
                 that any older session was told is committed stands before that end. A broker that
                 lost the end of a transaction shows less than that, which is Stop
    3. commit    events, changed state and position in one transaction of the producer whose turn it
                 is, begun only after the last commit was answered; an answer means that it is
                 decided, so nothing can commit on top of a commit that fails. The records of both
                 stand in order of commits, and readers take them by offset: whichever marker is
                 late holds back what stands behind it
    4. any doubt ends the session: the process leaves, and restarting is the recovery. A transaction
                 left open is aborted by the next fence, or by the broker when its time is over
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from genoflow.events.errors import Fenced, LogUnavailable, OutcomeUnknown, Stop
from genoflow.events.event import Event
from genoflow.events.log.changelog import Folding, records
from genoflow.events.log.kafka_client import hear_the_rest, heard
from genoflow.events.log.kafka_reader import read_rows
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import Restored, TaskSession
from genoflow.events.topics import Topic, changelog_of

if TYPE_CHECKING:
    from genoflow.events.log.kafka import KafkaLog

# Well under the 50 ms that a commit should take, times 200: longer means trouble, not load.
TRANSACTION_MILLISECONDS_MAX = 10_000
FENCE_SECONDS_MAX = 30  # an open transaction of the old owner is aborted within its own limit
# After the fence nothing of this task is open. What followers still have to copy comes at once.
WITHHELD_SECONDS_MAX = 10
WITHHELD_PAUSE_SECONDS = 0.5
CLOSE_SECONDS_MAX = 5  # to abort and say goodbye; a broker that is away aborts by itself
BATCH_BYTES_MAX = 262_144  # 700 events of 352 bytes; four of them fit in one request of 1 MiB
TURNS = ("a", "b")

_Row = tuple[bytes, bytes | None, list[tuple[str, bytes]]]  # key, value, headers
_Writes = dict[tuple[str, int], list[_Row]]  # by topic on the wire and partition, each in order


class KafkaTask(TaskSession):
    """One task; `fence`, then `restore`, then any number of `commit`, one after another."""

    def __init__(
        self, log: KafkaLog, prefix: str, processor: str, topic: Topic, partition: int
    ) -> None:
        self._log = log
        self._prefix = prefix
        self._changelog = changelog_of(processor, topic).name
        self._partition = partition
        self._name = f"{prefix}{processor}-{topic.name}-{partition}"
        self._producers: list[AIOKafkaProducer] = []
        self._commits = 0
        self._open: AIOKafkaProducer | None = None  # has begun, and was not told to commit

    async def fence(self) -> None:
        try:
            async with asyncio.timeout(FENCE_SECONDS_MAX):
                for turn in TURNS:  # step 1
                    producer = AIOKafkaProducer(
                        bootstrap_servers=self._log.address,
                        transactional_id=f"{self._name}-{turn}",
                        transaction_timeout_ms=TRANSACTION_MILLISECONDS_MAX,
                        max_batch_size=BATCH_BYTES_MAX,
                        linger_ms=0,
                    )
                    self._producers.append(producer)
                    await producer.start()
        except (KafkaError, TimeoutError) as error:  # the link may break at any word of it
            await self.close()
            raise LogUnavailable(
                f"{self._name}: {type(error).__name__}, no broker at {self._log.address} grants "
                f"the task within {FENCE_SECONDS_MAX} s; start again"
            ) from error

    async def restore(self) -> Restored:
        if not self._producers:
            raise Stop(f"{self._name}: restored before it was fenced; call fence() first")
        await self._log.partitions(self._changelog)
        place = (self._changelog, self._partition)
        await self._refuse_withheld(place)
        start = (await self._log.starts(self._changelog))[place]
        stop = (await self._log.ends(self._changelog))[place]
        folding = Folding(f"{self._changelog}[{self._partition}]")
        if start < stop:
            async with aclosing(
                read_rows(self._log.address, self._prefix + self._changelog, self._partition,
                          start, stop)
            ) as found:  # fmt: skip
                async for rows in found:  # step 2
                    folding.take((row.key or b"", row.value) for row in rows)
        return folding.restored()

    async def _refuse_withheld(self, place: tuple[str, int]) -> None:
        deadline = time.monotonic() + WITHHELD_SECONDS_MAX
        while (found := (await self._log.withheld(self._changelog)).get(place)) is not None:
            if time.monotonic() >= deadline:
                raise Stop(
                    f"{self._changelog}[{self._partition}]@{found.offset}: the broker withholds "
                    f"{found.records} records since {found.since:%Y-%m-%d %H:%M:%S} UTC: the end "
                    f"of their transaction is lost, and without them the state would be too old; "
                    f"see `A lost end` in docs/reliability.md, then start again"
                )
            await asyncio.sleep(WITHHELD_PAUSE_SECONDS)

    async def commit(
        self, events: Sequence[Event], changes: Mapping[bytes, bytes | None], position: int
    ) -> None:
        if not self._producers:
            raise Stop(f"{self._name}: committed before it was fenced; call fence() first")
        writes = await self._writes(events, changes, position)
        producer = self._producers[self._commits % len(self._producers)]
        self._commits += 1
        try:
            async with asyncio.timeout(TRANSACTION_MILLISECONDS_MAX / 1000):
                try:
                    await self._transaction(producer, writes)  # step 3
                except KafkaError:
                    hear_the_rest(producer)
                    raise
        except ProducerFenced as error:
            raise Fenced(
                f"{self._name}: another session has taken this task over; leave the process"
            ) from error
        except (KafkaError, TimeoutError) as error:  # step 4
            raise OutcomeUnknown(
                f"{self._name}: {type(error).__name__} while committing position {position}; "
                f"leave the process, the changelog says what happened"
            ) from error

    async def _writes(
        self, events: Sequence[Event], changes: Mapping[bytes, bytes | None], position: int
    ) -> _Writes:
        writes: _Writes = {}
        for event in events:
            value, headers = self._log.codec.encode(event)
            key, topic = event.key.encode(), event.topic
            partition = partition_of(key, await self._log.partitions(topic))
            writes.setdefault((self._prefix + topic, partition), []).append((key, value, headers))
        changelog = writes.setdefault((self._prefix + self._changelog, self._partition), [])
        changelog += [(key, value, []) for key, value in records(changes, position)]
        return writes

    async def _transaction(self, producer: AIOKafkaProducer, writes: _Writes) -> None:
        for topic, _ in writes:
            # Asked for here, or the first send would go out while the second one still asks.
            await producer.partitions_for(topic)
        await producer.begin_transaction()
        self._open = producer
        sent = [
            heard(await producer.send_batch(batch, topic, partition=partition))
            for (topic, partition), rows in writes.items()
            for batch in _batches(producer, rows)
        ]
        await asyncio.gather(*sent)
        self._open = None
        await producer.commit_transaction()

    async def close(self) -> None:
        producers, self._producers = self._producers, []
        # What cannot be said in time the broker finds out: nothing of it would be committed.
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                if self._open is not None and not self._open._txn_manager.is_fatal_error():
                    await self._open.abort_transaction()
        self._open = None
        for producer in producers:
            with contextlib.suppress(KafkaError, TimeoutError):  # it says again why it was fenced
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await producer.stop()


def _batches(producer: AIOKafkaProducer, rows: Sequence[_Row]) -> list[Any]:
    """Full batches and the last one, with the rows in order."""
    batches = [producer.create_batch()]
    for key, value, headers in rows:
        row = {"key": key, "value": value, "timestamp": None, "headers": headers}
        if batches[-1].append(**row) is None:
            batches.append(producer.create_batch())
            batches[-1].append(**row)
    return batches
