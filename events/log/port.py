"""What a log promises. Both adapters keep it, and one contract suite holds them to it.

An append that fails with OutcomeUnknown may stand on the log or not: append the same event again.
Its id is the same, and every reader of ours drops an id that it has seen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from genoflow.events.codec import Codec
from genoflow.events.errors import OutcomeUnknown, TopicMismatch
from genoflow.events.event import Event
from genoflow.events.log.recorded import Position, Raw, Recorded
from genoflow.events.spans import Spans
from genoflow.events.topics import Topic

# (topic, partition) -> offset of the next record
Vector = dict[tuple[str, int], int]

# A poll hands over at most this many records: 1,000 of 1 kB are one megabyte in memory.
POLL_RECORDS_MAX = 1_000

# Of one event by a porch; an append of unknown outcome is repeated with the same id.
APPEND_TRIES = 3


class Restored(NamedTuple):
    """What a task finds when it takes over: its state, and where to go on."""

    state: dict[bytes, bytes]
    position: int | None  # None: the changelog is empty, the task has never committed


class Withheld(NamedTuple):
    """Records of one partition that stand behind a transaction without an end."""

    offset: int  # of the first one: readers of committed records wait here
    records: int  # offsets from there on, markers among them
    since: datetime  # when the first one was written; a healthy transaction ends within 20 s


class Closing(ABC):
    """Let go of at the end of an `async with`."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the broker."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class Reader(Closing):
    """A place in some partitions that moves forward."""

    @abstractmethod
    async def poll(
        self, timeout_seconds: float, records_max: int = POLL_RECORDS_MAX
    ) -> list[Recorded]:
        """The next records, in order within each partition; none when the time is over."""

    @abstractmethod
    def positions(self) -> Vector:
        """The next offset of every partition that it reads."""


class GroupReader(Reader):
    """A reader whose place is kept under a name; several of one name share the partitions."""

    @abstractmethod
    async def commit(self, positions: Vector) -> None:
        """Keep these next offsets under the name."""

    @abstractmethod
    def take_assigned(self) -> Vector:
        """Partitions that came since the last call, each with the offset that it begins at."""


class Taken(NamedTuple):
    """What was read of one partition: its records, and where it goes on behind them."""

    records: list[Recorded]
    next_offset: int  # past the markers of transactions too


class Share(Protocol):
    """Told which partitions are a member's own, one call at a time; an error ends the reader.

    Return soon from both: the whole group waits for `lost`, and a member is missed while it gains.
    """

    async def gained(self, partitions: frozenset[int]) -> None:
        """These are ours now; nothing of them is handed out before `begin`."""

    async def lost(self, partitions: frozenset[int]) -> None:
        """These are ours no more; awaited before they go to another member that asks in time."""


class WorkReader(Closing):
    """A member's share of one topic. Partitions come and go; one is read only once it was begun.

    It joins at its first poll, so nothing is gained before its owner has it in hand. What the group
    keeps never decides where to read. A partition that is not ours is left alone by every call.
    """

    @abstractmethod
    async def poll(
        self, timeout_seconds: float, records_max: int = POLL_RECORDS_MAX
    ) -> dict[int, Taken]:
        """The next records of partitions that are ours, begun and not held.

        One that moved over markers only is in the answer with no records, so that its lag ends.
        TopicMismatch where the topic does not hold the offset that is to be read.
        """

    @abstractmethod
    def begin(self, partition: int, offset: int) -> None:
        """Read this partition from here on: it was gained, and its state is restored."""

    @abstractmethod
    def hold(self, partition: int) -> None:
        """Hand out nothing of it for now; nothing of it is lost."""

    @abstractmethod
    def go_on(self, partition: int) -> None:
        """Hand out its records again, from where it was held."""

    @abstractmethod
    async def commit(self, positions: Mapping[int, int]) -> None:
        """Show these next offsets to Kafka's own tools, when it can be done; nothing reads them."""

    @abstractmethod
    async def close(self) -> None:
        """Leave the group at once; `lost` is not called, so give up what is held before."""


def not_there(name: str, place: Position, first: int, end: int) -> TopicMismatch:
    """What stops a member that is to read an offset which its topic does not hold."""
    return TopicMismatch(
        f"{place}: {name} goes on here, and the partition holds {first} to {end}, so its changelog "
        f"belongs to another topic of that name; restore the topic from a backup, or delete the "
        f"changelog of {name} to start over"
    )


