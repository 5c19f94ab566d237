"""Several subscribers of one name: they share the partitions, and nothing falls between them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from genoflow.events import topics
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.subscribe import Subscription
from tests.contracts.logs import landed

PARTITIONS = topics.PARTITIONS_EMBEDDED
PATIENCE_SECONDS = 60
SAMPLES = 20  # enough that each of four partitions has some


@pytest.fixture
async def log(kafka_address: str) -> AsyncIterator[KafkaLog]:
    """A log of this test's own."""
    prefix = f"t{secrets.token_hex(4)}."
    async with KafkaLog(kafka_address, prefix=prefix, partitions=PARTITIONS) as opened:
        async with TopicAdmin(opened, partitions=PARTITIONS) as admin:
            await admin.apply(topics.TOPICS)
        yield opened


class Member:
    """One process of the name, as a task: takes and acknowledges until it is told to leave."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self.taken: list[int] = []
        self.partitions: set[int] = set()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with Subscription(self._log, name="lims", types=(FileLanded,)) as deliveries:
            async for delivery in deliveries:
                self.taken.append(delivery.event.size_bytes)
                self.partitions.add(delivery.position.partition)
                delivery.ack()

    async def leave(self) -> None:
        """End it in an orderly way: its places are kept and its partitions freed."""
        self._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._task


async def until_taken(members: list[Member], numbers: range) -> None:
    """Wait until the members together have taken all of these."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while set(numbers) - {number for member in members for number in member.taken}:
            await asyncio.sleep(0.05)


async def append(log: KafkaLog, numbers: range) -> None:
    await log.append_bulk([landed(f"S{number % SAMPLES}", number) for number in numbers])


async def test_two_of_a_name_share_the_work_and_one_takes_over(log: KafkaLog) -> None:
    first = Member(log)
    await append(log, range(100))
    await until_taken([first], range(100))
    second = Member(log)
    number = 100
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not second.taken:  # it joins while events keep coming
            await append(log, range(number, number + 20))
            number += 20
            await asyncio.sleep(0.2)
    await until_taken([first, second], range(number))
    assert second.partitions < set(range(PARTITIONS))
    await first.leave()
    await append(log, range(number, number + 100))
    await until_taken([second], range(number, number + 100))
    await second.leave()
    third = Member(log)
    await append(log, range(number + 100, number + 101))
    await until_taken([third], range(number + 100, number + 101))
    await third.leave()
    assert third.taken == [number + 100], "what was acknowledged does not come again"
