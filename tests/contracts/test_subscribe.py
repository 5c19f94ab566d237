"""What a subscriber is promised, held against both adapters; and outcomes that stay unknown."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.errors import MalformedEvent, OutcomeUnknown, Refused
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Raw
from genoflow.events.registry import released
from genoflow.events.subscribe import Subscription
from tests.contracts.logs import PARTITIONS, everything, landed


async def take(subscription: Subscription[FileLanded], count: int) -> list[FileLanded]:
    taken: list[FileLanded] = []
    async with asyncio.timeout(20):
        async for delivery in subscription:
            taken.append(delivery.event)
            delivery.ack()
            if len(taken) == count:
                break
    return taken


async def test_a_subscriber_catches_up_and_then_follows_without_a_gap(log: EventLog) -> None:
    before = [landed(f"S{n % 3}", n) for n in range(50)]
    after = [landed(f"S{n % 3}", n) for n in range(50, 100)]
    await log.append_bulk(before)
    async with Subscription(log, name=None, types=(FileLanded,)) as subscription:
        taking = asyncio.create_task(take(subscription, 100))
        for event in after:
            await log.append(event)
        taken = await taking
    assert sorted(e.size_bytes for e in taken) == list(range(100))
    for sample in ("S0", "S1", "S2"):
        sizes = [e.size_bytes for e in taken if e.sample_id == sample]
        assert sizes == sorted(sizes)


async def test_a_name_goes_on_where_it_acknowledged(log: EventLog) -> None:
    await log.append_bulk([landed("S1", n) for n in range(10)])
    async with Subscription(log, name="lims", types=(FileLanded,)) as first:
        assert [e.size_bytes for e in await take(first, 4)] == [0, 1, 2, 3]
    async with Subscription(log, name="lims", types=(FileLanded,)) as second:
        assert [e.size_bytes for e in await take(second, 6)] == [4, 5, 6, 7, 8, 9]


async def test_what_was_not_acknowledged_comes_again(log: EventLog) -> None:
    await log.append_bulk([landed("S1", n) for n in range(4)])
    async with Subscription(log, name="lims", types=(FileLanded,)) as first:
        async with asyncio.timeout(20):
            async for delivery in first:
                if delivery.event.size_bytes != 1:
                    delivery.ack()
                if delivery.event.size_bytes == 3:
                    break
    async with Subscription(log, name="lims", types=(FileLanded,)) as second:
        assert [e.size_bytes for e in await take(second, 3)] == [1, 2, 3]


async def test_a_position_is_a_place_to_go_on_from(log: EventLog) -> None:
    await log.append_bulk([landed("S1", n) for n in range(6)])
    async with Subscription(log, name=None, types=(FileLanded,)) as first:
        await take(first, 2)
        kept = first.positions()
    async with Subscription(log, name=None, types=(FileLanded,), start=kept) as second:
        assert [e.size_bytes for e in await take(second, 4)] == [2, 3, 4, 5]


async def test_an_append_repeated_after_an_unknown_outcome_is_one_delivery(log: EventLog) -> None:
    for number in (1, 1, 2, 1):
        await log.append(landed("S1", number))
    async with Subscription(log, name="lims", types=(FileLanded,)) as subscription:
        assert [e.size_bytes for e in await take(subscription, 2)] == [1, 2]
    await log.append(landed("S1", 2))
    await log.append(landed("S1", 3))
    async with Subscription(log, name="lims", types=(FileLanded,)) as resumed:
        assert [e.size_bytes for e in await take(resumed, 1)] == [3]


async def test_a_subscriber_takes_only_its_subjects_and_types(log: EventLog) -> None:
    await log.append_bulk([landed(f"S{n % 5}", n) for n in range(20)])
    chosen = Subscription(log, name=None, types=(FileLanded,), subjects=("S3",))
    async with chosen as subscription:
        assert {e.sample_id for e in await take(subscription, 4)} == {"S3"}


async def test_a_subscription_from_now_sees_only_what_comes(log: EventLog) -> None:
    await log.append(landed("S1", 1))
    async with Subscription(log, name=None, types=(FileLanded,), start="now") as subscription:
        await log.append(landed("S1", 2))
        assert [e.size_bytes for e in await take(subscription, 1)] == [2]


async def test_bytes_that_are_no_event_are_delivered_and_block_nobody(log: EventLog) -> None:
    partition = partition_of(b"S1", PARTITIONS)
    value, headers = Codec(released()).encode(landed("S1", 1))
    rubbish = [
        Raw(b"S1", None, (), 0),
        Raw(b"S1", b"rubbish", (), 0),
        Raw(b"S1", value[:-2], headers, 0),
    ]
    await log.append_raw(topics.SAMPLE.name, partition, rubbish)
    await log.append(landed("S1", 2))
    outcomes: list[object] = []
    async with Subscription(log, name="lims", types=(FileLanded,)) as subscription:
        async with asyncio.timeout(20):
            async for delivery in subscription:
                try:
                    outcomes.append(delivery.event.size_bytes)
                except MalformedEvent:
                    outcomes.append("malformed")
                delivery.ack()
                if len(outcomes) == 4:
                    break
    assert outcomes == ["malformed", "malformed", "malformed", 2]


@pytest.mark.parametrize("start", [datetime(2026, 3, 1, tzinfo=UTC), {("gf.sample.v1", 0): 3}])
async def test_a_name_and_another_beginning_exclude_each_other(start: Any) -> None:
    async with MemoryLog() as log:
        with pytest.raises(Refused, match="leave the name out"):
            Subscription(log, name="lims", types=(FileLanded,), start=start)


# -- what only the memory adapter can be told to do


@pytest.mark.parametrize("happened", [False, True])
async def test_an_unknown_outcome_repeated_is_one_event_for_readers(happened: bool) -> None:
    faults = itertools.count()

    def fault(_operation: str, after: bool) -> None:
        if after is happened and next(faults) == 0:
            raise OutcomeUnknown("the answer was lost")

    async with MemoryLog(fault=fault) as log:
        with pytest.raises(OutcomeUnknown):
            await log.append(landed("S1", 1))
        await log.append(landed("S1", 1))
        await log.append(landed("S1", 2))
        assert len(await everything(log)) == (3 if happened else 2)
        async with Subscription(log, name=None, types=(FileLanded,)) as subscription:
            assert [e.size_bytes for e in await take(subscription, 2)] == [1, 2]


async def test_a_commit_of_unknown_outcome_is_whole_or_absent() -> None:
    for happened in (False, True):

        def fault(operation: str, after: bool, wanted: bool = happened) -> None:
            if operation == "commit" and after is wanted:
                raise OutcomeUnknown("the answer was lost")

        async with MemoryLog(fault=fault) as log:
            task = log.task("toy", topics.SAMPLE, 0)
            await task.fence()
            with pytest.raises(OutcomeUnknown):
                await task.commit([landed("S1", 1)], {b"a": b"1"}, 7)
            restored = await task.restore()
            assert (len(await everything(log)), restored.position) in ((0, None), (1, 7))
            assert (restored.position == 7) is happened
