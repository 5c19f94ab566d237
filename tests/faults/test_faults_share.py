"""A small share of `make faults`, and proof that the verdict bites."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.settings import read_settings
from genoflow.events import topics
from genoflow.events.errors import LogUnavailable
from genoflow.events.log.kafka import KafkaLog
from genoflow.processors.flow import PROCESSORS
from tests.faults.brokers import Cluster
from tests.faults.driver import is_clean, play
from tests.faults.provoke import PROVOCATIONS, provoke
from tests.faults.scenarios import SMALL, WHOLE_FLOW_SMALL
from tests.faults.stage import make_topics
from tests.faults.whole_flow import play_flow
from tests.replays import replayed, told

TURNS_MAX = 6  # a busy machine may let a blow fall between two transactions, where it does no harm
SAMPLES_PER_SMALL_RUN = 24
# Each is turned until its blow does harm: `make test` plays one of the four, `make long` these.
LONG_TO_PROVOKE = ("fencing", "adoption", "dedupe")
READERS = 10  # one of them is caught between two tries


def provoked(parts: Iterable[str]) -> list[Any]:
    """One of these for `make test`, all of them for `make long`."""
    return [
        pytest.param(part, marks=[pytest.mark.long] if part in LONG_TO_PROVOKE else [])
        for part in parts
    ]


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A broker that may be killed."""
    cluster = Cluster(tmp_path_factory.mktemp("faults"), read_settings().cache)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


async def test_nothing_is_lost_doubled_or_out_of_order(broker: Cluster, tmp_path: Path) -> None:
    row = await play(SMALL, broker, tmp_path, print)
    assert is_clean(row), row
    assert (row["kills"] >= SMALL.kills, row["stops"], row["broker_kills"]) == (True, 1, 1), row
    assert row["kills_at_points"] >= 3
    assert not [end for end in row["ends"] if end.startswith("unforeseen")], row["ends"]


@pytest.mark.long
async def test_a_cohort_goes_through_the_whole_flow_as_if_nothing_had_happened(
    broker: Cluster, tmp_path: Path
) -> None:
    row = await play_flow(WHOLE_FLOW_SMALL, SAMPLES_PER_SMALL_RUN, broker, tmp_path, print)
    assert is_clean(row), row
    assert (row["kills"], row["stops"]) == (WHOLE_FLOW_SMALL.kills, WHOLE_FLOW_SMALL.stops)
    assert row["jobs_begun"] == row["runs"] + row["sequencing_runs"]
    assert not [end for end in row["ends"] if end.startswith("unforeseen")], row["ends"]
    count = topics.PARTITIONS_EMBEDDED
    prefix = f"{WHOLE_FLOW_SMALL.name}."
    async with KafkaLog(broker.address, prefix=prefix, partitions=count) as log:
        reports = [await replayed(log, processor) for processor in PROCESSORS.values()]
    assert {report.processor: told(report) for report in reports if report.differences} == {}
    assert sum(report.decisions for report in reports) >= row["facts"] // 2


async def test_a_reader_closes_while_its_broker_is_away(broker: Cluster) -> None:
    await make_topics(broker.address, "away.", broker.size)
    count = topics.PARTITIONS_EMBEDDED
    async with KafkaLog(broker.address, prefix="away.", partitions=count) as log:
        start = await log.starts(topics.SAMPLE.name)
        readers = [await log.reader(start) for _ in range(READERS)]
        [only] = broker.brokers
        await broker.kill(only)
        try:
            await readers[0].poll(1.0)  # fetches fail, and wait to be tried again
            closing = [asyncio.create_task(reader.close()) for reader in readers]
            await asyncio.wait(closing)
            assert not any(one.cancelled() for one in closing), "a cancellation of aiokafka's own"
            await asyncio.gather(*closing)
        finally:
            await broker.start_one(only)


async def test_who_asks_for_topics_while_the_broker_is_away_is_told_to_try_again(
    broker: Cluster,
) -> None:
    await make_topics(broker.address, "asked.", broker.size)
    count = topics.PARTITIONS_EMBEDDED
    async with KafkaLog(broker.address, prefix="asked.", partitions=count) as log:
        assert await log.partitions(topics.SAMPLE.name) == count
        [only] = broker.brokers
        await broker.kill(only)
        try:
            with pytest.raises(LogUnavailable, match=r"the partitions of gf\.case\.v1: KafkaError"):
                await log.partitions(topics.CASE.name)
            with pytest.raises(LogUnavailable, match="the topics: KafkaError"):
                await log.topics()
        finally:
            await broker.start_one(only)


@pytest.mark.parametrize("part", provoked(PROVOCATIONS))
async def test_the_verdict_finds_what_a_build_lacks(
    broker: Cluster, tmp_path: Path, part: str
) -> None:
    for turn in range(1, TURNS_MAX + 1):
        room = tmp_path / f"without-{turn}"
        found = await provoke(part, broker, room, without=True, turn=turn)
        if not is_clean(found):
            break
    assert not is_clean(found), f"{TURNS_MAX} blows, and the verdict found nothing"
    for column in PROVOCATIONS[part].columns:
        assert found[column] > 0, found


@pytest.mark.parametrize("part", provoked(part for part, row in PROVOCATIONS.items() if row.point))
async def test_the_same_provocation_does_nothing_to_the_real_one(
    broker: Cluster, tmp_path: Path, part: str
) -> None:
    found = await provoke(part, broker, tmp_path / "real", without=False)
    assert is_clean(found), found
