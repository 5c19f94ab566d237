"""What the contract of a log is written with: events of one kind, and how to read all back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from genoflow.events import topics
from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import begin
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.port import EventLog, Restored
from genoflow.events.log.recorded import Recorded

PARTITIONS = topics.PARTITIONS_EMBEDDED
CHANGELOG = topics.changelog_of("toy", topics.SAMPLE)
BY = Producer(service="test", version="0")


def landed(sample: str, number: int, bucket: str = "raw") -> FileLanded:
    """The nth file of a sample."""
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    fact = FileLanded(
        bucket=bucket, object_key=f"{sample}/{number}.fastq.gz", version_id="1", size_bytes=number,
        etag="e", last_modified_at=at, sample_id=sample, role="R1",
    )  # fmt: skip
    return begin(fact, occurred_at=at, actor=Actor(kind="service", id="test"), by=BY)


async def everything(
    log: EventLog, topic: str = topics.SAMPLE.name, *, at_least: int = 0
) -> list[Recorded]:
    """All records; a transaction is visible moments after its commit: its marker comes later."""
    async with asyncio.timeout(10):
        while True:
            found = [record async for record in log.read_topic(topic)]
            if len(found) >= at_least:
                return found


async def restored(log: EventLog, partition: int) -> Restored:
    """What the next owner of a task finds."""
    task = log.task("toy", topics.SAMPLE, partition)
    await task.fence()
    try:
        return await task.restore()
    finally:
        await task.close()
