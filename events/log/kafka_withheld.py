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


def witness(address: str) -> AIOKafkaConsumer:
    """A consumer that sees what is written, committed or not; not yet started."""
    return AIOKafkaConsumer(
        bootstrap_servers=address, isolation_level="read_uncommitted", auto_offset_reset="none"
    )


async def withheld(
    client: AIOKafkaConsumer, committed: AIOKafkaConsumer, places: Collection[TopicPartition]
) -> dict[int, Withheld]:
    """What is written behind the end for readers of committed records, by partition.

    `client` is a witness that nobody else asks meanwhile.
    """
    written = await client.end_offsets(list(places))
    readable = await committed.end_offsets(list(places))
    late = [place for place in places if readable[place] < written[place]]
    if not late:
        return {}
    return {
        place.partition: Withheld(
            readable[place],
            written[place] - readable[place],
            EPOCH + timedelta(milliseconds=await _written_at(client, place, readable[place])),
        )
        for place in late
    }


async def _written_at(client: AIOKafkaConsumer, place: TopicPartition, offset: int) -> int:
    client.assign([place])
    client.seek(place, offset)
    try:
        async with asyncio.timeout(LOOK_SECONDS_MAX):
            record = await client.getone(place)
    finally:
        client.unsubscribe()  # or it would go on fetching
    return int(record.timestamp)
