"""The tower's Faust app: one agent over the domain topics, and one table with a changelog.

Of faust-streaming 0.15.3 it uses what holds, and goes round what does not:

- it reads committed records only, and each one says which one it follows (`reading.py`);
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
from faust.types import TP

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.chain import Linked
from genoflow.processors.watchtower.keeper import OneKeeper
from genoflow.processors.watchtower.kept import read_key
from genoflow.processors.watchtower.reading import Transport

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

    # What the table knows; None as long as it was not read.
    places: Callable[[], Mapping[TP, int] | None] = staticmethod(lambda: None)

    def _new_transport(self) -> Any:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer(self) -> Any:
        producer = super()._new_producer()
        producer.buffer.max_messages = WRITES_MAX  # Faust warns of each batch beyond 100 otherwise
        return producer


def application(
    place: Place,
    codec: Codec,
    sources: Sequence[str],
    take: Callable[[Sequence[Linked[Recorded]]], Awaitable[None]],
) -> tuple[Any, Table]:
    """The app and its table; `take` is given records in order and must not raise."""
    app: Any = App(
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
    table = app.Table(
        "tower", partitions=place.partitions, key_type=bytes, value_type=bytes,
        changelog_topic=changelog,
    )  # fmt: skip
    names = [f"{place.prefix}{name}" for name in sources]
    source = app.topic(*names, **raw)

    async def watch(stream: Any) -> None:
        async for events in stream.take_events(BATCH_RECORDS_MAX, within=BATCH_SECONDS):
            sought, messages = app.consumer.sought, [event.message for event in events]
            await take(
                [
                    Linked(sought, one.follows, _recorded(one, place.prefix, codec))
                    for one in messages
                    if one.sought == sought  # the others are read again
                ]
            )

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
