"""Readers on Kafka: read_committed, nothing committed by itself, times that never go back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from genoflow.events.codec import Codec
from genoflow.events.errors import LogUnavailable, TopicMismatch
from genoflow.events.log.kafka_client import connect, stop_consumer
from genoflow.events.log.port import POLL_RECORDS_MAX, GroupReader, Reader, Vector
from genoflow.events.log.recorded import Recorded

# A reader that dies is missed after this long, and its partitions go to the others.
SESSION_SECONDS = 10
BEATS_PER_SESSION = 5  # a beat every 2 s: five chances within a session
# Nothing is answered later for it: what is written ends the wait at once. Only a partition that is
# begun beside others waits for their fetch. At 100 ms the 50 readers of an idle worker, and their
# broker, took half of a core to learn that nothing happens.
FETCH_WAIT_MILLISECONDS = 500
FETCH_BYTES_MAX = 4_194_304  # 10,000 events of 352 bytes a partition in one fetch
BULK_BYTES_MAX = 16_777_216  # a segment of a changelog in one fetch
BULK_RECORDS_MAX = 5_000  # 20 ms of one core, then others have their turn
BULK_SECONDS_MAX = 30  # three leader elections of 10 s; then the broker is away


def consumer(
    address: str,
    group: str | None = None,
    *,
    earliest: bool = True,
    session_seconds: int = SESSION_SECONDS,
) -> AIOKafkaConsumer:
    """A consumer as this house uses it, not yet started."""
    return AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest" if earliest else "latest",
        session_timeout_ms=session_seconds * 1000,
        heartbeat_interval_ms=session_seconds * 1000 // BEATS_PER_SESSION,
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
    )


async def read_rows(
    address: str, topic: str, partition: int, start: int, stop: int
) -> AsyncGenerator[list[Any], None]:
    """The committed rows of one partition as the client has them, as fast as they can be had."""
    client = AIOKafkaConsumer(
        bootstrap_servers=address,
        isolation_level="read_committed",
        auto_offset_reset="none",
        max_partition_fetch_bytes=BULK_BYTES_MAX,
        fetch_max_wait_ms=100,
    )
    place = TopicPartition(topic, partition)
    try:
        await connect(address, client.start, client.stop)
        client.assign([place])
        client.seek(place, start)
        moved_at = time.monotonic()
        while (here := await client.position(place)) < stop:
            found = await client.getmany(timeout_ms=1_000, max_records=BULK_RECORDS_MAX)
            if found:
                yield [row for row in found[place] if row.offset < stop]
                await asyncio.sleep(0)  # what was fetched is there at once: let others run
            if found or await client.position(place) > here:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > BULK_SECONDS_MAX:
                raise LogUnavailable(
                    f"{topic}[{partition}]@{here}: nothing came of it for {BULK_SECONDS_MAX} s, "
                    f"and {stop - here:,} offsets are left; see to the broker, then start again"
                )
    except OffsetOutOfRangeError as error:
        raise TopicMismatch(
            f"{topic}[{partition}]: was cut or recreated while it was read from {start} to {stop}; "
            f"start again"
        ) from error
    finally:
        await stop_consumer(client)


def recorded(
    topic: str, rows: Iterable[Any], latest_ms: int, codec: Codec
) -> tuple[list[Recorded], int]:
    """Fetched rows of one partition as records, and the time of the latest of them."""
    found = []
    for row in rows:
        # LogAppendTime follows the broker's clock, which may be set back.
        latest_ms = max(latest_ms, row.timestamp)
        found.append(
            Recorded(
                topic, row.partition, row.offset, latest_ms, row.key, row.value, row.headers, codec
            )
        )  # fmt: skip
    return found, latest_ms


class KafkaReader(Reader):
    """A reader of fixed partitions."""

    def __init__(
        self, client: AIOKafkaConsumer, codec: Codec, prefix: str, start: Vector | None
    ) -> None:
        self._client = client
        self._codec = codec
        self._prefix = prefix
        self._next: Vector = dict(start or {})
        self._latest_ms: dict[TopicPartition, int] = {}
        if start is not None:
            places = {TopicPartition(prefix + t, p): offset for (t, p), offset in start.items()}
            client.assign(list(places))
            for place, offset in places.items():
                client.seek(place, offset)

    async def poll(
        self, timeout_seconds: float, records_max: int = POLL_RECORDS_MAX
    ) -> list[Recorded]:
        fetched = await self._client.getmany(
            timeout_ms=int(timeout_seconds * 1000), max_records=records_max
        )
        found: list[Recorded] = []
        cut = len(self._prefix)
        for place, rows in fetched.items():
            more, self._latest_ms[place] = recorded(
                place.topic[cut:], rows, self._latest_ms.get(place, 0), self._codec
            )
            found += more
        await self._note_positions()
        return found

    async def _note_positions(self) -> None:
        for topic, partition in self._next:
            place = TopicPartition(self._prefix + topic, partition)
            self._next[topic, partition] = await self._client.position(place)

    def positions(self) -> Vector:
        return dict(self._next)

    async def close(self) -> None:
        await stop_consumer(self._client)


class KafkaGroupReader(KafkaReader, GroupReader, ConsumerRebalanceListener):  # type: ignore[misc]
    """A reader whose partitions and places the group's coordinator keeps."""

    def __init__(
        self, client: AIOKafkaConsumer, codec: Codec, prefix: str, topics: Sequence[str]
    ) -> None:
        super().__init__(client, codec, prefix, None)
        self._assigned: Vector = {}
        client.subscribe([prefix + topic for topic in topics], listener=self)

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Forget what is no longer ours; a commit for it would be refused anyway."""
        for place in revoked:
            name = (place.topic[len(self._prefix) :], place.partition)
            self._next.pop(name, None)
            self._assigned.pop(name, None)
            self._latest_ms.pop(place, None)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Note each new partition with the offset that it begins at."""
        for place in assigned:
            offset = await self._client.position(place)
            name = (place.topic[len(self._prefix) :], place.partition)
            self._assigned[name] = self._next[name] = offset

    async def _note_positions(self) -> None:
        for topic, partition in list(self._next):
            place = TopicPartition(self._prefix + topic, partition)
            if place in self._client.assignment():
                self._next[topic, partition] = await self._client.position(place)

    def take_assigned(self) -> Vector:
        assigned, self._assigned = self._assigned, {}
        return assigned

    async def commit(self, positions: Vector) -> None:
        mine = self._client.assignment()
        places = {TopicPartition(self._prefix + t, p): o for (t, p), o in positions.items()}
        kept = {place: offset for place, offset in places.items() if place in mine}
        if kept:
            await self._client.commit(kept)
