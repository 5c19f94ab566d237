"""What a backup asks of the broker itself: its id, its groups, and records with their own times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import TopicPartition

from genoflow.events.errors import Refused
from genoflow.events.log.container import LogRecord
from genoflow.events.log.kafka import RESTORING, KafkaLog
from genoflow.events.log.kafka_client import connect
from genoflow.events.log.kafka_reader import consumer

POLL_MILLISECONDS = 200
RECORDS_MAX = 1_000  # of one poll: 1 MB at 1 kB
CALL_SECONDS_MAX = 30  # a broker that answers at all answers within three elections of 10 s


class Broker:
    """An admin's connection for one deployment; use it in `async with`."""

    def __init__(self, log: KafkaLog) -> None:
        self.log = log
        self.prefix = log.wire_name("")
        self._admin = AIOKafkaAdminClient(bootstrap_servers=log.address)

    async def __aenter__(self) -> Self:
        await connect(self.log.address, self._admin.start, self._admin.close)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._admin.close()

    async def cluster_id(self) -> str:
        """The id that the cluster was formatted with."""
        return str((await self._admin.describe_cluster())["cluster_id"])

    async def records(
        self, topic: str, partition: int, start: int, stop: int
    ) -> AsyncGenerator[LogRecord, None]:
        """The committed records of a range with the times that the broker holds, unfolded."""
        if start >= stop:
            return
        place = TopicPartition(self.log.wire_name(topic), partition)
        # One client for one partition: aiokafka 0.14 can hang when one is stopped that was
        # assigned anew, because its fetcher swallows the cancellation.
        client = consumer(self.log.address)
        await client.start()
        try:
            client.assign([place])
            client.seek(place, start)
            while start < stop:
                found = await client.getmany(
                    place, timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_MAX
                )
                for row in found.get(place, ()):
                    if row.offset >= stop:
                        return
                    yield LogRecord(
                        topic, partition, row.offset, row.timestamp,
                        row.key, row.value, tuple(row.headers),
                    )  # fmt: skip
                start = await client.position(place)
        finally:
            await client.stop()

    async def groups(self) -> dict[str, dict[str, dict[int, int]]]:
        """Where each named reader of this deployment stands: group, topic, partition, offset."""
        found: dict[str, dict[str, dict[int, int]]] = {}
        names = sorted(row[0] for row in await self._admin.list_consumer_groups())
        for name in names:
            if not name.startswith(self.prefix):
                continue
            offsets = await self._admin.list_consumer_group_offsets(name)
            for place, kept in sorted(offsets.items()):
                if kept.offset >= 0 and place.topic.startswith(self.prefix):
                    topic = place.topic.removeprefix(self.prefix)
                    of_group = found.setdefault(name.removeprefix(self.prefix), {})
                    of_group.setdefault(topic, {})[place.partition] = kept.offset
        return found

    async def set_group(self, name: str, offsets: dict[str, dict[int, int]]) -> None:
        """Put a named reader at these offsets; Refused while it runs."""
        client = consumer(self.log.address, group=self.prefix + name)
        await client.start()
        places = {
            TopicPartition(self.log.wire_name(topic), number): offset
            for topic, of_topic in offsets.items()
            for number, offset in of_topic.items()
        }
        try:
            client.assign(list(places))
            async with asyncio.timeout(CALL_SECONDS_MAX):
                await client.commit(places)
        except (KafkaError, TimeoutError) as error:
            raise Refused(
                f"group {name}: its place cannot be set ({type(error).__name__}); stop its "
                f"readers, then run `genoflow restore` again, which goes on here"
            ) from error
        finally:
            await client.stop()

    async def begin_restoring(self) -> None:
        """Mark the deployment as half restored: from here on no log of ours opens it."""
        name = self.log.wire_name(RESTORING)
        answer = await self._admin.create_topics(
            [NewTopic(name, 1, 1, topic_configs={"retention.ms": "-1"})]
        )
        for _, code, message in answer.topic_errors:
            if code:
                raise Refused(f"topic {name}: {for_code(code).__name__} {message or ''}; try again")

    async def end_restoring(self) -> None:
        """Take the mark away: everything stands where it belongs."""
        await self._admin.delete_topics([self.log.wire_name(RESTORING)])
