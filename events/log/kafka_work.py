"""Sharing the work on Kafka: one consumer of the group, and what its protocol leaves open.

    1. What a rebalance assigns is paused and given a place at once, before anything is awaited: the
       fetcher of aiokafka runs meanwhile, and would go to the offset that the group keeps.
    2. `begin` seeks, which forgets whatever was fetched before, and resumes.
    3. What is held is not asked for: its fetched records stay, and no more of them are fetched.
    4. While partitions move nothing is handed out, and a poll ends in time all the same: aiokafka's
       own waits until the group has settled, however long that takes.

The group's protocol is the eager one: every rebalance takes all partitions and gives some back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from genoflow.events.codec import Codec
from genoflow.events.errors import GenoflowError, LogUnavailable, Stop
from genoflow.events.log.kafka_client import stop_consumer
from genoflow.events.log.kafka_reader import (
    BEATS_PER_SESSION,
    FETCH_BYTES_MAX,
    FETCH_WAIT_MILLISECONDS,
    recorded,
)
from genoflow.events.log.port import POLL_RECORDS_MAX, Share, Taken, WorkReader, not_there
from genoflow.events.log.recorded import Position

# The group waits this long for a member that gives partitions up: a commit takes 10 s at most,
# and three of them fit. It is below the 40 s in which aiokafka gives a request up.
LOSE_SECONDS_MAX = 30
POLL_SECONDS_MAX = 300  # polls go on while tasks work, so this only catches a loop that hangs
# A topic that was deleted and made again is looked at within this; it does not fit the changelog.
METADATA_SECONDS_MAX = 10
COMMIT_SECONDS_MAX = 2  # it is for those who look on; the next one says the same


def member(address: str, group: str, session_seconds: int) -> AIOKafkaConsumer:
    """A consumer that shares a topic, not yet started."""
    return AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",  # nothing ever moves us but `begin`
        session_timeout_ms=session_seconds * 1000,
        heartbeat_interval_ms=session_seconds * 1000 // BEATS_PER_SESSION,
        rebalance_timeout_ms=LOSE_SECONDS_MAX * 1000,
        max_poll_interval_ms=POLL_SECONDS_MAX * 1000,
        metadata_max_age_ms=METADATA_SECONDS_MAX * 1000,
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
    )


class KafkaWorkReader(WorkReader, ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a group."""

    def __init__(
        self,
        client: AIOKafkaConsumer,
        codec: Codec,
        prefix: str,
        name: str,
        topic: str,
        share: Share,
    ) -> None:
        self._client = client
        self._codec = codec
        self._wire_topic = prefix + topic
        self._name = name
        self._topic = topic
        self._share = share
        self._joined = False
        self._moving = True
        self._mine: frozenset[int] = frozenset()
        self._next: dict[int, int] = {}  # of partitions that were begun
        self._held: set[int] = set()
        self._latest_ms: dict[int, int] = {}
        self._fault: Exception | None = None
        self._changed = asyncio.Event()

    # -- what the group tells us

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Give everything up before the group goes on."""
        lost = frozenset(place.partition for place in revoked)
        self._moving = True
        self._mine = frozenset()
        self._next.clear()
        self._held.clear()
        self._latest_ms.clear()
        async with self._told():
            if lost:
                await self._share.lost(lost)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Take what is ours now, with nothing of it handed out yet."""
        places = sorted(assigned)
        self._client.pause(*places)  # step 1
        for place in places:
            self._client.seek(place, 0)
        self._mine = frozenset(place.partition for place in places)
        self._moving = False
        self._changed.set()
        async with self._told():
            if self._mine:
                await self._share.gained(self._mine)

    @contextlib.asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            self._fault = error  # aiokafka writes it down and goes on: the next poll raises it
            self._changed.set()
            raise

    # -- what our owner asks

    async def poll(
        self, timeout_seconds: float, records_max: int = POLL_RECORDS_MAX
    ) -> dict[int, Taken]:
        if not self._joined:
            self._joined = True
            self._client.subscribe([self._wire_topic], listener=self)
        deadline = time.monotonic() + timeout_seconds
        while True:
            self._changed.clear()
            if self._fault is not None:
                raise self._fault
            taken = await self._take(records_max)
            left = deadline - time.monotonic()
            if taken or left <= 0:
                return taken
            await self._wait(left)

    async def _take(self, records_max: int) -> dict[int, Taken]:
        async with self._named():
            # Not by getmany alone: it waits for a group that moves, and would not tell its errors.
            self._client._coordinator.check_errors()
            if self._moving:
                return {}
            # With nothing to read it is asked all the same: a member that never asks is put out.
            wanted = [self._place(n) for n in sorted(self._next.keys() - self._held)]
            found = await self._client.getmany(
                *(wanted or [self._place(-1)]), timeout_ms=0, max_records=records_max
            )
            return await self._taken(found, wanted)

    async def _taken(
        self, found: dict[TopicPartition, list[Any]], wanted: list[TopicPartition]
    ) -> dict[int, Taken]:
        taken = {}
        for place in wanted:
            number = place.partition
            if number not in self._next:
                continue  # it went while the client was asked; what was fetched is the next owner's
            behind = await self._client.position(place)
            if behind == self._next[number]:
                continue
            rows = found.get(place, [])
            records, self._latest_ms[number] = recorded(
                self._topic, rows, self._latest_ms.get(number, 0), self._codec
            )
            self._next[number] = behind
            taken[number] = Taken(records, behind)
        return taken

    async def _wait(self, seconds: float) -> None:
        """Until something was fetched, something changed, or the time is over."""
        fetched = self._client._fetcher._create_fetch_waiter()
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait(
                [fetched, changed], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            changed.cancel()
            if fetched.done() and not fetched.cancelled():
                fetched.exception()  # the coordinator tells it again, by check_errors
            fetched.cancel()

    @contextlib.asynccontextmanager
    async def _named(self) -> AsyncIterator[None]:
        """Errors of the client as ours, each with the place, the fact and the way out."""
        try:
            yield
        except OffsetOutOfRangeError as error:
            raise await self._out_of_range(error) from error
        except KafkaError as error:
            fact = f"{self._topic} for {self._name}: {error!r}"
            if error.retriable:
                raise LogUnavailable(f"{fact}; the broker is away or busy, try again") from error
            raise Stop(f"{fact}; leave the process and start again") from error

    async def _out_of_range(self, error: OffsetOutOfRangeError) -> GenoflowError:
        [(place, offset)] = error.args[0].items()
        async with self._named():
            first = (await self._client.beginning_offsets([place]))[place]
            end = (await self._client.end_offsets([place]))[place]
        return not_there(self._name, Position(self._topic, place.partition, offset), first, end)

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._wire_topic, partition)

    def begin(self, partition: int, offset: int) -> None:
        if partition in self._mine:
            self._latest_ms.pop(partition, None)  # of what stands behind, where this one goes back
            self._client.seek(self._place(partition), offset)  # step 2
            self._client.resume(self._place(partition))
            self._next[partition] = offset
            self._held.discard(partition)
            self._changed.set()

    def hold(self, partition: int) -> None:
        if partition in self._next:
            self._held.add(partition)  # step 3

    def go_on(self, partition: int) -> None:
        self._held.discard(partition)
        self._changed.set()

    async def commit(self, positions: Mapping[int, int]) -> None:
        mine = {self._place(p): offset for p, offset in positions.items() if p in self._mine}
        if not mine or self._moving:
            return
        # Nothing reads it but tools: whatever hinders it, the next one says the same.
        with contextlib.suppress(KafkaError, IllegalStateError, TimeoutError):
            async with asyncio.timeout(COMMIT_SECONDS_MAX):
                await self._client.commit(mine)

    async def close(self) -> None:
        await stop_consumer(self._client)
        if self._fault is not None:
            raise self._fault
