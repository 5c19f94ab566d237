"""The scenario `read-models`: runners, Postgres and the broker are killed while rows are written.

Most kills come in the middle of a batch: a lock of ours lets the runner come as far as one
statement of its transaction (the position, the rows of a table, their history) and no further. In
the end the rows have to be those of a run in which nothing was killed, and at no moment may a
position have been ahead of its rows.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import SecretStr

from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.port import EventLog
from genoflow.events.topics import PARTITIONS_EMBEDDED, TOPICS
from genoflow.projections.models import MODELS
from genoflow.projections.runner import bring_up, ends_of
from genoflow.projections.store import forget_all
from tests.faults.brokers import Cluster
from tests.faults.database import Database
from tests.faults.stage import make_topics
from tests.heard import joined
from tests.servers import cli_environment
from tests.whole.cohort import make, reported

Say = Callable[[str], None]
NAME = "read-models"
PREFIX = "rows."
RUNNERS = 2
SAMPLES_OF_A_KILL = 12  # some 55 facts are appended before each: a runner takes them at once
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.05
BUSY = """
select count(*) as waiting from pg_locks where not granted
and locktype in ('relation', 'transactionid', 'tuple') and pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often what is killed."""

    inside: int  # runners, in the middle of a transaction
    anywhere: int  # runners
    postgres: int
    broker: int
    seed: int = 1

    @property
    def kills(self) -> int:
        """All of them."""
        return self.inside + self.anywhere + self.postgres + self.broker

    def order(self) -> list[str]:
        """What is killed one after the other."""
        names = (
            ["inside"] * self.inside + ["anywhere"] * self.anywhere
            + ["postgres"] * self.postgres + ["broker"] * self.broker
        )  # fmt: skip
        random.Random(f"order {self.seed}").shuffle(names)
        return names


WHOLE = Plan(inside=26, anywhere=6, postgres=8, broker=4)
SMALL = Plan(inside=3, anywhere=1, postgres=1, broker=1)


@dataclass(slots=True)
class Runner:
    """One `genoflow project`."""

    log: Path
    process: asyncio.subprocess.Process

    @property
    def is_feeding(self) -> bool:
        """Whether it writes, and does not wait for another one."""
        text = self.log.read_text("utf-8") if self.log.exists() else ""
        said = [line for line in text.splitlines() if line.startswith("genoflow: ")]
        return bool(said) and said[-1].startswith("genoflow: feeds ")


@dataclass(slots=True)
class Snapshot:
    """Positions, and how many events stand below each, at one moment."""

    rows: list[tuple[str, int, int, int]] = field(default_factory=list)


class Stage:
    """Everything that a play is made of."""

    def __init__(self, plan: Plan, cluster: Cluster, database: Database, room: Path) -> None:
        self.plan = plan
        self.points: dict[str, int] = {}
        self.snapshots: list[Snapshot] = []
        self._cluster = cluster
        self._database = database
        self._room = room
        self._random = random.Random(f"read models {plan.seed}")
        self._runners: list[Runner] = []
        self._number = 0
        self.settings = Settings(
            home=room / "home", kafka=cluster.address, postgres=SecretStr(database.address),
            topic_prefix=PREFIX, partitions=PARTITIONS_EMBEDDED,
        )  # fmt: skip

    async def keep_runners(self) -> None:
        """Start as many as are missing, as whoever keeps processes does."""
        self._runners = [one for one in self._runners if one.process.returncode is None]
        while len(self._runners) < RUNNERS:
            self._number += 1
            log = self._room / f"runner-{self._number}.log"
            with log.open("wb") as out:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "genoflow.deploy.cli", "project",
                    env=cli_environment(self.settings), stdout=out, stderr=out,
                )  # fmt: skip
            self._runners.append(Runner(log, process))

    async def feeding(self) -> Runner:
        """The runner that writes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await self.keep_runners()
                for runner in self._runners:
                    if runner.is_feeding and runner.process.returncode is None:
                        return runner
                await asyncio.sleep(PAUSE_SECONDS)

    async def kill_inside(self, feed: Callable[[], Any]) -> None:
        """Kill the runner that writes where one statement of its transaction waits for us."""
        runner = await self.feeding()
        async with AsyncExitStack() as stack:
            connection = await asyncpg.connect(self._database.address)
            stack.push_async_callback(connection.close)
            point = self._random.choice(await self._tables(connection))
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"lock table {point} in share mode")
            await feed()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (await connection.fetchrow(BUSY))["waiting"]:
                    await asyncio.sleep(PAUSE_SECONDS)
            await _end(runner, signal.SIGKILL)
            await transaction.rollback()
        self.points[point] = self.points.get(point, 0) + 1

    async def _tables(self, connection: Any) -> list[str]:
        rows = await connection.fetch("select model, build from gf.builds where state = 'live'")
        built = {row["model"]: row["build"] for row in rows}
        return ["gf.positions"] + [
            f"{built[model.name]}.{name}"
            for model in MODELS if model.name == "audit-trail"  # every record is a row of it
            for table in model.tables
            for name in table.names
        ]  # fmt: skip

    async def kill_anywhere(self, feed: Callable[[], Any]) -> None:
        """Kill the runner that writes at any moment."""
        runner = await self.feeding()
        await feed()
        await asyncio.sleep(self._random.random() * 0.2)
        await _end(runner, signal.SIGKILL)

    async def kill_postgres(self, feed: Callable[[], Any]) -> None:
        """Kill the database while rows come, and start it again."""
        await self.feeding()
        await feed()
        await asyncio.sleep(self._random.random() * 0.1)
        await self._database.kill()
        await self._database.start()

    async def kill_broker(self, feed: Callable[[], Any]) -> None:
        """Kill the broker while rows come, and start it again."""
        await self.feeding()
        await feed()
        [broker] = self._cluster.brokers
        await self._cluster.kill(broker)
        await self._cluster.start_one(broker)

    async def look(self) -> None:
        """Note positions and rows as one reader sees them."""
        connection = await asyncpg.connect(self._database.address)
        try:
            async with connection.transaction(isolation="repeatable_read"):
                rows = await connection.fetch(
                    "select p.topic, p.partition, p.next_offset, (select count(*) from live.events "
                    "e where e.log_topic = p.topic and e.log_partition = p.partition) as count "
                    "from gf.positions p join gf.builds b using (build) "
                    "where b.model = 'audit-trail' and b.state = 'live'"
                )
        finally:
            await connection.close()
        self.snapshots.append(Snapshot([tuple(row) for row in rows]))

    async def is_behind(self, log: KafkaLog) -> bool:
        """Whether a position is below the end of the log."""
        connection = await asyncpg.connect(self._database.address)
        try:
            rows = await connection.fetch(
                "select b.model, p.topic, p.partition, p.next_offset from gf.positions p "
                "join gf.builds b using (build) where b.state = 'live'"
            )
        finally:
            await connection.close()
        place = {(r["model"], r["topic"], r["partition"]): r["next_offset"] for r in rows}
        for model in MODELS:
            for (topic, partition), end in (await ends_of(log, [model])).items():
                if place.get((model.name, topic, partition), 0) < end:
                    return True
        return False

    async def close(self) -> list[int]:
        """End the runners as an operator does; their exit codes."""
        for runner in self._runners:
            await _end(runner, signal.SIGTERM)
        return [runner.process.returncode or 0 for runner in self._runners]


