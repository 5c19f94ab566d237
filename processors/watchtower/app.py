"""The tower's Faust app: one agent over the domain topics, and one table with a changelog.

Of faust-streaming 0.15.3 it uses what holds, and goes round what does not:

- it reads committed records only, which takes a subclass; an aborted batch is never counted;
- it reads on from the places in its own table, which stand in the changelog behind what was counted
  up to them, and not from the group's offsets: those freeze at 1 behind an aborted batch at offset
  1, and expire after seven idle days;
- `at_least_once`, one agent with concurrency 1, and a body that never raises into Faust, which
  would acknowledge the event all the same: what cannot go on ends the process;
- the table is written by Faust, and restored by us, whole, each time that partitions are given.
  Faust's own restore goes on from where an earlier one had come, and takes what that had left in
  its queue for its own: after two rebalances in a row values are missing, and nothing says so;
- Faust fences nobody. A process that was stopped for longer than its session may write once more
  when it goes on, behind its successor. So each value carries the `reign` of who wrote it, and what
  an earlier reign writes behind a later one's fence is left out (`reigns.py`). A new keeper writes
  everything once more when no word of the old one can come any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from faust.tables import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.keeper import OneKeeper
from genoflow.processors.watchtower.kept import read_key

NAME = "watchtower"
# A batch is folded, then written: each value once, however many of its records change it. The hour
# of a project changes with each record: written five times a second it was 4 kB a record.
BATCH_RECORDS_MAX = 2_000
BATCH_SECONDS = 1.0
# A record changes about ten values, most of them the same ones as the record before.
WRITES_MAX = 10 * BATCH_RECORDS_MAX
HEARTBEAT_SECONDS = 2.5
SESSION_SECONDS = 10  # a keeper that was killed has a successor then
# What is not sent after this time is given up by its producer: from then on no word of a keeper
# that lost its partitions comes any more.
SEND_SECONDS_MAX = 30
BATCH_BYTES = 262_144  # of one partition on its way: with 16 kB its many values wait for each other


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tower's log is."""

    address: str
    prefix: str
    partitions: int
    folder: Path


class _CommittedReader(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # Faust reads what may be aborted otherwise
        return consumer

    def is_at_end(self) -> bool:
        """Whether every partition was fetched to where committed records end."""
        consumer = self._consumer
        if consumer is None or not consumer.assignment():
            return False
        changelogs = self.app.tables.changelog_topics
        return all(
            _is_at_end(consumer, tp) for tp in consumer.assignment() if tp.topic not in changelogs
        )


def _is_at_end(consumer: Any, tp: Any) -> bool:
    """Known without asking the broker: every fetch tells where committed records end."""
    assigned = consumer._subscription.subscription.assignment
    state = assigned.state_value(tp) if assigned is not None else None
    end = consumer.last_stable_offset(tp)
    return (
        state is not None
        and state.has_valid_position
        and end is not None
        and (state.position >= end)
    )


class _Reader(driver.Consumer):
    def _new_consumer_thread(self) -> Any:
        return _CommittedReader(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to the places that the table knows; the group's offsets only show lag."""
        found = dict(await super().seek_to_committed())
        app: Any = self.app
        known: Mapping[TP, int] = app.places()
        mine = {tp: known[tp] for tp in self.assignment() if tp in known}
        if mine:
            await self.seek_wait(mine)
        return found | mine

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Forget gaps: behind each transaction is one, and Faust keeps and merges them all."""

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

    def is_caught_up(self) -> bool:
        """Whether all that can be read was handed out and taken."""
        thread: Any = self._thread
        now = self.app.consumer_generation_id
        # Faust does not forget what stands before the group's offset, nor an earlier assignment's.
        self._clean_unacked_messages()
        waits = any(not one.acked and one.generation_id == now for one in self.unacked)
        return not waits and bool(thread.is_at_end())


class _Transport(driver.Transport):
    Consumer = _Reader


class Table(faust.Table[Any, Any]):
    """Values under keys that name their own partition."""

    def partition_for_key(self, key: Any) -> int:
        """The changelog's partition is that of the records that the value was folded from."""
        return read_key(key).partition

    def hold(self, rows: Mapping[bytes, bytes]) -> None:
        """Have these rows, and no others; nothing of it is written."""
        self.data.data.clear()
        self.data.data.update(rows)


class _NoRecovery(Recovery):
    def need_recovery(self) -> bool:
        return False  # the rows are read by whoever keeps the tower: see `reigns.py`


class _Tables(TableManager):
    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = _NoRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class App(faust.App):
    """A Faust app that reads what is committed, from the places that its table knows."""

    places: Callable[[], Mapping[TP, int]] = staticmethod(dict)

    def _new_transport(self) -> Any:
        return _Transport(self.conf.broker_consumer, self)

    def _new_producer(self) -> Any:
        producer = super()._new_producer()
        producer.buffer.max_messages = WRITES_MAX  # Faust warns of each batch beyond 100 otherwise
        return producer


def application(
    place: Place,
    codec: Codec,
    sources: Sequence[str],
    take: Callable[[Sequence[Recorded]], Awaitable[None]],
) -> tuple[Any, Table]:
    """The app and its table; `take` is given records in order and must not raise."""
    app = App(
        f"{place.prefix}gf-{NAME}",
        broker=f"kafka://{place.address}",
        store="memory://",
        datadir=str(place.folder),
        topic_partitions=place.partitions,
        topic_allow_declare=False,  # they exist, as `genoflow topics` declares them
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        producer_request_timeout=SEND_SECONDS_MAX,
        producer_linger=0.005,
        producer_max_batch_size=BATCH_BYTES,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        web_enabled=False,
        PartitionAssignor=OneKeeper,
        Table=Table,
        TableManager=_Tables,
    )
    raw: Any = {
        "key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw",
    }  # fmt: skip
    changelog = app.topic(f"{place.prefix}{topics.TOWER.name}", compacting=True, **raw)
    table: Any = app.Table(
        "tower", partitions=place.partitions, key_type=bytes, value_type=bytes,
        changelog_topic=changelog,
    )  # fmt: skip
    names = [f"{place.prefix}{name}" for name in sources]
    source = app.topic(*names, **raw)

    async def watch(stream: Any) -> None:
        async for events in stream.take_events(BATCH_RECORDS_MAX, within=BATCH_SECONDS):
            now = app.consumer_generation_id
            fresh = [event for event in events if event.message.generation_id == now]
            await take([_recorded(event.message, place.prefix, codec) for event in fresh])

    app.agent(source, concurrency=1)(watch)
    return app, table


def _recorded(message: Any, prefix: str, codec: Codec) -> Recorded:
    return Recorded(
        message.topic.removeprefix(prefix),
        message.partition,
        message.offset,
        int(message.timestamp * 1_000 + 0.5),
        message.key,
        message.value,
        message.headers,
        codec,
    )
