"""The log in memory: the same promises as Kafka's, without the broker, and with faults on demand.

It keeps what readers can observe: offsets with gaps where a transaction's marker would stand,
append times that the log gives, fencing of older sessions, and outcomes that stay unknown.
"""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from genoflow.events.codec import Codec
from genoflow.events.errors import Fenced, TopicMissing
from genoflow.events.event import Event
from genoflow.events.log.changelog import Folding, records
from genoflow.events.log.memory_work import SESSION_SECONDS, MemoryWorkReader, WorkGroup
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import (
    POLL_RECORDS_MAX,
    EventLog,
    GroupReader,
    Reader,
    Restored,
    Share,
    TaskSession,
    Vector,
    Withheld,
    WorkReader,
)
from genoflow.events.log.recorded import EPOCH, Position, Raw, Recorded
from genoflow.events.registry import released
from genoflow.events.spans import Spans, tell_appended
from genoflow.events.topics import INTERNAL, PARTITIONS_EMBEDDED, TOPICS, Topic, changelog_of

# Called with the name of an operation and whether it has happened yet; may raise OutcomeUnknown.
Fault = Callable[[str, bool], None]


class Write(NamedTuple):
    """One record on its way to a partition."""

    topic: str
    partition: int
    raw: Raw


class _Partition:
    def __init__(self) -> None:
        self.records: list[Recorded] = []
        self.offsets: list[int] = []
        self.end = 0
        self.latest_ms = 0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryLog(EventLog):
    """Partitions as lists; every operation gives way to other tasks once, as a broker would."""

    def __init__(
        self,
        topics: Iterable[Topic] = TOPICS,
        *,
        partitions: int = PARTITIONS_EMBEDDED,
        session_seconds: float = SESSION_SECONDS,
        codec: Codec | None = None,
        now: Callable[[], datetime] = _utc_now,
        fault: Fault = lambda _operation, _happened: None,
        spans: Spans | None = None,
    ) -> None:
        self.spans = spans
        self.codec = codec or Codec(released())
        self._count = partitions
        self._now = now
        self._fault = fault
        self._topics = {topic.name: self._empty() for topic in (*topics, *INTERNAL)}
        self._groups: dict[str, Vector] = {}
        self._session_seconds = session_seconds
        self._work: dict[tuple[str, str], WorkGroup] = {}
        self.epochs: dict[str, int] = {}
        self.grown = asyncio.Event()

    def _empty(self) -> list[_Partition]:
        return [_Partition() for _ in range(self._count)]

    def add_topic(self, topic: Topic) -> None:
        """Create a topic that is not there yet."""
        self._topics.setdefault(topic.name, self._empty())

    def partition(self, topic: str, number: int) -> _Partition:
        """One partition; TopicMissing where there is none."""
        found = self._topics.get(topic)
        if found is None:
            raise TopicMissing(f"memory: topic {topic} is missing; pass it to MemoryLog(topics=…)")
        return found[number]

    def encoded(self, event: Event) -> Write:
        """The record of an event and where it belongs."""
        value, headers = self.codec.encode(event)
        key = event.key.encode()
        return Write(event.topic, partition_of(key, self._count), Raw(key, value, headers, 0))

    async def write(
        self,
        operation: str,
        writes: Sequence[Write],
        *,
        marker: bool,
        permit: Callable[[], None] = lambda: None,
    ) -> list[int]:
        """Everything at once, between two chances for a fault; the offsets in order."""
        await asyncio.sleep(0)
        self._fault(operation, False)
        permit()  # in one step with the write: nobody can fence us in between
        for write in writes:
            self.partition(write.topic, write.partition)
        now_ms = int((self._now() - EPOCH).total_seconds() * 1000)
        offsets = [self._put(write, now_ms) for write in writes]
        if marker:
            for topic, number in {(write.topic, write.partition) for write in writes}:
                self.partition(topic, number).end += 1
        self.wake()
        self._fault(operation, True)
        return offsets

    def wake(self) -> None:
        """Let every reader that waits look again."""
        self.grown.set()
        self.grown = asyncio.Event()

    def _put(self, write: Write, now_ms: int) -> int:
        partition = self.partition(write.topic, write.partition)
        partition.latest_ms = max(partition.latest_ms, now_ms)
        raw, offset = write.raw, partition.end
        record = Recorded(
            write.topic, write.partition, offset, partition.latest_ms,
            raw.key, raw.value, raw.headers, self.codec,
        )  # fmt: skip
        partition.records.append(record)
        partition.offsets.append(offset)
        partition.end = offset + 1
        return offset

    async def append(self, event: Event) -> Position:
        began_ns = 0 if self.spans is None else self.spans.now_ns()
        write = self.encoded(event)
        [offset] = await self.write("append", [write], marker=False)
        place = Position(write.topic, write.partition, offset)
        if self.spans is not None:
            tell_appended(self.spans, [event], began_ns, place)
        return place

    async def append_atomically(self, events: Sequence[Event]) -> None:
        began_ns = 0 if self.spans is None else self.spans.now_ns()
        await self.write("append_atomically", [self.encoded(e) for e in events], marker=True)
        if self.spans is not None:
            tell_appended(self.spans, events, began_ns)

    async def append_bulk(self, events: Iterable[Event]) -> int:
        count = 0
        for event in events:
            await self.append(event)
            count += 1
        return count

    async def append_raw(self, topic: str, partition: int, records: Sequence[Raw]) -> list[int]:
        writes = [Write(topic, partition, raw) for raw in records]
        return await self.write("append_raw", writes, marker=False)

    async def partitions(self, topic: str) -> int:
        self.partition(topic, 0)
        return self._count

    async def starts(self, topic: str) -> Vector:
        self.partition(topic, 0)
        return {(topic, number): 0 for number in range(self._count)}

    async def ends(self, topic: str) -> Vector:
        return {(topic, number): self.partition(topic, number).end for number in range(self._count)}

    async def withheld(self, topic: str) -> dict[tuple[str, int], Withheld]:
        self.partition(topic, 0)
        return {}  # what is written here is written whole

    async def offsets_at(self, topic: str, time: datetime) -> Vector:
        wanted_ms = int((time - EPOCH).total_seconds() * 1000)
        found = {}
        for number in range(self._count):
            partition = self.partition(topic, number)
            index = bisect.bisect_left(partition.records, wanted_ms, key=lambda r: r.timestamp_ms)
            at_end = index == len(partition.records)
            found[topic, number] = partition.end if at_end else partition.offsets[index]
        return found

    async def reader(self, start: Vector) -> Reader:
        for topic, number in start:
            self.partition(topic, number)
        return _MemoryReader(self, dict(start))

    async def group_reader(
        self, name: str, topics: Sequence[str], *, earliest: bool
    ) -> GroupReader:
        kept = self._groups.setdefault(name, {})
        start: Vector = {}
        for topic in topics:
            begin = await self.starts(topic) if earliest else await self.ends(topic)
            start |= {place: kept.get(place, offset) for place, offset in begin.items()}
        return _MemoryGroupReader(self, start, kept)

    async def work_reader(self, name: str, topic: Topic, share: Share) -> WorkReader:
        await asyncio.sleep(0)
        self.partition(topic.name, 0)
        group = self._work.setdefault(
            (name, topic.name), WorkGroup(self._count, self._session_seconds)
        )
        return MemoryWorkReader(self, group, name, topic.name, share)

    def task(self, processor: str, topic: Topic, partition: int) -> TaskSession:
        self.add_topic(changelog_of(processor, topic))
        return _MemoryTask(self, processor, changelog_of(processor, topic).name, partition)

    async def close(self) -> None:
        await asyncio.sleep(0)


