"""What a working group promises, held against both adapters: memory and Kafka."""

from __future__ import annotations

import asyncio
import time

import pytest

from genoflow.events import topics
from genoflow.events.errors import Fenced, InvalidEvent, Stop, TopicMismatch, TopicMissing
from genoflow.events.log.changelog import STATE_BYTES_MAX
from genoflow.events.log.port import EventLog, TaskSession
from genoflow.events.log.recorded import Raw
from tests.contracts.logs import everything, landed, restored
from tests.contracts.members import ALL, Member, joined, until

SAMPLE = topics.SAMPLE.name


async def filled(log: EventLog, records: int, partition: int = 1) -> list[int]:
    """Some records in one partition."""
    rows = [Raw(b"k", b"%d" % number, (), 0) for number in range(records)]
    return await log.append_raw(SAMPLE, partition, rows)


async def test_nothing_is_handed_out_before_it_is_begun(log: EventLog) -> None:
    await filled(log, 5)
    async with joined(log, begins_at=None) as member:
        await until([member], lambda: member.mine == ALL)
        for _ in range(5):
            await member.poll(0.1)
        assert (member.taken, member.next) == ([], {})
        member.reader.begin(1, 0)
        await until([member], lambda: len(member.taken) == 5)
        assert [record.value for record in member.taken] == [b"%d" % n for n in range(5)]
        assert member.next == {1: 5}


async def test_a_partition_is_read_from_where_it_was_begun(log: EventLog) -> None:
    await filled(log, 10)
    async with joined(log, begins_at=None) as member:
        await until([member], lambda: member.mine == ALL)
        member.reader.begin(1, 0)
        member.reader.begin(1, 7)  # whatever was fetched from 0 on is forgotten
        await until([member], lambda: len(member.taken) >= 3)
        assert member.offsets(1) == [7, 8, 9]
        await filled(log, 2)
        await until([member], lambda: len(member.taken) >= 5)
        assert member.offsets(1) == [7, 8, 9, 10, 11]
        member.reader.begin(1, 2)
        await until([member], lambda: member.offsets(1)[-1] == 11 and len(member.taken) > 5)
        assert member.offsets(1)[5:] == list(range(2, 12))


async def test_what_is_read_again_has_the_times_that_it_had(log: EventLog) -> None:
    for number in range(3):
        await filled(log, 1)
        first = {r.offset: r.timestamp_ms for r in await everything(log, at_least=number + 1)}
        while time.time_ns() // 1_000_000 <= max(first.values()):
            await asyncio.sleep(0.001)  # the next one is recorded later
    async with joined(log, begins_at=None) as member:
        await until([member], lambda: member.mine == ALL)
        for _ in range(2):  # as a task does that takes over on its first record
            member.taken.clear()
            member.reader.begin(1, 0)
            await until([member], lambda: len(member.taken) == 3)
            assert {r.offset: r.timestamp_ms for r in member.taken} == first


async def test_what_the_group_keeps_never_decides_where_to_read(log: EventLog) -> None:
    await filled(log, 6)
    async with joined(log) as first:
        await until([first], lambda: len(first.taken) == 6)
        await first.reader.commit({1: 6, 0: 0})
    async with joined(log, begins_at=None) as second:
        await until([second], lambda: second.mine == ALL)
        for _ in range(3):
            await second.poll(0.1)
        second.reader.begin(1, 2)
        await until([second], lambda: len(second.taken) >= 4)
        assert second.offsets(1) == [2, 3, 4, 5]


async def test_what_is_held_comes_later_and_whole(log: EventLog) -> None:
    await filled(log, 10, 1)
    async with joined(log, begins_at=None) as member:
        await until([member], lambda: member.mine == ALL)
        for partition in ALL:
            member.reader.begin(partition, 0)
        while not member.taken:
            await member.poll(0.05, records_max=3)
        assert member.offsets(1) == [0, 1, 2]
        member.reader.hold(1)
        await filled(log, 5, 1)
        await filled(log, 4, 2)
        await until([member], lambda: len(member.offsets(2)) == 4)
        await member.poll(0.3)
        assert member.offsets(1) == [0, 1, 2]
        member.reader.go_on(1)
        await until([member], lambda: len(member.offsets(1)) >= 15)
        assert member.offsets(1) == list(range(15))


async def test_two_members_share_and_the_last_one_has_all(log: EventLog) -> None:
    async with joined(log) as one:
        await until([one], lambda: one.mine == ALL)
        async with joined(log) as two:
            await until([one, two], lambda: len(one.mine) == len(two.mine) == 2)
            assert one.mine | two.mine == ALL
            for partition in ALL:
                await filled(log, 3, partition)
            await until([one, two], lambda: len(one.taken) == len(two.taken) == 6)
            assert {record.partition for record in one.taken} == one.mine
        await until([one], lambda: one.mine == ALL)
        assert one.told[0] == ("gained", ALL)


async def test_nobody_gains_what_another_has_not_given_up(log: EventLog) -> None:
    async with joined(log) as one, joined(log) as two:
        await until([one], lambda: one.mine == ALL)
        one.may_lose.clear()
        await until([one, two], lambda: one.losing)
        await filled(log, 3)
        begun = time.monotonic()
        for _ in range(5):
            await asyncio.gather(one.poll(0.1), two.poll(0.1))
        # A poll ends in time while partitions move, and a loop around it stays alive.
        assert time.monotonic() - begun < 3
        assert two.mine == set()
        one.may_lose.set()
        await until([one, two], lambda: len(one.mine) == len(two.mine) == 2)
        await until([one, two], lambda: len({r.offset for r in one.taken + two.taken}) == 3)
        assert one.mine | two.mine == ALL


