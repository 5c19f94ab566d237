"""An input topic that is made anew, while its worker sleeps or works: it stops and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from genoflow.events import topics
from genoflow.events.errors import StateMismatch, TopicMismatch
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.partitioner import partition_of
from tests.toy import TOY, landed
from tests.workers import SECONDS_MAX, Lab, until

PARTITIONS = topics.PARTITIONS_EMBEDDED
SAMPLE = topics.SAMPLE
S1 = partition_of(b"S1", PARTITIONS)


@pytest.fixture
async def lab(kafka_address: str, suffix: str, no_ends: None) -> AsyncIterator[Lab]:
    """A log on which S1 had three files and their answers, taken by a worker that has left."""
    async with KafkaLog(
        kafka_address, prefix=f"x{suffix}.", partitions=PARTITIONS, session_seconds=6
    ) as log:
        async with TopicAdmin(log, partitions=PARTITIONS) as admin:
            await admin.apply(topics.declared([TOY.changelog]))
        lab = Lab(log)
        await three_files(lab, "abc")
        yield lab


async def three_files(lab: Lab, names: str) -> None:
    """Let a worker number these files of S1."""
    for name in names:
        await lab.log.append(landed(name))
    async with lab.working(TOY) as running:
        await until(lambda: _has(lab, len(names)), running)


async def _has(lab: Lab, count: int) -> bool:
    return len(await lab.numbers()) >= count


async def make_anew(lab: Lab) -> None:
    """Delete the input topic and create it again."""
    assert isinstance(lab.log, KafkaLog)
    name = lab.log.wire_name(SAMPLE.name)
    client = AIOKafkaAdminClient(bootstrap_servers=lab.log.address)
    await client.start()
    try:
        await client.delete_topics([name])
        async with asyncio.timeout(SECONDS_MAX):
            while name in await client.list_topics():
                await asyncio.sleep(0.05)
    finally:
        await client.close()
    async with TopicAdmin(lab.log, partitions=PARTITIONS) as admin:
        await admin.apply([SAMPLE])


async def test_a_shorter_topic_of_the_same_name_stops(lab: Lab) -> None:
    await make_anew(lab)
    await lab.log.append(landed("z"))
    error = await lab.ended(TOY)
    assert isinstance(error, StateMismatch | TopicMismatch)
    assert str(error).startswith(f"{SAMPLE.name}[{S1}]@")
    assert "toy took event" in str(error)
    assert "the topic now holds none: it was made anew; restore it from a backup" in str(error)
    assert await lab.numbers() == []  # nothing was said on the wrong topic


async def test_a_longer_topic_of_the_same_name_stops_too(lab: Lab) -> None:
    await make_anew(lab)
    for number in range(20):
        await lab.log.append(landed(f"other{number}"))
    error = await lab.ended(TOY)
    assert isinstance(error, StateMismatch)
    assert "it was made anew; restore it from a backup, or delete" in str(error)
    assert TOY.changelog.name in str(error)
    assert await lab.numbers() == []


async def test_a_topic_made_anew_under_a_worker_stops_it(lab: Lab) -> None:
    ending = asyncio.create_task(lab.ended(TOY))
    await lab.log.append(landed("d"))
    await until(lambda: _has(lab, 4))
    await make_anew(lab)
    error = await ending
    assert isinstance(error, TopicMismatch | StateMismatch)
    assert SAMPLE.name in str(error)
    assert "restore" in str(error)
    assert await lab.numbers() == []
