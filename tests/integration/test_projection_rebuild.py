"""A read model built anew on a real Postgres: beside the live one, compared, put in its place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.projections.rebuild import rebuild, rehearse
from genoflow.projections.row import Row, Table
from genoflow.projections.runner import bring_up, ends_of, keep_up
from genoflow.projections.store import (
    position,
)
from tests.heard import MODELS, SAID, HeardRow, LaterHeard, logged, rows_of, story
from tests.partition import CODEC


@dataclass(frozen=True, slots=True)
class RenamedRow(Row):
    """The same table under another key."""

    name: str


class OtherHeard(LaterHeard):
    """A release that words the rows of one sample differently."""

    def project(self, state: list[str], record: Recorded) -> Iterable[Row]:
        """The same, but for one sample."""
        for row in super().project(state, record):
            assert isinstance(row, HeardRow)
            yield replace(row, words="other words") if row.sample_id == "b" else row


async def test_a_rebuild_of_unchanged_code_gives_equal_rows_while_others_write(
    connection: Any, postgres_url: str
) -> None:
    stop = asyncio.Event()
    told: list[str] = []
    feeder = await asyncpg.connect(postgres_url)
    async with MemoryLog() as log, asyncio.timeout(60), asyncio.TaskGroup() as group:
        await logged(log, story(12))
        await bring_up(log, CODEC, connection, MODELS)
        before = await rows_of(connection, "live.heard")
        group.create_task(keep_up(log, CODEC, feeder, MODELS, stop))
        done = await rebuild(log, CODEC, connection, MODELS[1], told.append, said=SAID)
        assert (done.comparison.changed, done.build.name) == (0, "heard_2")
        assert await rows_of(connection, "live.heard") == before
        await logged(log, story(13, ("later",)))  # the runner finds the build that is live now
        wanted = {at: end for at, end in (await ends_of(log, [MODELS[1]])).items() if end}
        while await position(connection, done.build) != wanted:
            await asyncio.sleep(0.05)
        stop.set()
    await feeder.close()
    assert [row["sample_id"] for row in await connection.fetch(
        "select sample_id from live.heard where sample_id = 'later'"
    )] == ["later"]  # fmt: skip


async def test_a_rebuild_by_other_code_names_the_rows_that_change(connection: Any) -> None:
    async with MemoryLog() as log:
        await logged(log, story(14))
        await bring_up(log, CODEC, connection, MODELS)
        model = OtherHeard()
        done = await rebuild(log, CODEC, connection, model, lambda _: None, said=SAID)
    [change] = done.comparison.examples
    assert (change.table, change.key) == ("heard", {"sample_id": "b"})
    assert (change.before, change.after) == ({"words": None}, {"words": "other words"})
    assert change.because.startswith(f"{topics.SAMPLE.name}[")
    assert done.comparison.rows == len(await connection.fetch("select from live.heard"))
    [kept] = await connection.fetch("select cut_over from gf.builds where state = 'live'"
                                    " and model = 'heard'")  # fmt: skip
    fact = json.loads(kept["cut_over"])
    assert (fact["changed_rows"], fact["model_version"], fact["person"]) == (1, 2, "somebody")


async def test_a_rehearsal_names_the_rows_that_would_change_and_leaves_nothing(
    connection: Any,
) -> None:
    async with MemoryLog() as log:
        await logged(log, story(14))
        await bring_up(log, CODEC, connection, MODELS)
        seen = await rows_of(connection, "live.heard")
        done = await rehearse(log, CODEC, connection, OtherHeard(), lambda _: None)
    [change] = done.comparison.examples
    assert (change.key, change.after) == ({"sample_id": "b"}, {"words": "other words"})
    assert await rows_of(connection, "live.heard") == seen
    states = await connection.fetch("select build, state from gf.builds order by 1")
    assert [tuple(row) for row in states] == [("audit_trail_1", "live"), ("heard_1", "live")]


async def test_a_rebuild_that_fails_leaves_what_readers_see(connection: Any) -> None:
    class Renamed(LaterHeard):
        tables = (Table("heard", RenamedRow, ("name",)),)

        def project(self, state: list[str], record: Recorded) -> Iterable[Row]:
            return [RenamedRow(record.key)]

    async with MemoryLog() as log:
        await logged(log, story(15))
        await bring_up(log, CODEC, connection, MODELS)
        before = await rows_of(connection, "live.heard")
        with pytest.raises(Refused, match="the key of heard is another one now"):
            await rebuild(log, CODEC, connection, Renamed(), lambda _: None, said=SAID)
    assert await rows_of(connection, "live.heard") == before
    states = await connection.fetch("select build, state from gf.builds order by 1")
    assert [tuple(row) for row in states] == [("audit_trail_1", "live"), ("heard_1", "live")]