async def test_a_marker_alone_moves_the_place(log: EventLog) -> None:
    task = log.task("toy", topics.SAMPLE, 0)
    await task.fence()
    await task.commit([landed("S1", 1)], {}, 1)
    await task.close()
    [record] = await everything(log, at_least=1)
    async with joined(log, begins_at=None) as member:
        await until([member], lambda: member.mine == ALL)
        member.reader.begin(record.partition, record.offset + 1)
        await until([member], lambda: record.partition in member.next)
        assert member.taken == []
        ends = await log.ends(SAMPLE)
        assert member.next == {record.partition: ends[SAMPLE, record.partition]}
        assert member.next[record.partition] == record.offset + 2


async def test_an_offset_beyond_the_end_stops(log: EventLog) -> None:
    await filled(log, 3)
    async with joined(log, begins_at=None) as member:
        await until([member], lambda: member.mine == ALL)
        member.reader.begin(1, 3)  # the end itself is where the next record comes
        await member.poll(0.3)
        member.reader.begin(1, 1_201)
        with pytest.raises(TopicMismatch, match=r"gf\.sample\.v1\[1\]@1201: .* holds 0 to 3") as at:
            await until([member], lambda: False)
        assert "delete the changelog of toy" in str(at.value)
        assert isinstance(at.value, Stop)


async def test_a_partition_that_is_not_ours_is_left_alone(log: EventLog) -> None:
    await filled(log, 3)
    async with joined(log) as one:
        await until([one], lambda: len(one.taken) == 3)
        async with joined(log, begins_at=None) as two:
            two.reader.begin(1, 0)
            two.reader.hold(1)
            two.reader.go_on(1)
            await two.reader.commit({1: 1})
            await until([one, two], lambda: len(one.mine) == len(two.mine) == 2)
            assert two.taken == []
            for partition in one.mine:
                two.reader.begin(partition, 0)
            for _ in range(3):
                await asyncio.gather(one.poll(0.1), two.poll(0.1))
            assert two.taken == []


async def test_what_a_share_raises_ends_the_reader(log: EventLog) -> None:
    class Broken(Member):
        async def gained(self, partitions: frozenset[int]) -> None:
            raise Stop("gained: this share is broken; mend it")

    member = Broken()
    member.reader = await log.work_reader("toy", topics.SAMPLE, member)
    with pytest.raises(Stop, match="this share is broken"):
        await until([member], lambda: False)
    with pytest.raises(Stop, match="this share is broken"):
        await member.reader.close()


async def test_a_group_on_a_missing_topic_names_it(log: EventLog) -> None:
    missing = topics.Topic("gf.no-such.v1", "nothing", "nothing")
    with pytest.raises(TopicMissing, match=r"gf\.no-such\.v1 is missing"):
        await log.work_reader("toy", missing, Member())


# -- tasks


async def fenced(log: EventLog) -> TaskSession:
    """A task of partition 0 that is ours."""
    task = log.task("toy", topics.SAMPLE, 0)
    await task.fence()
    return task


@pytest.mark.parametrize("commits", [0, 1, 2, 3])
async def test_a_zombie_is_fenced_whichever_turn_it_is(log: EventLog, commits: int) -> None:
    old = await fenced(log)
    for number in range(commits):
        await old.commit([landed("S1", number)], {b"n": b"%d" % number}, number)
    new = await fenced(log)
    with pytest.raises(Fenced, match="another session has taken this task over"):
        await old.commit([landed("S1", 99)], {b"n": b"zombie"}, 99)
    found = await new.restore()
    assert found.position == (commits - 1 if commits else None)
    assert b"zombie" not in found.state.values()
    assert len(await everything(log, at_least=commits)) == commits
    for task in (old, new):
        await task.close()


async def test_commits_one_after_another_are_all_found(log: EventLog) -> None:
    task = await fenced(log)
    for number in range(50):
        await task.commit([landed("S1", number)], {b"%d" % number: b"x"}, number)
    await task.close()
    found = await restored(log, 0)
    assert (len(found.state), found.position) == (50, 49)
    records = await everything(log, at_least=50)
    assert [record.event.payload()["size_bytes"] for record in records] == list(range(50))


async def test_a_commit_of_many_writes_is_whole_and_in_order(log: EventLog) -> None:
    task = await fenced(log)
    events = [landed(f"S{number % 7}", number) for number in range(3_000)]
    changes = {b"k%d" % number: b"x" * 300 for number in range(3_000)}
    await task.commit(events, dict(changes), 1)
    await task.close()
    assert await restored(log, 0) == (changes, 1)
    records = await everything(log, at_least=3_000)
    for sample in {event.key for event in events}:
        of_sample = [record.event_id for record in records if record.key == sample]
        assert of_sample == [str(e.envelope.event_id) for e in events if e.key == sample]


async def test_a_state_over_the_limit_is_refused_and_nothing_is_written(log: EventLog) -> None:
    task = await fenced(log)
    await task.commit([], {b"largest": b"x" * (STATE_BYTES_MAX - len(b"largest"))}, 1)
    with pytest.raises(InvalidEvent, match=r"state b'huge': has 1,000,001 bytes"):
        await task.commit([landed("S1", 1)], {b"huge": b"x" * (STATE_BYTES_MAX - 3)}, 2)
    await task.commit([], {}, 3)  # the session is whole
    await task.close()
    assert (await restored(log, 0)).position == 3
    assert await everything(log) == []
