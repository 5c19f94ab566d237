"""The watchtower on a real log: what it counts, what it says, and who keeps it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.tower_shown import read_tower
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.app import NAME
from genoflow.processors.watchtower.fold import Tower
from tests.e2e.workers import running, settings_of, succeeds
from tests.tower_histories import lab
from tests.unit.test_tower_fold import assert_same

SECONDS_MAX = 60.0


@pytest.fixture
def settings(stack: Addresses, tmp_path: Path) -> Settings:
    """A deployment with topics of its own."""
    found = settings_of(stack, secrets.token_hex(4), tmp_path)
    succeeds(found, "topics", "apply")
    return found


async def records_of(log: KafkaLog) -> list[Recorded]:
    """Everything that happened to runs and samples."""
    return [
        record
        for topic in (topics.RUN, topics.SAMPLE)
        async for record in log.read_topic(topic.name)
    ]


async def until_read(log: KafkaLog, records: Sequence[Recorded]) -> Tower:
    """The tower's table, once these records are in it."""
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        ends[place] = max(ends.get(place, 0), record.offset + 1)
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            tower = await read_tower(log)
            known = tower.positions()
            if all(known.get(place, 0) >= end for place, end in ends.items()):
                return tower
            await asyncio.sleep(0.3)


async def append(log: KafkaLog, events: Iterable[Event]) -> None:
    """Append events in transactions of ten, as workers do."""
    waiting = list(events)
    for at in range(0, len(waiting), 10):
        await log.append_atomically(waiting[at : at + 10])


async def loaded(log: KafkaLog, waiting: Iterator[Event], over: asyncio.Event) -> None:
    """Append these events, a transaction of ten at a time, until it is over."""
    while not over.is_set() and (some := list(itertools.islice(waiting, 10))):
        await log.append_atomically(some)
        await asyncio.sleep(0.05)


async def until_members(log: KafkaLog, settings: Settings, number: int) -> None:
    """Wait until the towers' group has so many members, and has given them their partitions."""
    group = f"{settings.topic_prefix}gf-{NAME}"
    admin = AdminClient({"bootstrap.servers": log.address})
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            told = admin.describe_consumer_groups([group])[group]
            with contextlib.suppress(KafkaException):  # its coordinator may not be there yet
                found = await asyncio.to_thread(told.result)
                if len(found.members) == number and found.state == ConsumerGroupState.STABLE:
                    return
            await asyncio.sleep(0.2)


async def abort(log: KafkaLog, events: Iterable[Event]) -> None:
    """Write events in a transaction that is given up: they stand on the log, and never happened."""
    producer = AIOKafkaProducer(
        bootstrap_servers=log.address, transactional_id=f"aborts-{secrets.token_hex(4)}"
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for event in events:
            value, headers = log.codec.encode(event)
            topic = log.wire_name(event.topic)
            await producer.send(topic, value, key=event.key.encode(), headers=headers)
        await producer.flush()
        await producer.abort_transaction()
    finally:
        await producer.stop()


async def test_its_windows_are_what_a_plain_loop_counts(settings: Settings, tmp_path: Path) -> None:
    """Behind aborted batches at the very beginning, and over the end of one tower to the next."""
    events = lab(seed=11, runs=20, samples=20)
    third = len(events) // 3
    async with open_log(settings) as log:
        await append(log, events[:10])
        await abort(log, lab(seed=12, runs=10, samples=10))
        await append(log, events[10:third])
        with running(settings, tmp_path / "tower.log", "tower", "--once") as first:
            await until_read(log, await records_of(log))
            await append(log, events[third : 2 * third])
            await abort(log, lab(seed=13, runs=10, samples=10))
            await until_read(log, await records_of(log))
            first.send_signal(signal.SIGTERM)
            assert first.wait(timeout=SECONDS_MAX) == 0
        await append(log, events[2 * third :])
        with running(settings, tmp_path / "tower.log", "tower", "--once"):
            records = await records_of(log)
            tower = await until_read(log, records)
    assert len(records) == len(events)
    assert_same(tower, records)


async def test_its_windows_hold_while_keepers_come_and_go_and_one_is_killed(
    settings: Settings, tmp_path: Path
) -> None:
    """Under load: each coming and going gives the partitions anew, with records on their way."""
    waiting, out = iter(lab(seed=14, runs=400, samples=400)), tmp_path / "tower.log"
    async with open_log(settings) as log:
        over = asyncio.Event()
        loading = asyncio.create_task(loaded(log, waiting, over))
        try:
            with running(settings, out, "tower", "--once") as first:
                await until_read(log, (await records_of(log))[:1])
                for _ in range(2):
                    with running(settings, out, "tower", "--once") as other:
                        await until_members(log, settings, 2)
                        # Who stands by does not keep the other one's words from counting.
                        await until_read(log, await records_of(log))
                        other.send_signal(signal.SIGTERM)
                        assert other.wait(timeout=SECONDS_MAX) == 0
                    await until_members(log, settings, 1)
                with running(settings, out, "tower", "--once"):
                    await until_members(log, settings, 2)
                    first.kill()
                    await until_members(log, settings, 1)
                    over.set()
                    await loading  # the last transaction counts, too
                    records = await records_of(log)
                    tower = await until_read(log, records)
        finally:
            over.set()
            await loading
    assert next(waiting, None) is not None  # there was load until the end
    assert_same(tower, records)
