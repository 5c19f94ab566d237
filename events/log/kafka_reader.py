"""Readers on Kafka: read_committed, nothing committed by itself, times that never go back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.structs import TopicPartition

from genoflow.events.codec import Codec
from genoflow.events.log.port import POLL_RECORDS_MAX, GroupReader, Reader, Vector
from genoflow.events.log.recorded import Recorded

# A reader that dies is missed after this long, and its partitions go to the others.
SESSION_MILLISECONDS = 10_000
HEARTBEAT_MILLISECONDS = 2_000  # five chances within a session
FETCH_BYTES_MAX = 4_194_304  # 10,000 events of 352 bytes a partition in one fetch


def consumer(address: str, group: str | None = None, *, earliest: bool = True) -> AIOKafkaConsumer:
    """A consumer as this house uses it, not yet started."""
    return AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest" if earliest else "latest",
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=100,
    )


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
        cut, codec = len(self._prefix), self._codec
        for place, rows in fetched.items():
            latest = self._latest_ms.get(place, 0)
            topic, partition = place.topic[cut:], place.partition
            for row in rows:
                # LogAppendTime follows the broker's clock, which may be set back.
                latest = max(latest, row.timestamp)
                found.append(
                    Recorded(
                        topic, partition, row.offset, latest,
                        row.key, row.value, row.headers, codec,
                    )
                )  # fmt: skip
            self._latest_ms[place] = latest
        await self._note_positions()
        return found

    async def _note_positions(self) -> None:
        for topic, partition in self._next:
            place = TopicPartition(self._prefix + topic, partition)
            self._next[topic, partition] = await self._client.position(place)

    def positions(self) -> Vector:
        return dict(self._next)

    async def close(self) -> None:
        await self._client.stop()


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
