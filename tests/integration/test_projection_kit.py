"""The kit of read models on a real Postgres: one log gives the same rows, whoever writes them."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.file_landed import FileLanded, unassigned_key
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.projections.as_of import position_at, relation
from genoflow.projections.audit_trail import AuditTrail, recorded_events, vector_at
from genoflow.projections.folding import Folder
from genoflow.projections.runner import Feeds, bring_up, catch_up, ends_of, keep_up
from genoflow.projections.store import (
    Batch,
    begin_build,
    drop_build,
    forget_all,
    live_build,
    position,
    prepare,
    show,
)
from genoflow.projections.writing import Overtaken, apply
from tests.heard import MODELS, LaterHeard, joined, logged, rows_of, story
from tests.partition import CODEC, MOMENT
from tests.spec import heard


async def test_rows_and_history_tell_each_event_once(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, [joined("a", 1), joined("a", 2), joined("a", 1)])
        assert await bring_up(log, CODEC, connection, MODELS) == 3
    [row] = await connection.fetch("select * from live.heard")
    assert (row["sample_id"], row["number"], row["log_topic"]) == ("a", 2, topics.SAMPLE.name)
    history = await connection.fetch("select number from live.heard_history order by log_offset")
    assert [one["number"] for one in history] == [1, 2]
    assert len(await connection.fetch("select from live.events")) == 2


@pytest.mark.parametrize("seed", range(6))
async def test_pieces_of_any_size_and_a_rebuild_give_the_same_rows(
    connection: Any, seed: int
) -> None:
    chance = random.Random(f"pieces {seed}")
    facts = story(seed, ("a", "b", "c", "refused", "raises"))
    async with MemoryLog() as log:
        while facts:
            number = chance.randint(1, 9)
            await logged(log, facts[:number])
            facts = facts[number:]
            await bring_up(log, CODEC, connection, MODELS)  # states are fetched anew every time
        relations = ("live.heard", "live.heard_history", "live.events", "gf.set_aside")
        in_pieces = [await rows_of(connection, one) for one in relations]
        assert await bring_up(log, CODEC, connection, MODELS) == 0
        await forget_all(connection)
        await bring_up(log, CODEC, connection, MODELS)
        assert [await rows_of(connection, one) for one in relations] == in_pieces
    assert in_pieces[3], "something was set aside"


@pytest.mark.parametrize("room", [{"states_max": 1}, {"events_max": 3}])
async def test_few_states_in_memory_give_the_same_rows_as_many(
    connection: Any, room: dict[str, int]
) -> None:
    async with MemoryLog(partitions=1) as log:
        await logged(log, story(7))
        await bring_up(log, CODEC, connection, MODELS)
        [_, live] = [await live_build(connection, model) for model in MODELS]
        records = [one async for one in log.read_topic(topics.SAMPLE.name)]
        build = await begin_build(connection, live.model)

        async def load(topic: str, keys: Any, before: int) -> list[Recorded]:
            return await recorded_events(connection, CODEC, topic, keys, before)

        folder = Folder(build.model, load, **room)
        for begin in range(0, len(records), 2):
            some = records[begin : begin + 2]
            end = some[-1].offset + 1
            batch = Batch(topics.SAMPLE.name, 0, some[0].offset, end, some)
            await apply(connection, build, folder, [batch])
    for table in ("heard", "heard_history"):
        assert await rows_of(connection, f"{build.name}.{table}") == await rows_of(
            connection, f"live.{table}"
        )


async def test_a_row_that_postgres_refuses_costs_its_event_alone(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, [joined("refused", 1), joined("refused", 2), joined("a")])
        await bring_up(log, CODEC, connection, MODELS)
    rows = await connection.fetch("select sample_id, number from live.heard order by 1")
    assert [tuple(row) for row in rows] == [("a", 1), ("refused", 1)]
    [aside] = await connection.fetch("select * from gf.set_aside")
    assert (aside["build"], aside["subject"], aside["type"]) == (
        "heard_1", "refused", "CaseJoined",
    )  # fmt: skip
    assert "0x00" in aside["cause"]


async def test_of_two_runners_one_writes(connection: Any) -> None:
    async with MemoryLog(partitions=1) as log:
        await logged(log, story(1))
        await prepare(connection)
        build = await live_build(connection, AuditTrail())
        records = [one async for one in log.read_topic(topics.SAMPLE.name)]
        batch = Batch(topics.SAMPLE.name, 0, 0, len(records), records)
        first, second = Feeds(log, CODEC, connection), Feeds(log, CODEC, connection)
        await first.add(build)
        await second.add(build)
        await first.take([batch])
        with pytest.raises(Overtaken, match="is not at 0 any more"):
            await second.take([batch])
    assert (await position(connection, build))[topics.SAMPLE.name, 0] == len(records)


async def test_few_records_are_one_transaction_of_all_read_models(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, story(14))
        await bring_up(log, CODEC, connection, MODELS)
    trail, rows = [(await live_build(connection, model)).name for model in MODELS]
    relations = (f"{trail}.events", f"{rows}.heard", f"{rows}.heard_history", "gf.positions")
    written = await connection.fetch(
        " union ".join(f"select xmin::text from {relation}" for relation in relations)
    )
    assert len(written) == 1


async def test_a_read_model_ahead_of_the_audit_trail_still_learns_of_all(connection: Any) -> None:
    model = MODELS[1]
    async with MemoryLog(partitions=1) as log:
        await logged(log, story(12))
        await prepare(connection)
        live = await live_build(connection, model)
        await catch_up(log, CODEC, connection, [live], await ends_of(log, [model]))
        await logged(log, story(13))
        await bring_up(log, CODEC, connection, MODELS)  # the trail has everything before it
        again = await begin_build(connection, model)
        await catch_up(log, CODEC, connection, [again], await ends_of(log, [model]))
    for table in ("heard", "heard_history"):
        rows = await rows_of(connection, f"{again.name}.{table}")
        assert await rows_of(connection, f"{live.name}.{table}") == rows


async def test_a_batch_that_fails_leaves_neither_rows_nor_position(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, story(2))
        await prepare(connection)
        build = await live_build(connection, AuditTrail())
        await connection.execute(f"alter table {build.name}.events drop column seal cascade")
        with pytest.raises(asyncpg.UndefinedColumnError):
            await bring_up(log, CODEC, connection, [AuditTrail()])
    assert await position(connection, build) == {}
    assert await rows_of(connection, f"{build.name}.events") == []


async def test_another_build_grows_beside_and_is_shown_at_once(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, story(3))
        await bring_up(log, CODEC, connection, MODELS)
        model = MODELS[1]
        live = await live_build(connection, model)
        build = await begin_build(connection, model)
        await catch_up(log, CODEC, connection, [build], await ends_of(log, [model]))
        assert await position(connection, build) == await position(connection, live)
        async with connection.transaction():
            await show(connection, build)
        assert (await live_build(connection, model)).name == build.name
        # Whoever still feeds the old one is told, and goes on with the new one.
        await logged(log, story(4))
        with pytest.raises(Overtaken):
            await catch_up(log, CODEC, connection, [live], await ends_of(log, [model]))
        await bring_up(log, CODEC, connection, MODELS)
        await drop_build(connection, live.name)
        with pytest.raises(Refused, match="readers see it"):
            await drop_build(connection, build.name)


async def test_rows_of_another_version_are_not_mixed_with_ours(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, story(5))
        await bring_up(log, CODEC, connection, MODELS)
        with pytest.raises(Refused, match="genoflow projection rebuild heard"):
            await bring_up(log, CODEC, connection, [MODELS[0], LaterHeard()])


async def test_a_time_is_one_place_on_the_log(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, story(6))
        await bring_up(log, CODEC, connection, MODELS)
        [row] = await connection.fetch("select max(recorded_at) as at from live.events")
        vector = await vector_at(connection, row["at"])
        ends = await ends_of(log, [MODELS[1]])
    assert vector == {place: end for place, end in ends.items() if end}


async def test_a_runner_keeps_up_and_another_takes_over(connection: Any, postgres_url: str) -> None:
    other, watcher = [await asyncpg.connect(postgres_url) for _ in range(2)]
    told: list[str] = []
    stops = asyncio.Event(), asyncio.Event()
    try:
        async with MemoryLog() as log, asyncio.timeout(30), asyncio.TaskGroup() as group:
            await logged(log, story(8))
            group.create_task(keep_up(log, CODEC, connection, MODELS, stops[0], told.append))
            while not told:
                await asyncio.sleep(0.01)
            group.create_task(keep_up(log, CODEC, other, MODELS, stops[1], told.append))
            while len(told) < 2:
                await asyncio.sleep(0.01)
            assert "another runner writes" in told[1]
            await logged(log, story(9, ("x", "y")))
            stops[0].set()
            wanted = {place: end for place, end in (await ends_of(log, [MODELS[1]])).items() if end}
            build = await live_build(watcher, MODELS[1])
            while await position(watcher, build) != wanted:
                await asyncio.sleep(0.05)
            stops[1].set()
    finally:
        await other.close()
        await watcher.close()


async def test_rows_at_a_position_are_those_of_a_log_that_ends_there(connection: Any) -> None:
    """Whatever came later; and a time that was asked for keeps its answer."""
    table = MODELS[1].tables[0]
    async with MemoryLog() as log:
        await logged(log, story(10))
        await bring_up(log, CODEC, connection, MODELS)
        then = await ends_of(log, MODELS)
        before = await rows_of(connection, "live.heard")
        [row] = await connection.fetch("select max(recorded_at) as at from live.events")
        with pytest.raises(Refused, match="ask for an earlier time"):
            await position_at(connection, row["at"])
        await asyncio.sleep(0.002)  # the log counts milliseconds
        await logged(log, story(11))
        await bring_up(log, CODEC, connection, MODELS)
        asked = await position_at(connection, row["at"])
    assert await rows_of(connection, "live.heard") != before
    assert await rows_of(connection, relation(table, then).removesuffix(" heard")) == before
    assert await rows_of(connection, relation(table, asked).removesuffix(" heard")) == before
    await connection.execute("delete from live.events")
    assert await position_at(connection, row["at"]) == asked


async def test_a_fact_that_stands_under_two_keys_is_a_row_for_each(connection: Any) -> None:
    """Whichever partition a rebuild reads first; and a key may be as long as an object's."""
    name = "\u2603" * 1_000
    file = FileLanded(
        bucket="raw", object_key=name, version_id="1", size_bytes=9, etag="e",
        last_modified_at=MOMENT,
    )  # fmt: skip
    landed = [heard(one, MOMENT) for one in (file, file.model_copy(update={"sample_id": "S1"}))]
    assert landed[0].envelope.event_id == landed[1].envelope.event_id
    async with MemoryLog() as log:
        await logged(log, landed)
        await bring_up(log, CODEC, connection, [AuditTrail()])
    rows = await connection.fetch("select subject from live.events order by length(subject)")
    assert [row["subject"] for row in rows] == ["S1", unassigned_key("raw", name)]
    assert await connection.fetch("select from gf.set_aside") == []
