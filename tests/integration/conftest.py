"""What several integration tests ask for."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka.conn import AIOKafkaConnection

from genoflow.api.identity.tables import prepare
from genoflow.deploy.addresses import Addresses
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.memory import MemoryLog
from genoflow.processors import worker
from genoflow.projections.models import MODELS
from genoflow.projections.runner import bring_up
from tests.doors import Door
from tests.integration.rows_over_http import copy_of, door_over, first, log_of
from tests.partition import CODEC
from tests.servers import database
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


@pytest.fixture(scope="session")
async def tables(stack: Addresses) -> AsyncIterator[str]:
    """A database with every table of the API and of the read models: copied, not used.

    To make them takes ten times as long as to copy them.
    """
    name = f"tables_{secrets.token_hex(4)}"
    async with database(stack.postgres, name) as url, MemoryLog(codec=CODEC) as empty:
        await _fill(url, empty)
        yield name


@pytest.fixture
async def tables_url(stack: Addresses, suffix: str, tables: str) -> AsyncIterator[str]:
    """The address of a database of this test's alone, in which all tables are, and no rows."""
    async with database(stack.postgres, f"tables_{suffix}", tables) as url:
        yield url


@pytest.fixture(scope="session")
async def first_rows(stack: Addresses, tables: str) -> AsyncIterator[tuple[str, MemoryLog]]:
    """A database with the rows of a small cohort, and the log that they stand for: copied."""
    name = f"first_{secrets.token_hex(4)}"
    async with database(stack.postgres, name, tables) as url, log_of(*first()) as there:
        await _fill(url, there)
        yield name, there


@pytest.fixture
def log(first_rows: tuple[str, MemoryLog]) -> MemoryLog:
    """What a small cohort leaves on the log; a file that needs another one has its own."""
    return copy_of(first_rows[1])


@pytest.fixture
async def door(
    stack: Addresses, suffix: str, first_rows: tuple[str, MemoryLog], log: MemoryLog
) -> AsyncIterator[Door]:
    """The API over the rows of that log."""
    async with (
        database(stack.postgres, f"first_{suffix}", first_rows[0]) as url,
        door_over(url, log) as there,
    ):
        yield there


async def _fill(url: str, log: MemoryLog) -> None:
    connection = await asyncpg.connect(url)
    try:
        await prepare(connection)
        await bring_up(log, CODEC, connection, MODELS)
    finally:
        await connection.close()
