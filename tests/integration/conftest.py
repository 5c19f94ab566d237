"""What several integration tests ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka.conn import AIOKafkaConnection

from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.memory import MemoryLog
from genoflow.processors import worker
from tests.doors import Door
from tests.integration.rows_over_http import door_over, first, log_of
from tests.toy import TOY
from tests.workers import LATE, SECONDS_MAX, Lab

PARTITIONS = topics.PARTITIONS_EMBEDDED


@pytest.fixture
async def no_ends(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """What a worker in doubt leaves to the end of its process, which a test has not: closed here.

    aiokafka forgets connections that were on their way when their client was closed.
    """
    made: list[AIOKafkaConnection] = []
    connect = AIOKafkaConnection.connect

    async def connected(connection: AIOKafkaConnection) -> Any:
        made.append(connection)
        return await connect(connection)

    monkeypatch.setattr(AIOKafkaConnection, "connect", connected)
    monkeypatch.setattr(worker, "ABANDON_SECONDS", SECONDS_MAX)
    yield
    for connection in made:
        connection.close()


@pytest.fixture(params=["memory", "kafka"])
async def lab(request: pytest.FixtureRequest, no_ends: None) -> AsyncIterator[Lab]:
    """An empty log and its outside world."""
    declared = topics.declared([TOY.changelog, LATE.changelog])
    if request.param == "memory":
        async with MemoryLog(declared) as log:
            yield Lab(log)
        return
    address, suffix = request.getfixturevalue("kafka_address"), request.getfixturevalue("suffix")
    async with KafkaLog(
        address, prefix=f"w{suffix}.", partitions=PARTITIONS, session_seconds=6
    ) as kafka:
        async with TopicAdmin(kafka, partitions=PARTITIONS) as admin:
            await admin.apply(declared)
        yield Lab(kafka)


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator[Any]:
    """A connection to an empty database."""
    opened = await asyncpg.connect(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    """What a small cohort leaves on the log; a file that needs another one has its own."""
    async with log_of(*first()) as there:
        yield there


@pytest.fixture
async def door(postgres_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    """The API over the rows of that log."""
    async with door_over(postgres_url, log) as there:
        yield there
