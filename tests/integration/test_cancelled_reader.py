"""Somebody who asks for a reader and goes away meanwhile leaves no client behind."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin


@pytest.mark.parametrize("turns", [1, 2, 4, 8])
async def test_a_reader_that_is_cancelled_on_its_way_is_closed(
    kafka_address: str, suffix: str, turns: int, no_ends: None
) -> None:
    async with KafkaLog(kafka_address, prefix=f"c{suffix}.", partitions=1) as log:
        async with TopicAdmin(log, partitions=1) as admin:
            await admin.apply([topics.SAMPLE])
        start = await log.starts(topics.SAMPLE.name)
        asking = asyncio.create_task(log.reader(start))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            del asking
            gc.collect()
        assert [
            str(warning.message) for warning in said if "Unclosed" in str(warning.message)
        ] == []
