"""The group in memory when members die, fall silent, and wake up too late."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import cast

import pytest

from genoflow.events import topics
from genoflow.events.errors import Fenced
from genoflow.events.log import memory_work
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.memory_work import MemoryWorkReader, WorkGroup
from tests.contracts.logs import landed
from tests.contracts.members import ALL, Member, joined, until

SESSION_SECONDS = 0.3


@pytest.fixture
async def log(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemoryLog]:
    monkeypatch.setattr(memory_work, "BEAT_SECONDS", SESSION_SECONDS / 10)
    async with MemoryLog(session_seconds=SESSION_SECONDS) as opened:
        yield opened


async def sharing(log: MemoryLog, stack: AsyncExitStack) -> tuple[Member, Member]:
    """Two members with two partitions each."""
    one = await stack.enter_async_context(joined(log))
    two = await stack.enter_async_context(joined(log))
    await until([one], lambda: one.mine == ALL)
    await until([one, two], lambda: len(one.mine) == len(two.mine) == 2)
    return one, two


def stop_beating(member: Member) -> None:
    """What a kill or a stop does to a member: its tasks do not run any more."""
    beats = cast("MemoryWorkReader", member.reader)._beats
    assert beats is not None
    beats.cancel()


async def test_who_is_silent_is_dropped_and_not_waited_for(log: MemoryLog) -> None:
    async with AsyncExitStack() as stack:
        one, two = await sharing(log, stack)
        kept = set(two.mine)
        stop_beating(two)
        await until([one], lambda: one.mine == ALL)
        assert two.mine == kept  # it knows nothing of it


async def test_a_zombie_loses_all_and_joins_anew(log: MemoryLog) -> None:
    async with AsyncExitStack() as stack:
        one, two = await sharing(log, stack)
        stop_beating(two)
        await until([one], lambda: one.mine == ALL)
        await log.append(landed("S1", 1))
        two.told.clear()
        await until([one, two], lambda: bool(two.told))
        assert two.told[0][0] == "lost"
        assert two.mine == set()
        await until([one, two], lambda: len(one.mine) == len(two.mine) == 2)
        assert one.mine | two.mine == ALL
        assert not one.mine & two.mine


async def test_who_dies_while_it_gives_up_is_not_waited_for(log: MemoryLog) -> None:
    async with joined(log) as one:
        await until([one], lambda: one.mine == ALL)
        one.may_lose.clear()
        async with joined(log) as two:
            await until([one, two], lambda: one.losing)
            assert two.mine == set()
            stop_beating(one)
            await until([two], lambda: two.mine == ALL)
            one.may_lose.set()


async def test_who_takes_long_to_give_up_is_waited_for(log: MemoryLog) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(joined(log))
        await until([one], lambda: one.mine == ALL)
        one.may_lose.clear()
        two = await stack.enter_async_context(joined(log))
        await until([one, two], lambda: one.losing)
        loop = asyncio.get_running_loop()
        until_time = loop.time() + 3 * SESSION_SECONDS
        await until([one, two], lambda: loop.time() > until_time)
        assert two.mine == set()
        one.may_lose.set()
        await until([one, two], lambda: len(one.mine) == len(two.mine) == 2)


async def test_partitions_move_without_a_poll(log: MemoryLog) -> None:
    async with joined(log) as one:
        await until([one], lambda: one.mine == ALL)
        async with joined(log) as two:
            await until([two], lambda: len(two.mine) == 2)
            assert len(one.mine) == 2


async def test_a_member_that_leaves_unasked_leaves_no_noise(log: MemoryLog) -> None:
    heard: list[object] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: heard.append(context))
    async with AsyncExitStack() as stack:
        await sharing(log, stack)
    gc.collect()
    loop.set_exception_handler(before)
    assert heard == []


def test_partitions_are_spread_evenly_in_the_order_of_joining() -> None:
    group = WorkGroup(8, 10)
    first, second, third = (group.join(0) for _ in range(3))
    assert [sorted(group.wanted(m)) for m in (first, second, third)] == [
        [0, 3, 6], [1, 4, 7], [2, 5],
    ]  # fmt: skip
    group.beat(first, 6)
    group.beat(third, 6)
    assert group.drop_silent(11)
    assert second not in group
    assert sorted(group.wanted(third)) == [1, 3, 5, 7]
    group.beat(second, 12)  # too late
    assert second not in group


async def test_a_fence_between_a_commit_and_its_write_holds(log: MemoryLog) -> None:
    old = log.task("toy", topics.SAMPLE, 0)
    new = log.task("toy", topics.SAMPLE, 0)
    await old.fence()
    late = asyncio.ensure_future(old.commit([landed("S1", 1)], {}, 1))
    await new.fence()  # the commit has begun, and has not written
    assert (await new.restore()).position is None
    with pytest.raises(Fenced):
        await late
    assert (await new.restore()).position is None
