"""The example in README is run as it stands there."""

from __future__ import annotations

import asyncio
import re

from genoflow.events import topics
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from tests.examples import example
from tests.tidy.source import text_of


async def test_the_subscriber_in_readme_follows_the_log(kafka_address: str) -> None:
    [block] = re.findall(
        r"<!-- executed by tests/integration/test_readme.py -->\n```python\n(.*?)```",
        text_of("README.md"),
        re.DOTALL,
    )
    room: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), room)  # the page is the program
    events = [example(FileLanded, number) for number in range(6)]
    partitions = topics.PARTITIONS_EMBEDDED
    async with KafkaLog(kafka_address, partitions=partitions) as log:
        async with TopicAdmin(log, partitions=partitions) as admin:
            await admin.apply(topics.TOPICS)
        await log.append_bulk(events)
    follow = room["follow"]
    assert callable(follow)
    async with asyncio.timeout(60):
        keys = await follow(kafka_address)
    assert sorted(keys) == sorted(event.object_key for event in events)
