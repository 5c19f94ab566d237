"""Where a partition withholds records: behind a transaction that has no end yet.

A transaction has its end within milliseconds, or within 20 s of its owner's death. One that has
none after that lost it on the broker (KAFKA-20734 is such a way), and nobody will write it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from genoflow.events.log.port import Withheld
from genoflow.events.log.recorded import EPOCH

LOOK_SECONDS_MAX = 5  # for one record that is there


async def withheld(
    address: str, committed: AIOKafkaConsumer, places: Collection[TopicPartition]
) -> dict[int, Withheld]:
    """What is written behind the end for readers of committed records, by partition."""
    client = AIOKafkaConsumer(
        bootstrap_servers=address, isolation_level="read_uncommitted", auto_offset_reset="none"
    )
    await client.start()
    try:
        written = await client.end_offsets(list(places))
        readable = await committed.end_offsets(list(places))
        found = {}
        for place in places:
            if readable[place] < written[place]:
                since_ms = await _written_at(client, place, readable[place])
                found[place.partition] = Withheld(
                    readable[place],
                    written[place] - readable[place],
                    EPOCH + timedelta(milliseconds=since_ms),
                )
        return found
    finally:
        await client.stop()


async def _written_at(client: AIOKafkaConsumer, place: TopicPartition, offset: int) -> int:
    client.assign([place])
    client.seek(place, offset)
    async with asyncio.timeout(LOOK_SECONDS_MAX):
        record = await client.getone(place)
    return int(record.timestamp)
