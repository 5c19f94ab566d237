"""What surrounds the workers of a scenario: topics, the porch, and the person who requeues."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError

from genoflow.events import topics
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import GenoflowError, Retry
from genoflow.events.event import Event, begin
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.recorded import Recorded
from tests.faults.inputs import BUCKET, Landed
from tests.faults.subject import FLOW, POISON

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
BY = Producer(service="porch", version="0")
PERSON = Actor(kind="person", id="operator")
PIECE_EVENTS = 20  # a porch reports a few files at a time
PIECE_PAUSE_SECONDS = 0.1
TRY_SECONDS_MAX = 120.0  # brokers come back within that
HOLD_SECONDS = 10.0  # a person needs time to look: a queue forms behind the key


def event_of(row: Landed, index: int) -> FileLanded:
    """The event of a row; a repetition has the same id."""
    fact = FileLanded(
        bucket=BUCKET, object_key=row.object_key, version_id="1", size_bytes=row.number,
        etag=POISON if row.poisoned else "clean", last_modified_at=BEGINNING,
        sample_id=row.sample, role="R1",
    )  # fmt: skip
    at = BEGINNING + timedelta(seconds=index)
    return begin(fact, occurred_at=at, actor=Actor(kind="service", id="porch"), by=BY)


def declared() -> tuple[topics.Topic, ...]:
    """Every topic that the flow under test needs."""
    return topics.declared(row.changelog for row in FLOW)


async def make_topics(
    address: str, prefix: str, replicas: int, changelogs: Iterable[topics.Topic] | None = None
) -> None:
    """The topics of one scenario; the changelogs of the flow under test where none are named."""
    wanted = declared() if changelogs is None else topics.declared(changelogs)
    overrides = {"min.insync.replicas": "2"} if replicas > 2 else {}
    count = topics.PARTITIONS_EMBEDDED
    async with (
        KafkaLog(address, prefix=prefix, partitions=count) as log,
        TopicAdmin(log, partitions=count, replicas=replicas) as admin,
    ):
        await admin.apply(wanted, overrides)


@dataclass
class Stage:
    """Appends the inputs at a pace, watches what stands on the log, and requeues what is parked."""

    address: str
    prefix: str
    rows: Sequence[Any]
    target: Callable[[], float]  # how much of the list may be in by now, 0 to 1
    fed: int = 0
    done: set[UUID] = field(default_factory=set)
    requeued: set[UUID] = field(default_factory=set)
    paused: bool = False
    moved_at: float = field(default_factory=time.monotonic)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _waiting: list[tuple[float, EventParked]] = field(default_factory=list)
    watched: tuple[topics.Topic, ...] = (topics.SAMPLE, topics.PARKED)

    def is_complete(self) -> bool:
        """Whether all is in, and all that has to come of it is out."""
        wanted = sum(not row.again for row in self.rows)
        return self.fed >= len(self.rows) and len(self.done) >= wanted

    def event(self, index: int) -> Event:
        """What the porch reports at this place of the list."""
        return event_of(self.rows[index], index)

    def begin(self) -> None:
        """Begin with all of it."""
        self._tasks = [
            asyncio.create_task(self._feed(), name="porch"),
            asyncio.create_task(self._watch(), name="watch"),
        ]

    async def end(self) -> None:
        """Stop appending and watching; tells what went wrong in it."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    def check(self) -> None:
        """Raise what ended the porch or the watch before its time."""
        for task in self._tasks:
            if task.cancelled():
                raise RuntimeError(f"{task.get_name()} was cancelled, and not by us")
            if task.done() and (error := task.exception()) is not None:
                raise error

    async def workers_with_tasks(self) -> int:
        """How many workers say that they have tasks."""
        said: dict[str, bool] = {}
        async with self._log() as log:
            async for record in log.read_topic(topics.WORKERS.name):
                said[record.key or ""] = bool(json.loads(record.value or b"{}").get("tasks"))
        return sum(said.values())

    def _log(self) -> KafkaLog:
        return KafkaLog(self.address, prefix=self.prefix, partitions=topics.PARTITIONS_EMBEDDED)

    async def _feed(self) -> None:
        log = self._log()
        while self.fed < len(self.rows):
            wanted = int(len(self.rows) * min(1.0, self.target())) - self.fed
            piece = 0 if self.paused else min(PIECE_EVENTS, max(1, wanted))
            end = min(self.fed + piece, len(self.rows))
            events = [self.event(index) for index in range(self.fed, end)]
            log = await self._certainly(log, events)
            self.fed = end
            await asyncio.sleep(PIECE_PAUSE_SECONDS)
        await _let_go(log)

    async def _certainly(self, log: KafkaLog, events: Sequence[Event]) -> KafkaLog:
        """Append until it is certain; whoever is in doubt says the same again."""
        deadline = time.monotonic() + TRY_SECONDS_MAX
        while events:
            try:
                await log.append_bulk(events)
                break
            except Retry:
                if time.monotonic() > deadline:
                    raise
                await _let_go(log)  # what it still has on the way would come after the repetition
                log = self._log()
                await asyncio.sleep(PIECE_PAUSE_SECONDS)
        return log

    async def _watch(self) -> None:
        place: dict[tuple[str, int], int] = {}
        while True:
            log = self._log()
            try:
                if not place:
                    for topic in self.watched:
                        place |= await log.starts(topic.name)
                async with await log.reader(place) as reader:
                    while True:
                        for record in await reader.poll(0.3):
                            self.take(record)
                        place = reader.positions()
                        await self.react(log)
            except (Retry, KafkaError):
                await asyncio.sleep(PIECE_PAUSE_SECONDS)  # the broker is away: begin again there
            finally:
                await _let_go(log)

    def take(self, record: Recorded) -> None:
        """Look at a record that stands on a topic that is watched."""
        if record.type == FileChecksummed.type():
            before = len(self.done)
            self.done.add(record.event.envelope.event_id)
            if len(self.done) > before:
                self.moved_at = time.monotonic()
        elif record.type == EventParked.type():
            event = record.event
            assert isinstance(event, EventParked)
            self._waiting.append((time.monotonic() + HOLD_SECONDS, event))
            self.moved_at = time.monotonic()

    async def react(self, log: KafkaLog) -> None:
        """Do what a person does about what was seen."""
        now = time.monotonic()
        ready = [parked for at, parked in self._waiting if at <= now]
        for parked in ready:
            if parked.envelope.event_id not in self.requeued:
                await log.append(_mended(log, parked))
                self.requeued.add(parked.envelope.event_id)
                self.moved_at = time.monotonic()
        self._waiting = [row for row in self._waiting if row[1] not in ready]


def _mended(log: KafkaLog, parked: EventParked) -> EventRequeued:
    """What a person says: the same event with a mended etag."""
    assert parked.value is not None
    before = log.codec.decode(parked.value)
    mended = before.model_copy(update={"etag": "clean"}).enveloped(before.envelope)
    request = EventRequeued(
        subject_topic=parked.input_topic, subject_key=parked.subject_key,
        processor=parked.processor, partition=parked.partition, offset=parked.offset,
        request_id=f"r-{parked.partition}-{parked.offset}", reason="the etag is mended",
        value=log.codec.encode(mended)[0],
    )  # fmt: skip
    return begin(request, occurred_at=BEGINNING, actor=PERSON, by=BY)


async def _let_go(log: KafkaLog) -> None:
    """Close a log whose clients may be in doubt, within a limit."""
    with contextlib.suppress(TimeoutError, GenoflowError, KafkaError):
        async with asyncio.timeout(5):
            await log.close()
