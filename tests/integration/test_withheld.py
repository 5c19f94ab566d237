"""A transaction whose end never comes: what is said of it, and who refuses to go on behind it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer

from genoflow.events import topics
from genoflow.events.errors import Stop
from genoflow.events.log import kafka_task
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.recorded import Raw
from tests.contracts.logs import CHANGELOG, PARTITIONS

SAMPLE = topics.SAMPLE
PARTITION = 2


@pytest.fixture
async def log(kafka_address: str) -> AsyncIterator[KafkaLog]:
    prefix = f"t{secrets.token_hex(4)}."
    async with KafkaLog(kafka_address, prefix=prefix, partitions=PARTITIONS) as opened:
        async with TopicAdmin(opened, partitions=PARTITIONS) as admin:
            await admin.apply(topics.declared([CHANGELOG]))
        yield opened


@asynccontextmanager
async def endless(log: KafkaLog, topic: str) -> AsyncIterator[AIOKafkaProducer]:
    """A transaction that wrote three records and has no end."""
    producer = AIOKafkaProducer(
        bootstrap_servers=log.address, transactional_id=f"endless-{secrets.token_hex(4)}"
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for number in range(3):
            await producer.send_and_wait(
                log.wire_name(topic), b"%d" % number, key=b"k", partition=PARTITION
            )
        yield producer
    finally:
        await producer.stop()


async def test_what_is_withheld_is_told_with_its_place_and_time(log: KafkaLog) -> None:
    await log.append_raw(SAMPLE.name, PARTITION, [Raw(b"k", b"v", (), 0)] * 5)
    assert await log.withheld(SAMPLE.name) == {}
    began = datetime.now(UTC) - timedelta(seconds=1)
    async with endless(log, SAMPLE.name) as producer:
        await log.append_raw(SAMPLE.name, PARTITION, [Raw(b"k", b"v", (), 0)] * 4)
        [(place, found)] = (await log.withheld(SAMPLE.name)).items()
        assert place == (SAMPLE.name, PARTITION)
        assert (found.offset, found.records) == (5, 7)
        assert began <= found.since <= datetime.now(UTC) + timedelta(seconds=1)
        assert (await log.ends(SAMPLE.name))[place] == 5
        await producer.abort_transaction()
    async with asyncio.timeout(10):  # its marker is written after the answer
        while await log.withheld(SAMPLE.name):
            await asyncio.sleep(0.05)
    assert (await log.ends(SAMPLE.name))[place] > 12


async def test_a_task_is_not_restored_from_a_changelog_that_withholds(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = log.task("toy", SAMPLE, PARTITION)
    await task.fence()
    await task.commit([], {b"k": b"old"}, 7)
    await task.close()
    monkeypatch.setattr(kafka_task, "WITHHELD_SECONDS_MAX", 1)
    async with endless(log, CHANGELOG.name):
        task = log.task("toy", SAMPLE, PARTITION)
        await task.fence()
        with pytest.raises(Stop, match=r"\[2\]@\d+: the broker withholds 3 records since .* UTC"):
            await task.restore()
        await task.close()


async def test_a_task_waits_for_an_end_that_comes(log: KafkaLog) -> None:
    task = log.task("toy", SAMPLE, PARTITION)
    async with endless(log, CHANGELOG.name) as producer:
        await task.fence()
        restoring = asyncio.create_task(task.restore())
        await asyncio.sleep(1)
        assert not restoring.done()
        await producer.abort_transaction()
        assert (await restoring).position is None
    await task.close()
