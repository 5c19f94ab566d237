"""The porch of the API on a real broker: all or nothing, and where it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from genoflow.deploy.porch import LogPorch
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import EventLog
from genoflow.processors.intake.privacy import IdentifierFound
from tests.asked import joined, registered, told


@pytest.fixture(params=["memory", "kafka"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[EventLog]:
    if request.param == "memory":
        async with MemoryLog() as memory:
            yield memory
        return
    address, suffix = request.getfixturevalue("kafka_address"), request.getfixturevalue("suffix")
    async with KafkaLog(address, prefix=f"p{suffix}.", partitions=4) as kafka:
        async with TopicAdmin(kafka, partitions=4) as admin:
            await admin.apply(topics.TOPICS)
        yield kafka


async def stands(log: EventLog) -> dict[str, Event]:
    """What is on the topic, by its place."""
    return {str(one.position): one.event async for one in log.read_topic(topics.SAMPLE.name)}


async def test_what_is_appended_together_is_told_with_its_places(log: EventLog) -> None:
    porch = LogPorch(log, ())
    facts = told(*(registered(f"S{number}") for number in range(6)), joined("S1"))
    places = await porch.append_together(facts)
    found = await stands(log)
    assert {str(place) for place in places} == set(found)
    assert {one.envelope.event_id for one in found.values()} == {
        one.envelope.event_id for one in facts
    }
    [alone] = await porch.append_together(told(registered("S9")))
    assert (await stands(log))[str(alone)].key == "S9"
    assert await porch.append_together([]) == []


async def test_one_that_names_a_person_keeps_all_of_them_out(log: EventLog) -> None:
    porch = LogPorch(log, (r"MRN\d+",))
    with pytest.raises(IdentifierFound):
        await porch.append_together(told(registered("S1"), registered("MRN12345")))
    assert await stands(log) == {}
