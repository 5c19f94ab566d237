"""A working group on a real broker: what its tools see, and a topic that is recreated under it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from genoflow.events import topics
from genoflow.events.errors import TopicMismatch
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.recorded import Raw
from tests.contracts.logs import PARTITIONS
from tests.contracts.members import ALL, joined, until

SAMPLE = topics.SAMPLE


@pytest.fixture
async def log(kafka_address: str, suffix: str) -> AsyncIterator[KafkaLog]:
    async with KafkaLog(
        kafka_address, prefix=f"t{suffix}.", partitions=PARTITIONS, session_seconds=6
    ) as opened:
        async with TopicAdmin(opened, partitions=PARTITIONS) as admin:
            await admin.apply(topics.TOPICS)
        yield opened


@pytest.fixture
async def client(kafka_address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    opened = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await opened.start()
    yield opened
    await opened.close()


async def test_lag_is_there_for_kafkas_own_tools(
    log: KafkaLog, client: AIOKafkaAdminClient, suffix: str
) -> None:
    async with joined(log) as member:
        await until([member], lambda: member.mine == ALL)
        await member.reader.commit({0: 7, 3: 1})
    kept = await client.list_consumer_group_offsets(f"t{suffix}.toy")
    name = log.wire_name(SAMPLE.name)
    found = {place.partition: kept[place].offset for place in kept if place.topic == name}
    assert found == {0: 7, 3: 1}
    assert TopicPartition(name, 1) not in kept


async def test_a_topic_recreated_under_a_reader_stops_it(
    log: KafkaLog, client: AIOKafkaAdminClient
) -> None:
    name = log.wire_name(SAMPLE.name)
    for partition in ALL:
        await log.append_raw(SAMPLE.name, partition, [Raw(b"k", b"v", (), 0) for _ in range(5)])
    async with joined(log) as member:
        await until([member], lambda: len(member.taken) == 20)
        member.begins_at = 5  # as the changelogs have it, should the partitions be lost and gained
        await client.delete_topics([name])
        async with asyncio.timeout(30):
            while name in await client.list_topics():
                await member.poll(0.05)
        async with TopicAdmin(log, partitions=PARTITIONS) as admin:
            await admin.apply([SAMPLE])
        with pytest.raises(TopicMismatch, match=r"\[\d\]@5: .* holds 0 to 0, so its changelog"):
            await until([member], lambda: False)
