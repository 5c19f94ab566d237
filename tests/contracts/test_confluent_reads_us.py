"""What others see: confluent-kafka's own clients against our broker records and our registry.

Nothing is adapted for them. They know the broker, the address of the registry and no code of ours;
the one setting that a foreign writer must make is the partitioner (murmur2, as in Java).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from genoflow.events import topics
from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import HEADER_SEAL, header
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.partitioner import partition_of
from genoflow.events.registry import released
from tests.examples import example

PARTITIONS = topics.PARTITIONS_EMBEDDED
READ_SECONDS_MAX = 60  # joining a group takes 3 s at first, reading 67 records some milliseconds
KEYS = 500  # of every length from 1 byte on: a wrong hash puts three of four elsewhere

BY_RECORD = {"subject.name.strategy": record_subject_name_strategy}
# As the documentation recommends for writers that may not register; and what they do untaught.
WRITERS = {
    "latest version": {"auto.register.schemas": False, "use.latest.version": True},
    "registering": {},
}


@pytest.fixture
async def log(kafka_address: str) -> AsyncIterator[KafkaLog]:
    """An empty log under a prefix of its own."""
    prefix = f"c{secrets.token_hex(4)}."
    async with KafkaLog(kafka_address, prefix=prefix, partitions=PARTITIONS) as opened:
        async with TopicAdmin(opened, partitions=PARTITIONS) as admin:
            await admin.apply(topics.TOPICS)
        yield opened


@pytest.fixture
def registry(registry_address: str) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": registry_address}) as client:
        yield client


@pytest.fixture
def producer(kafka_address: str) -> Iterator[Producer]:
    settings = {"bootstrap.servers": kafka_address, "partitioner": "murmur2_random"}
    opened = Producer(settings)
    yield opened
    assert opened.flush(READ_SECONDS_MAX) == 0


def read_with_confluent(address: str, names: list[str], count: int) -> list[Message]:
    """So many records of these topics, as a consumer outside reads them."""
    settings = {
        "bootstrap.servers": address,
        "group.id": f"outside-{secrets.token_hex(4)}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    consumer, messages = Consumer(settings), list[Message]()
    deadline = time.monotonic() + READ_SECONDS_MAX
    try:
        consumer.subscribe(names)
        while len(messages) < count:
            assert time.monotonic() < deadline, f"only {len(messages)} of {count} records came"
            message = consumer.poll(0.2)
            if message is not None:
                assert message.error() is None, message.error()
                messages.append(message)
    finally:
        consumer.close()
    return messages


def as_read(value: Any) -> Any:
    """A value as an Avro library hands it out: tuples are lists, all else is what it is."""
    if isinstance(value, dict):
        return {name: as_read(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_read(part) for part in value]
    return value


def fields(event: Event) -> Any:
    """All that an event says, as plain values."""
    return as_read({"envelope": event.envelope.model_dump(), **event.model_dump()})


@pytest.mark.parametrize("strategy", [{}, BY_RECORD], ids=["as it comes", "by record name"])
async def test_their_deserialiser_reads_one_event_of_every_type(
    log: KafkaLog, registry: SchemaRegistryClient, strategy: dict[str, Any]
) -> None:
    events = [example(model, seed=3) for model in EVENTS]
    positions = [await log.append(event) for event in events]
    written: dict[tuple[str | None, int | None, int | None], Event] = {
        (log.wire_name(position.topic), position.partition, position.offset): event
        for event, position in zip(events, positions, strict=True)
    }
    assert {event.type() for event in written.values()} == {model.type() for model in EVENTS}
    names = [log.wire_name(topic.name) for topic in topics.TOPICS]
    deserialise = AvroDeserializer(registry, conf=dict(strategy))
    messages = await asyncio.to_thread(read_with_confluent, log.address, names, len(written))
    assert {message.topic() for message in messages} == set(names)
    for message in messages:
        event = written.pop((message.topic(), message.partition(), message.offset()))
        context = SerializationContext(message.topic() or "", MessageField.VALUE)
        values = deserialise(message.value(), context)
        assert values == fields(event), event.type()
        assert message.key() == event.key.encode()
    assert not written


@pytest.mark.parametrize("settings", WRITERS.values(), ids=WRITERS.keys())
async def test_our_codec_reads_what_their_serialiser_wrote(
    log: KafkaLog, registry: SchemaRegistryClient, producer: Producer, settings: dict[str, Any]
) -> None:
    events = {}
    for model in EVENTS:
        event = example(model, seed=5)
        events[event.envelope.event_id] = event
        text = released().current(model.type()).text
        serialise = AvroSerializer(registry, text, conf={**settings, **BY_RECORD})
        name = log.wire_name(event.topic)
        value = serialise(fields(event), SerializationContext(name, MessageField.VALUE))
        producer.produce(name, key=event.key.encode(), value=value)
    assert producer.flush(READ_SECONDS_MAX) == 0
    for topic in topics.TOPICS:
        count = await log.partitions(topic.name)
        async for record in log.read_topic(topic.name):
            assert header(record.headers, HEADER_SEAL) is None
            event = record.event
            expected = events.pop(event.envelope.event_id)
            assert (type(event), event, event.envelope) == (
                type(expected), expected, expected.envelope,
            )  # fmt: skip
            assert record.partition == partition_of(expected.key.encode(), count)
    assert not events


async def test_their_producer_and_ours_put_a_key_on_the_same_partition(
    log: KafkaLog, producer: Producer
) -> None:
    name = log.wire_name(topics.SAMPLE.name)
    placed: dict[bytes | None, int | None] = {}

    def note(error: object, message: Message) -> None:
        assert error is None, error
        placed[message.key()] = message.partition()

    for number in range(KEYS):
        key = ("S" * (number % 23) + f"é{number}").encode()[: 1 + number % 40]
        producer.produce(name, key=key, value=b"", on_delivery=note)
    assert producer.flush(READ_SECONDS_MAX) == 0
    assert len(set(placed.values())) == PARTITIONS
    assert placed == {key: partition_of(key, PARTITIONS) for key in placed if key}