class TaskSession(ABC):
    """The hold of one processor on one partition: fenced, restored, committed all or nothing."""

    @abstractmethod
    async def fence(self) -> None:
        """From here on no earlier session of this task can commit."""

    @abstractmethod
    async def restore(self) -> Restored:
        """The changelog folded to its end; call it after `fence`, never before."""

    @abstractmethod
    async def commit(
        self,
        events: Sequence[Event],
        changes: Mapping[bytes, bytes | None],
        position: int,
    ) -> None:
        """Events, changed state and the input position, in one transaction.

        Readers see it moments later, when its marker is written; the next owner sees it always.
        Fenced and OutcomeUnknown end the session: leave the process and start again.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give the task up without committing anything."""


class EventLog(Closing):
    """Where facts are kept: appended, read from anywhere, never changed."""

    codec: Codec  # between its bytes and events
    spans: Spans | None = None  # who is told of what is appended, and of what follows from it

    @abstractmethod
    async def append(self, event: Event) -> Position:
        """Write one event; it is durable when this returns."""

    @abstractmethod
    async def append_atomically(self, events: Sequence[Event]) -> None:
        """Write all of these events or none, over any topics; readers see them moments later."""

    @abstractmethod
    async def append_bulk(self, events: Iterable[Event]) -> int:
        """Write many events fast, in order per key; durable, but not atomic. Returns how many."""

    @abstractmethod
    async def append_raw(self, topic: str, partition: int, records: Sequence[Raw]) -> list[int]:
        """Write bytes as they are, in order, and tell their offsets: for import and restore."""

    @abstractmethod
    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; TopicMissing where there is none."""

    @abstractmethod
    async def starts(self, topic: str) -> Vector:
        """The first offset of each partition."""

    @abstractmethod
    async def ends(self, topic: str) -> Vector:
        """The offset behind the last committed record of each partition."""

    @abstractmethod
    async def withheld(self, topic: str) -> dict[tuple[str, int], Withheld]:
        """Where readers of committed records wait now, for the end of a transaction."""

    @abstractmethod
    async def offsets_at(self, topic: str, time: datetime) -> Vector:
        """The first offset of each partition that was recorded at this time or later."""

    @abstractmethod
    async def reader(self, start: Vector) -> Reader:
        """Read committed records of these partitions from these offsets on, and stay."""

    @abstractmethod
    async def group_reader(
        self, name: str, topics: Sequence[str], *, earliest: bool
    ) -> GroupReader:
        """Read under a name from where it was left; a new name begins at the start or the end."""

    @abstractmethod
    async def work_reader(self, name: str, topic: Topic, share: Share) -> WorkReader:
        """A member of the group of this name, which shares the partitions of one topic."""

    @abstractmethod
    def task(self, processor: str, topic: Topic, partition: int) -> TaskSession:
        """The task of a processor on one partition of its input topic, not yet fenced."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the broker; what was appended before is there."""

    async def append_again(self, event: Event) -> Position:
        """Append one event, and once more where nobody knows what came of it; at most so often."""
        for _ in range(APPEND_TRIES - 1):
            try:
                return await self.append(event)
            except OutcomeUnknown:
                continue
        return await self.append(event)

    async def read(self, start: Vector, stop: Vector) -> AsyncGenerator[Recorded, None]:
        """The committed records from start to stop, in order within each partition.

        Leave it early only inside `contextlib.aclosing`, which lets go of the broker.
        """
        left = {place for place, offset in start.items() if offset < stop[place]}
        if not left:
            return
        async with await self.reader({place: start[place] for place in left}) as reader:
            while left:
                for record in await reader.poll(timeout_seconds=0.2):
                    if record.offset < stop[record.topic, record.partition]:
                        yield record
                # A transaction's marker takes an offset too: ask the place, not the last record.
                here = reader.positions()
                left = {place for place in left if here[place] < stop[place]}

    async def read_topic(self, topic: str) -> AsyncGenerator[Recorded, None]:
        """All committed records of a topic as of now."""
        async for record in self.read(await self.starts(topic), await self.ends(topic)):
            yield record
