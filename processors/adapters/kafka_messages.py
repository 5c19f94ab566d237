"""Notices of a store that writes them to a Kafka topic; the place is kept under a group's name."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError, KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition

from genoflow.events.errors import LogUnavailable, Retry
from genoflow.events.log.kafka_client import connect, stop_consumer
from genoflow.processors.intake.heard import Message

RECORDS_MAX = 500  # of a poll: each is looked up, which takes some 4 s for all of them on AWS
# A store that was away for a week is crawled, whatever it said meanwhile.
RETENTION_MILLISECONDS = 7 * 24 * 3_600_000


async def ensure_topic(address: str, topic: str) -> None:
    """Create the topic of notices where it is missing, with one partition: that is their order."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await connect(address, admin.start, admin.close)
    try:
        settings = {"retention.ms": str(RETENTION_MILLISECONDS)}
        answer = await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=settings)])
        for _, code, message in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise LogUnavailable(
                    f"kafka at {address}: topic {topic} could not be created: "
                    f"{for_code(code).__name__} {message or ''}; create it by hand"
                )
    except KafkaError as error:
        raise LogUnavailable(
            f"kafka at {address}: topic {topic}: {error}; see that the broker runs"
        ) from error
    finally:
        await admin.close()


class KafkaMessages:
    """Messages of one topic, for one of a group; used inside `async with`."""

    def __init__(self, address: str, topic: str, group: str) -> None:
        self._address = address
        self._topic = topic
        self._client = AIOKafkaConsumer(
            topic,
            bootstrap_servers=address,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        )
        self._read: dict[TopicPartition, int] = {}
        self._from: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        await ensure_topic(self._address, self._topic)
        await connect(self._address, self._client.start, self._client.stop)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await stop_consumer(self._client)

    async def poll(self, timeout_seconds: float) -> Sequence[Message]:
        """The next messages, in the order of the topic."""
        try:
            found = await self._client.getmany(
                timeout_ms=int(timeout_seconds * 1_000), max_records=RECORDS_MAX
            )
        except KafkaError as error:
            raise self._away(error) from error
        messages = []
        for place, records in found.items():
            for record in records:
                where = f"{place.topic}[{place.partition}]@{record.offset}"
                messages.append(Message("kafka", where, where[-100:], record.value or b""))
                self._read[place] = record.offset + 1
                self._from.setdefault(place, record.offset)
        return messages

    async def done(self, _messages: Sequence[Message]) -> None:
        """Keep the place behind the last poll; a place that another member has now is its own."""
        try:
            if self._read:
                await self._client.commit(self._read)
        except CommitFailedError:
            pass  # the group has shared the topic anew: its new reader reads these once more
        except KafkaError as error:
            raise self._away(error) from error
        self._read, self._from = {}, {}

    async def again(self) -> None:
        """Let what was polled and is not done come once more, if it is still ours to read."""
        for place, offset in self._from.items():
            if place in self._client.assignment():
                self._client.seek(place, offset)
        self._read, self._from = {}, {}

    def _away(self, error: KafkaError) -> Retry:
        return LogUnavailable(
            f"kafka at {self._address}: {self._topic}: {type(error).__name__} {error}; see that "
            f"the broker runs"
        )
