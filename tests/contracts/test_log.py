"""What a log promises, held against both adapters: memory and Kafka."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from genoflow.events import topics
from genoflow.events.codec import EVENT_BYTES_MAX
from genoflow.events.envelope import Actor
from genoflow.events.errors import (
    Fenced,
    GenoflowError,
    InvalidEvent,
    OutcomeUnknown,
    Stop,
    TopicMissing,
)
from genoflow.events.event import begin
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Raw, Recorded
from tests.contracts.logs import BY, CHANGELOG, PARTITIONS, everything, landed, restored


async def test_an_appended_event_is_read_back_as_it_was(log: EventLog) -> None:
    event = landed("S1", 1)
    before = datetime.now(UTC) - timedelta(seconds=2)
    position = await log.append(event)
    [record] = await everything(log)
    assert record.position == position
    assert record.event == event
    assert record.event.envelope == event.envelope
    assert (record.type, record.key) == ("FileLanded", "S1")
    assert record.event_id == str(event.envelope.event_id)
    assert record.correlation_id == event.envelope.correlation_id
    assert record.partition == partition_of(b"S1", PARTITIONS)
    assert before < record.recorded_at < datetime.now(UTC) + timedelta(seconds=2)


async def test_events_of_one_key_keep_their_order(log: EventLog) -> None:
    events = [landed(f"S{n % 7}", n) for n in range(200)]
    assert await log.append_bulk(events) == 200
    found = await everything(log)
    assert len(found) == 200
    for sample in {event.key for event in events}:
        expected = [event for event in events if event.key == sample]
        assert [record.event for record in found if record.key == sample] == expected


async def test_append_times_never_go_back(log: EventLog) -> None:
    for n in range(20):
        await log.append(landed("S1", n))
    times = [record.timestamp_ms for record in await everything(log)]
    assert len(times) == 20
    assert times == sorted(times)


async def test_a_batch_over_several_keys_and_topics_is_one(log: EventLog) -> None:
    of_a_run = landed("S1", 1).model_copy(update={"sample_id": None, "instrument_run_id": "RUN1"})
    of_a_run = begin(
        of_a_run, occurred_at=of_a_run.last_modified_at, by=BY,
        actor=Actor(kind="service", id="test"),
    )  # fmt: skip
    events = [landed("S1", 1), landed("S2", 2), of_a_run]
    await log.append_atomically(events)
    found = await everything(log, at_least=2)
    found += await everything(log, topics.SEQUENCING_RUN.name, at_least=1)
    assert sorted(record.event_id for record in found) == sorted(
        str(event.envelope.event_id) for event in events
    )


async def test_batches_at_once_are_each_whole(log: EventLog) -> None:
    batches = [[landed(f"S{n}", n), landed(f"T{n}", n)] for n in range(8)]
    await asyncio.gather(*(log.append_atomically(batch) for batch in batches))
    found = await everything(log, at_least=16)
    assert sorted(record.event_id for record in found) == sorted(
        str(event.envelope.event_id) for batch in batches for event in batch
    )


async def test_a_batch_with_one_bad_event_leaves_nothing(log: EventLog) -> None:
    bare = FileLanded(**landed("S2", 2).payload())
    with pytest.raises(InvalidEvent, match="has no envelope"):
        await log.append_atomically([landed("S1", 1), bare])
    assert await everything(log) == []


async def test_reading_begins_at_an_offset_and_stops_at_an_end(log: EventLog) -> None:
    for n in range(10):
        await log.append(landed("S1", n))
    place = (topics.SAMPLE.name, partition_of(b"S1", PARTITIONS))
    sizes = [r.event.payload()["size_bytes"] async for r in log.read({place: 3}, {place: 7})]
    assert sizes == [3, 4, 5, 6]


async def test_reading_an_empty_range_ends_at_once(log: EventLog) -> None:
    place = (topics.SAMPLE.name, 0)
    assert [r async for r in log.read({place: 0}, {place: 0})] == []


async def test_reading_begins_at_a_time(log: EventLog) -> None:
    await log.append(landed("S1", 1))
    await asyncio.sleep(0.02)  # LogAppendTime counts milliseconds: the two must differ
    second = await log.append(landed("S1", 2))
    records = await everything(log)
    start = await log.offsets_at(topics.SAMPLE.name, records[1].recorded_at)
    assert start[topics.SAMPLE.name, second.partition] == second.offset
    later = await log.offsets_at(topics.SAMPLE.name, datetime.now(UTC) + timedelta(hours=1))
    assert later == await log.ends(topics.SAMPLE.name)


async def test_a_reader_sees_what_comes_later(log: EventLog) -> None:
    async with await log.reader(await log.ends(topics.SAMPLE.name)) as reader:
        assert await reader.poll(0.05) == []
        await log.append(landed("S1", 1))
        found: list[Recorded] = []
        async with asyncio.timeout(10):
            while not found:
                found = await reader.poll(0.5)
        assert found[0].event == landed("S1", 1)
        assert reader.positions() == await log.ends(topics.SAMPLE.name)


async def test_raw_records_keep_every_byte(log: EventLog) -> None:
    raw = Raw(b"k", b"\x00\xff", (("a", b"1"), ("a", b"2"), ("b", b"")), 0)
    tombstone = Raw(b"k", None, (), 0)
    offsets = await log.append_raw(topics.SAMPLE.name, 2, [raw, tombstone])
    found = await everything(log)
    assert [record.offset for record in found] == offsets
    assert [record.raw[:2] for record in found] == [raw[:2], tombstone[:2]]
    assert tuple(found[0].headers) == raw.headers


async def test_a_missing_topic_is_named_with_the_way_out(log: EventLog) -> None:
    with pytest.raises(TopicMissing, match=r"gf\.no-such\.v1 is missing"):
        await log.ends("gf.no-such.v1")


async def test_an_event_over_the_limit_is_refused_and_nothing_is_written(log: EventLog) -> None:
    event = landed("S1", 1)
    huge = event.model_copy(update={"etag": "x" * (EVENT_BYTES_MAX + 1)})
    with pytest.raises(InvalidEvent, match="the limit is 1,000,000"):
        await log.append(huge)
    assert await everything(log) == []


# -- tasks: what the worker stands on


async def test_a_new_task_finds_nothing(log: EventLog) -> None:
    task = log.task("toy", topics.SAMPLE, 0)
    await task.fence()
    assert await task.restore() == ({}, None)
    await task.close()


async def test_a_task_finds_its_last_commit(log: EventLog) -> None:
    first = log.task("toy", topics.SAMPLE, 1)
    await first.fence()
    await first.commit([landed("S1", 1)], {b"a": b"1", b"b": b"1"}, 10)
    await first.commit([landed("S1", 2)], {b"a": None, b"b": b"2"}, 20)
    await first.close()
    assert await restored(log, 1) == ({b"b": b"2"}, 20)
    assert len(await everything(log, at_least=2)) == 2


async def test_a_commit_without_changes_still_moves_the_position(log: EventLog) -> None:
    task = log.task("toy", topics.SAMPLE, 0)
    await task.fence()
    await task.commit([], {}, 5)
    await task.close()
    assert await restored(log, 0) == ({}, 5)


async def test_an_older_session_can_never_commit_again(log: EventLog) -> None:
    old = log.task("toy", topics.SAMPLE, 0)
    await old.fence()
    await old.commit([], {b"a": b"old"}, 1)
    new = log.task("toy", topics.SAMPLE, 0)
    await new.fence()
    with pytest.raises(GenoflowError) as refusal:
        await old.commit([landed("S1", 1)], {b"a": b"zombie"}, 2)
    assert isinstance(refusal.value, Fenced | OutcomeUnknown)
    assert await new.restore() == ({b"a": b"old"}, 1)
    assert await everything(log) == []
    await new.commit([landed("S1", 2)], {b"a": b"new"}, 3)
    assert len(await everything(log, at_least=1)) == 1
    for task in (old, new):
        await task.close()


async def test_tasks_of_two_partitions_do_not_fence_each_other(log: EventLog) -> None:
    one, two = log.task("toy", topics.SAMPLE, 0), log.task("toy", topics.SAMPLE, 1)
    await one.fence()
    await two.fence()
    await one.commit([], {b"a": b"1"}, 1)
    await two.commit([], {b"a": b"2"}, 2)
    for task in (one, two):
        await task.close()
    assert await restored(log, 0) == ({b"a": b"1"}, 1)
    assert await restored(log, 1) == ({b"a": b"2"}, 2)


async def test_a_changelog_without_a_position_stops(log: EventLog) -> None:
    await log.append_raw(CHANGELOG.name, 0, [Raw(b"a", b"1", (), 0)])
    task = log.task("toy", topics.SAMPLE, 0)
    await task.fence()
    with pytest.raises(Stop, match="no position"):
        await task.restore()
    await task.close()


async def test_a_state_key_may_not_look_like_the_position(log: EventLog) -> None:
    task = log.task("toy", topics.SAMPLE, 0)
    await task.fence()
    with pytest.raises(InvalidEvent, match="zero byte"):
        await task.commit([], {b"\x00position": b""}, 1)
    await task.close()
