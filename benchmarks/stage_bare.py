"""The bare transactional loop: aiokafka's own example of consume, transform, produce.

    python -m benchmarks.stage_bare ERRAND

State lives in a dictionary and dies with the process; nothing is restored and nobody is fenced but
by the one transactional id.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.stage_answer import Errand, answer, decoded, errand, evolved

BATCH_BYTES = 262_144
POLL_RECORDS = 2_000  # four partitions of 500: what ours takes into one transaction, four times
POLL_MILLISECONDS = 200


async def run(told: Errand) -> None:
    """Work until the process is killed."""
    states: dict[bytes, dict[str, object]] = {}
    # For latency: short fetches, and 5 ms instead of 100 before a request is repeated, which
    # took its p99 from about 235 to about 77 ms. Its throughput was not measured without them.
    consumer = AIOKafkaConsumer(
        told.source,
        bootstrap_servers=told.address,
        group_id=told.name,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=5,
        max_partition_fetch_bytes=4_194_304,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=told.address,
        transactional_id=told.name,
        max_batch_size=BATCH_BYTES,
        linger_ms=0,
        retry_backoff_ms=5,
    )
    async with consumer, producer:
        while True:
            fetched = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=POLL_RECORDS)
            if not fetched:
                continue
            async with producer.transaction():
                sent = []
                for place, rows in fetched.items():
                    for row in rows:
                        values = decoded(told, row.value)
                        state = states[row.key] = evolved(states.get(row.key), values)
                        value = answer(told, state, values)
                        sent.append(
                            await producer.send(
                                told.target, value, key=row.key, partition=place.partition
                            )
                        )
                behind = {place: rows[-1].offset + 1 for place, rows in fetched.items()}
                await producer.send_offsets_to_transaction(behind, told.name)
                await asyncio.gather(*sent)


if __name__ == "__main__":
    asyncio.run(run(errand()))