async def _end(runner: Runner, number: signal.Signals) -> None:
    if runner.process.returncode is None:
        os.kill(runner.process.pid, number)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await runner.process.wait()
        except TimeoutError:
            runner.process.kill()
            raise


async def play_alone(plan: Plan, room: Path, cache: Path, say: Say) -> dict[str, Any]:
    """Play it on servers of its own, which end with it."""
    cluster, database = Cluster(room / "brokers", cache), Database(room / "database")
    try:
        await cluster.start()
        await database.start()
        return await play_read_models(plan, cluster, database, room, say)
    finally:
        await database.kill()
        await cluster.stop()


def is_as_calm(row: Mapping[str, Any]) -> bool:
    """Whether the kills left no trace in the rows."""
    return not row["positions_apart_from_rows"] and not row["tables_that_differ"]


def facts_of(plan: Plan) -> list[list[Event]]:
    """What is appended before each kill: facts of a cohort, some of them twice."""
    chance = random.Random(f"facts {plan.seed}")
    at = datetime.now(UTC)
    cohort = make(plan.seed, plan.kills * SAMPLES_OF_A_KILL, 24)
    facts: list[Event] = reported(cohort, at)
    facts += [joined(sample.name, number) for sample in cohort.samples for number in range(3)]
    facts += chance.sample(facts, len(facts) // 8)
    chance.shuffle(facts)
    return [facts[number :: plan.kills] for number in range(plan.kills)]


async def play_read_models(
    plan: Plan, cluster: Cluster, database: Database, room: Path, say: Say
) -> dict[str, Any]:
    """Play it on running servers; the row of what was found."""
    await make_topics(cluster.address, PREFIX, cluster.size)
    stage, portions = Stage(plan, cluster, database, room), facts_of(plan)
    started = time.monotonic()
    strikes = {
        "inside": stage.kill_inside, "anywhere": stage.kill_anywhere,
        "postgres": stage.kill_postgres, "broker": stage.kill_broker,
    }  # fmt: skip
    try:
        for number, what in enumerate(plan.order()):

            async def feed(events: Sequence[Event] = portions[number]) -> None:
                async with open_log(stage.settings) as log:
                    await log.append_bulk(events)

            await strikes[what](feed)
            await stage.look()
            if number % 5 == 0:
                say(f"{number + 1}/{plan.kills} kills")
        async with open_log(stage.settings) as log, asyncio.timeout(PATIENCE_SECONDS):
            while await stage.is_behind(log):
                await stage.keep_runners()
                await asyncio.sleep(PAUSE_SECONDS)
        await stage.look()
    finally:
        ends = await stage.close()
    say("all is read; the verdict")
    found = await _verdict(stage)
    return {
        "runners": RUNNERS, "read_models": len(MODELS), "seed": plan.seed, "kills": plan.kills,
        "runner_kills": plan.inside + plan.anywhere, "inside": sum(stage.points.values()),
        "points": stage.points,
        "postgres_kills": plan.postgres, "broker_kills": plan.broker, "ends": ends,
        "seconds": round(time.monotonic() - started), **found,
    }  # fmt: skip


async def _verdict(stage: Stage) -> dict[str, Any]:
    connection = await asyncpg.connect(stage.settings.postgres.get_secret_value())  # type: ignore[union-attr]
    try:
        kept = await _hashes(connection)
        async with open_log(stage.settings) as log:
            ahead = await apart(log, stage.snapshots)
            await forget_all(connection)
            records = await bring_up(log, log.codec, connection, MODELS)
        calm = await _hashes(connection)
        [rows] = await connection.fetch("select count(*) as events from live.events")
    finally:
        await connection.close()
    return {
        "records": records, "events": rows["events"], "snapshots": len(stage.snapshots),
        "positions_apart_from_rows": ahead,
        "tables_that_differ": sorted(name for name in calm if kept.get(name) != calm[name]),
    }  # fmt: skip


async def _hashes(connection: Any) -> dict[str, str]:
    found = {}
    for model in MODELS:
        for name in (name for table in model.tables for name in table.names):
            [row] = await connection.fetch(
                f"select md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) "
                f"as it from live.{name} t"
            )
            found[name] = row["it"]
    return found


async def apart(log: EventLog, snapshots: Sequence[Snapshot]) -> int:
    """How many positions have other events below them than the log has there, each once."""
    firsts: dict[tuple[str, int], list[int]] = {}
    seen: set[tuple[str, str, str]] = set()
    for topic in TOPICS:
        async for record in log.read_topic(topic.name):
            name = (record.event_id, topic.name, record.key)
            if name not in seen:
                seen.add(name)
                firsts.setdefault((topic.name, record.partition), []).append(record.offset)
    return sum(
        sum(first < offset for first in firsts.get((topic, partition), ())) != count
        for snapshot in snapshots
        for topic, partition, offset, count in snapshot.rows
    )
