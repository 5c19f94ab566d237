"""The log under contract: each test runs on the memory adapter and on Kafka."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import EventLog
from tests.contracts.logs import CHANGELOG, PARTITIONS


@pytest.fixture(params=["memory", "kafka"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[EventLog]:
    """An empty log with every declared topic and one changelog."""
    declared = topics.declared([CHANGELOG])
    if request.param == "memory":
        async with MemoryLog(declared) as opened:
            yield opened
        return
    address = request.getfixturevalue("kafka_address")
    prefix = f"t{secrets.token_hex(4)}."
    async with KafkaLog(address, prefix=prefix, partitions=PARTITIONS) as opened:
        async with TopicAdmin(opened, partitions=PARTITIONS) as admin:
            await admin.apply(declared)
        yield opened