class _MemoryReader(Reader):
    def __init__(self, log: MemoryLog, start: Vector) -> None:
        self._log = log
        self._next = start

    async def poll(
        self, timeout_seconds: float, records_max: int = POLL_RECORDS_MAX
    ) -> list[Recorded]:
        grown = self._log.grown
        await asyncio.sleep(0)
        found = self._take(records_max)
        if not found and timeout_seconds > 0:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await grown.wait()
            except TimeoutError:
                return []
            found = self._take(records_max)
        return found

    def _take(self, records_max: int) -> list[Recorded]:
        found: list[Recorded] = []
        for (topic, number), offset in self._next.items():
            partition = self._log.partition(topic, number)
            index = bisect.bisect_left(partition.offsets, offset)
            taken = partition.records[index : index + records_max - len(found)]
            found += taken
            reached_end = index + len(taken) == len(partition.records)
            self._next[topic, number] = partition.end if reached_end else taken[-1].offset + 1
            if len(found) >= records_max:
                break
        return found

    def positions(self) -> Vector:
        return dict(self._next)

    async def close(self) -> None:
        await asyncio.sleep(0)


class _MemoryGroupReader(_MemoryReader, GroupReader):
    def __init__(self, log: MemoryLog, start: Vector, kept: Vector) -> None:
        super().__init__(log, start)
        self._kept = kept
        self._assigned: Vector = dict(start)

    async def commit(self, positions: Vector) -> None:
        await asyncio.sleep(0)
        self._kept.update(positions)

    def take_assigned(self) -> Vector:
        assigned, self._assigned = self._assigned, {}
        return assigned


class _MemoryTask(TaskSession):
    def __init__(self, log: MemoryLog, processor: str, changelog: str, partition: int) -> None:
        self._log = log
        self._name = f"{processor}-{changelog}-{partition}"
        self._changelog = changelog
        self._partition = partition
        self._epoch = 0

    async def fence(self) -> None:
        await asyncio.sleep(0)
        self._epoch = self._log.epochs.get(self._name, 0) + 1
        self._log.epochs[self._name] = self._epoch

    async def restore(self) -> Restored:
        place = (self._changelog, self._partition)
        ends = await self._log.ends(self._changelog)
        folding = Folding(f"{self._changelog}[{self._partition}]")
        async for record in self._log.read({place: 0}, {place: ends[place]}):
            folding.take([(record.key_bytes or b"", record.value)])
        return folding.restored()

    async def commit(
        self, events: Sequence[Event], changes: Mapping[bytes, bytes | None], position: int
    ) -> None:
        writes = [self._log.encoded(event) for event in events]
        writes += [
            Write(self._changelog, self._partition, Raw(key, value, (), 0))
            for key, value in records(changes, position)
        ]
        await self._log.write("commit", writes, marker=True, permit=self._refuse_if_fenced)

    def _refuse_if_fenced(self) -> None:
        if self._epoch == 0 or self._log.epochs[self._name] != self._epoch:
            raise Fenced(
                f"{self._name}: another session has taken this task over (its epoch is "
                f"{self._log.epochs.get(self._name, 0)}, ours {self._epoch}); leave the process"
            )

    async def close(self) -> None:
        await asyncio.sleep(0)
