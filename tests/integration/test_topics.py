"""Topics on a real broker: created as declared, compared, and never altered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Producer

from genoflow.events import topics
from genoflow.events.errors import LogUnavailable, TopicMismatch, TopicMissing
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_reader import read_rows
from genoflow.events.log.kafka_topics import TopicAdmin, declared_settings
from genoflow.events.log.recorded import Raw

PARTITIONS = 4
CHANGELOG = topics.changelog_of("toy", topics.SAMPLE)
DECLARED = topics.declared([CHANGELOG])
COMPACTED_SECONDS_MAX = 60.0  # the cleaner looks every 5 s here, every 15 s by default


@pytest.fixture
async def log(kafka_address: str, suffix: str) -> AsyncIterator[KafkaLog]:
    async with KafkaLog(kafka_address, prefix=f"t{suffix}.", partitions=PARTITIONS) as opened:
        yield opened


@pytest.fixture
async def admin(log: KafkaLog) -> AsyncIterator[TopicAdmin]:
    async with TopicAdmin(log, partitions=PARTITIONS) as opened:
        yield opened


async def create(log: KafkaLog, topic: topics.Topic, partitions: int, **changes: str) -> None:
    """Create a topic as somebody else would."""
    client = AIOKafkaAdminClient(bootstrap_servers=log.address)
    await client.start()
    changed = {name.replace("_", "."): value for name, value in changes.items()}
    await client.create_topics(
        [
            NewTopic(
                log.wire_name(topic.name), partitions, 1,
                topic_configs=declared_settings(topic) | changed,
            )
        ]
    )  # fmt: skip
    await client.close()
    async with asyncio.timeout(10):
        while topic.name not in await log.topics():
            await asyncio.sleep(0.02)


async def settings(admin: TopicAdmin) -> dict[str, Any]:
    return {topic.name: await admin.settings_of(topic.name) for topic in DECLARED}


async def test_what_is_missing_is_created_as_declared(log: KafkaLog, admin: TopicAdmin) -> None:
    assert [state.exists for state in await admin.check(DECLARED)] == [False] * len(DECLARED)
    assert await admin.apply(DECLARED) == list(DECLARED)
    for state in await admin.check(DECLARED):
        assert (state.exists, state.partitions, state.differences) == (True, PARTITIONS, ())
    found = await settings(admin)
    assert found[topics.SAMPLE.name]["retention.ms"] == "-1"
    assert found[topics.SAMPLE.name]["message.timestamp.type"] == "LogAppendTime"
    assert found[CHANGELOG.name]["cleanup.policy"] == "compact"
    assert found[topics.WORKERS.name]["cleanup.policy"] == "delete"
    assert found[topics.WORKERS.name]["retention.ms"] == str(24 * 60 * 60 * 1000)
    assert set(await log.topics()) == {topic.name for topic in DECLARED}


async def test_a_second_apply_changes_nothing(admin: TopicAdmin) -> None:
    await admin.apply(DECLARED)
    before = await settings(admin)
    assert await admin.apply(DECLARED) == []
    assert await settings(admin) == before


async def test_apply_adds_only_what_is_missing(log: KafkaLog, admin: TopicAdmin) -> None:
    await admin.apply(topics.TOPICS[:3])
    assert await admin.apply(DECLARED) == list(DECLARED[3:])


@pytest.mark.parametrize("partitions", [1, 8])
async def test_another_partition_count_is_refused_and_stays(
    log: KafkaLog, admin: TopicAdmin, partitions: int
) -> None:
    await create(log, topics.RUN, partitions)
    with pytest.raises(TopicMismatch, match=f"set GENOFLOW_PARTITIONS={partitions}"):
        await admin.apply(DECLARED)
    [state] = await admin.check([topics.RUN])
    assert state.partitions == partitions
    assert f"has {partitions} partitions and 4 are declared" in state.differences[0]
    assert await log.topics() == [topics.RUN.name]  # and no other was created either
    with pytest.raises(TopicMismatch, match=f"has {partitions} partitions"):
        await log.ends(topics.RUN.name)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("retention_ms", "1000000"),
        ("retention_bytes", "1000000"),
        ("cleanup_policy", "compact"),
        ("message_timestamp_type", "CreateTime"),
        ("max_message_bytes", "5000"),
    ],
)
async def test_another_setting_is_refused_and_stays(
    log: KafkaLog, admin: TopicAdmin, setting: str, value: str
) -> None:
    await create(log, topics.CASE, PARTITIONS, **{setting: value})
    name = setting.replace("_", ".")
    with pytest.raises(TopicMismatch, match=f"has {name}={value} and .* is declared"):
        await admin.apply(DECLARED)
    assert (await admin.settings_of(topics.CASE.name))[name] == value


async def test_a_changelog_that_would_be_deleted_is_refused(
    log: KafkaLog, admin: TopicAdmin
) -> None:
    await create(log, CHANGELOG, PARTITIONS, cleanup_policy="delete")
    [state] = await admin.check([CHANGELOG])
    assert "cleanup.policy=delete and compact is declared" in state.differences[0]


async def test_a_changelog_is_really_compacted(log: KafkaLog, admin: TopicAdmin) -> None:
    await admin.apply(DECLARED)
    keys, place = 20_000, (CHANGELOG.name, 0)
    for version in range(4):  # 24 MB each: more than a segment, so that all but the last closes
        body = b"%d" % version * 1_200
        rows = [Raw(b"key-%d" % number, body, (), 0) for number in range(keys)]
        for first in range(0, keys, 5_000):
            await log.append_raw(CHANGELOG.name, 0, rows[first : first + 5_000])
    end = (await log.ends(CHANGELOG.name))[place]
    async with asyncio.timeout(COMPACTED_SECONDS_MAX):
        left = end
        while left > 2.5 * keys:
            found = read_rows(log.address, log.wire_name(CHANGELOG.name), 0, 0, end)
            left = 0
            last: dict[bytes, bytes] = {}
            async for rows_read in found:
                left += len(rows_read)
                last |= {row.key: row.value for row in rows_read}
            await asyncio.sleep(0.5)  # between two looks at 50 MB
    assert len(last) == keys
    assert set(last.values()) == {b"3" * 1_200}


def produce(log: KafkaLog, partitioner: str) -> None:
    producer = Producer({"bootstrap.servers": log.address, "partitioner": partitioner})
    for n in range(50):
        producer.produce(log.wire_name(topics.SAMPLE.name), key=f"S-{n}".encode(), value=b"x")
    assert producer.flush(20) == 0


async def test_keys_of_another_partitioner_are_noticed(log: KafkaLog, admin: TopicAdmin) -> None:
    await admin.apply(DECLARED)
    await asyncio.to_thread(produce, log, "murmur2_random")
    [state] = await admin.check([topics.SAMPLE])
    assert state.differences == ()
    await asyncio.to_thread(produce, log, "consistent_random")  # its default: CRC-32
    [state] = await admin.check([topics.SAMPLE])
    assert "its writer does not partition by murmur2" in state.differences[0]
    assert "partitioner=murmur2_random" in state.differences[0]


async def test_a_missing_topic_stops_the_log_with_the_way_out(log: KafkaLog) -> None:
    with pytest.raises(TopicMissing, match="run `genoflow topics apply`"):
        await log.partitions(topics.SAMPLE.name)


async def test_a_broker_that_is_not_there_is_named() -> None:
    async with KafkaLog("127.0.0.1:1", partitions=PARTITIONS) as away:
        with pytest.raises(LogUnavailable, match=r"kafka at 127.0.0.1:1: no broker answers"):
            async with TopicAdmin(away, partitions=PARTITIONS):
                pass
