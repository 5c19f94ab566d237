"""How the tower's Faust app reads: what is committed, from the places that its table knows.

Between the broker and the tower a record passes a fetcher's buffer, a queue and a batch, and each
may drop what it holds when partitions are given anew. Faust then seeks once, and what is dropped
behind that seek never comes again. So nothing is handed out of an assignment before the tower's
places were sought in it, and each record says which one it `follows`: whoever takes it sees whether
anything is missing in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from genoflow.processors.watchtower.chain import Linked

# The broker answers when so much is there, or when this time is over. Otherwise it answers for each
# record: at 100 a second that took half a core here, and half as much again of the broker's.
FETCH_BYTES_MIN = 262_144
FETCH_SECONDS_MAX = 0.5


class _CommittedReader(driver.AIOKafkaConsumerThread):
    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeks = 0
        self._sought_in: Any = None  # the assignment in which places were sought
        self.handed: dict[TP, int] = {}  # of this assignment: where the last record ended
        self._all_of = 0  # the seek behind which all was handed out

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # Faust reads what may be aborted otherwise
        consumer._fetch_min_bytes = FETCH_BYTES_MIN
        consumer._fetch_max_wait_ms = int(1_000 * FETCH_SECONDS_MAX)
        return consumer

    async def go_to(self, places: Mapping[TP, int]) -> Mapping[TP, int]:
        """Read on from these places, and from the beginning where none is known."""
        found: Mapping[TP, int] = await self.call_thread(self._go_to, places)
        return found

    async def _go_to(self, places: Mapping[TP, int]) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        assigned = _assignment(consumer)  # should another one come now, this seek is for nothing
        given: Any = consumer.assignment()  # of another type than Faust's, and equal to it
        mine = [tp for tp in given if not self.consumer._is_changelog_tp(tp)]
        first = await consumer.beginning_offsets(mine)
        if _assignment(consumer) is not assigned:
            return {}  # whoever seeks in the other one may have done so
        for tp in mine:
            assigned.state_value(tp).lso = None  # of a fetch before this one: more came since
        # What is older than the log keeps is not missing: the first record follows the place.
        self.handed = {tp: places.get(tp, 0) for tp in mine}
        self._seeks, self._sought_in = self._seeks + 1, assigned
        starts = {tp: max(self.handed[tp], first[tp]) for tp in mine}
        await self._seek_wait(consumer, starts)
        return starts

    async def _fetch_records(self, consumer: Any, *told: Any, **more: Any) -> Any:
        # Behind the last await in here records and positions are of one moment.
        found = await super()._fetch_records(consumer, *told, **more)
        if not self.sought:
            return {}
        linked = {
            tp: self._linked(tp, records) for tp, records in found.items() if tp in self.handed
        }
        # Told together with `handed`: a position that is ahead of it would hide what is in hand.
        is_all = all(_is_at_end(consumer, tp) for tp in self.handed)
        self._all_of = self._seeks if is_all else 0
        return linked

    def _linked(self, tp: Any, records: list[Any]) -> list[Linked[Any]]:
        ends = [self.handed[tp], *(record.offset + 1 for record in records)]
        self.handed[tp] = ends[-1]
        follows = zip(ends[:-1], records, strict=True)
        return [Linked(self._seeks, end, record) for end, record in follows]

    @property
    def sought(self) -> int:
        """The number of the seek behind which is read; 0 where partitions were given since."""
        consumer = self._consumer
        is_sought = consumer is not None and _assignment(consumer) is self._sought_in
        return self._seeks if is_sought else 0

    def is_at_end(self) -> bool:
        """Whether every partition was handed out to where committed records ended."""
        sought = self.sought
        return bool(sought and self.handed) and self._all_of == sought


def _assignment(consumer: Any) -> Any:
    """Another object each time that partitions are given."""
    subscription = consumer._subscription.subscription
    return subscription.assignment if subscription is not None else None


def _is_at_end(consumer: Any, tp: Any) -> bool:
    """Known without asking the broker: every fetch tells where committed records end."""
    assigned = _assignment(consumer)
    state = assigned.state_value(tp) if assigned is not None else None
    end = consumer.last_stable_offset(tp)
    return (
        state is not None
        and state.has_valid_position
        and end is not None
        and (state.position >= end)
    )


class _NoOffsets(dict[TP, int | None]):
    """What Faust believes to have read, and which it is not asked for.

    It leaves out what stands before that. But a record that it held while partitions were given
    anew it notes when it goes on, which may be behind the seek: then all between the place that was
    sought and that record is left out. It also keeps each gap, and behind each transaction is one.
    """

    def __getitem__(self, tp: TP) -> None:
        return None


class _Reader(driver.Consumer):
    def __init__(self, *told: Any, **more: Any) -> None:
        super().__init__(*told, **more)
        self._read_offset = _NoOffsets()
        self._tower: Any = self.app
        self._reading: Any = self._thread

    def _new_consumer_thread(self) -> Any:
        return _CommittedReader(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to the places that the table knows; the group's offsets only show lag."""
        places = self._tower.places()
        if places is None:
            return {}  # the table is not read yet: Faust seeks again behind it
        found: Mapping[TP, int] = await self._reading.go_to(places)
        return found

    def _to_message(self, tp: TP, record: Any) -> Any:
        message: Any = super()._to_message(tp, record.record)
        message.sought, message.follows = record.sought, record.follows
        return message

    def _new_offset(self, tp: TP) -> int | None:
        """Tell the group how far this is, for its lag: nothing begins there.

        Faust looks for offsets that follow each other without a gap, over everything that was
        acknowledged since the last; behind a seek of ours there are none, and the list grows.
        """
        taken = self._acked[tp]
        if not taken:
            return None
        offset = max(taken) + 1
        taken.clear()
        self._acked_index[tp].clear()
        return offset

    @property
    def sought(self) -> int:
        """The number of the seek behind which is read; records of another one are read again."""
        return int(self._reading.sought)

    def handed(self) -> Mapping[TP, int]:
        """Where the last record ended that was handed out, in each partition."""
        return dict(self._reading.handed)

    def is_at_end(self) -> bool:
        """Whether all that can be read was handed out."""
        return bool(self._reading.is_at_end())


class Transport(driver.Transport):
    """Faust's, with a consumer that says what each record follows."""

    Consumer = _Reader
