"""From an append to a row that a reader sees, at a lab's pace, beside bare loops.

Events are appended one by one, 100 in a second. The clock of each runs from the return of its
append, when the broker has it, until a reader who asks Postgres for its key is given the row: one
clock, for one process appends and asks. `genoflow project` feeds all read models that ship; with a
stage between, the row is of the event that the stage answers with. Busy is the same with a second
writer whose events take the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks import stage_run
from benchmarks.contest import (
    CPU,
    P50,
    P99,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    percentile,
    row_of,
)
from benchmarks.material import Material, built
from benchmarks.servers import bench_settings, postgres
from benchmarks.stage import WARM_FRACTION
from benchmarks.stage_run import Program
from benchmarks.visible_bare import TABLES
from genoflow.deploy.settings import as_environment, inherited_environment
from genoflow.events import topics
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.partitioner import partition_of
from genoflow.projections.file_state import id_of
from genoflow.projections.models import MODELS
from genoflow.projections.store import live_build, prepare

IDLE, BUSY = "visible", "visible, busy"
THROUGH, THROUGH_BUSY = "visible, one stage", "visible, one stage, busy"
NOTHING = "visible, nothing to do"
OURS, BARE, LIMIT = "genoflow project", "bare loop", "the limit"
BARE_RELAXED = "bare loop that does not wait for the disk"
OURS_THROUGH, BARE_THROUGH = "worker, genoflow project", "bare transactional loop, bare loop"
TARGETS = {IDLE: 1.5, BUSY: None, THROUGH: 1.2, THROUGH_BUSY: None}

EVENTS_A_SECOND = 100
BUSY_AT_ONCE = 10
BUSY_SECONDS = 0.02  # 10 events each 20 ms: 500 a second beside the 100 that are timed
READY_SECONDS_MAX = 120.0  # it reads what the runs before it left, some 10,000 events
LOOK_SECONDS = 0.001  # between two looks of the reader: what the clock may be late by
PROBE_SECONDS = 0.5
IDLE_SECONDS = 5.0
CPU_MICROSECONDS_MAX = 20_000.0  # of a second in which nothing comes: 2 % of a core

COMPARISONS = (
    *(
        Comparison(path, OURS, BARE, unit=unit, target=TARGETS[path])
        for path in (IDLE, BUSY)
        for unit in (P50, P99)
    ),
    *(Comparison(IDLE, OURS, BARE_RELAXED, unit=unit) for unit in (P50, P99)),
    *(
        Comparison(path, OURS_THROUGH, BARE_THROUGH, unit=unit, target=TARGETS[path])
        for path in (THROUGH, THROUGH_BUSY)
        for unit in (P50, P99)
    ),
    Comparison(NOTHING, OURS, LIMIT, unit=CPU, target=1.0, note="of each second"),
)

_names = itertools.count(1)
KeyOf = Callable[[FileLanded], UUID]


@dataclass(frozen=True, slots=True)
class Look:
    """Where the row of an event is to be seen, and under which key."""

    query: str
    key: KeyOf


def _file_id(event: FileLanded) -> UUID:
    return id_of(topics.SAMPLE.name, event)


def _event_id(event: FileLanded) -> UUID:
    return event.envelope.event_id


FILES = Look("select file_id from live.files where file_id = any($1)", _file_id)
DELIVERIES = Look(
    "select source_event_id from live.deliveries where source_event_id = any($1)", _event_id
)
ROWS = Look("select cause from bare.rows where cause = any($1)", _event_id)


@dataclass(slots=True)
class Seen:
    """When the row of each event was first seen, by a reader who looks while any is missing."""

    connection: Any
    look: Look
    programs: Sequence[Program]
    missing: dict[UUID, UUID] = field(default_factory=dict)  # key of the row, id of the event
    at: dict[UUID, float] = field(default_factory=dict)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, event: FileLanded) -> None:
        """Look for the row of this event from here on."""
        self.missing[self.look.key(event)] = event.envelope.event_id
        self._more.set()

    async def watch(self) -> None:
        """Look for ever."""
        loop = asyncio.get_running_loop()
        statement = await self.connection.prepare(self.look.query)
        while True:
            if not self.missing:
                self._more.clear()
                await self._more.wait()
            for program in self.programs:
                program.check()
            found = await statement.fetch(list(self.missing))
            now = loop.time()
            for row in found:
                if row[0] in self.missing:
                    self.at[self.missing.pop(row[0])] = now
            if found:
                self._came.set()
            await asyncio.sleep(LOOK_SECONDS)

    async def all(self, seconds: float) -> bool:
        """Whether nothing is missing within this time."""
        try:
            async with asyncio.timeout(seconds):
                while self.missing:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Paced:
    """The contestants: each is started, asked until its rows are seen, and then timed."""

    log: KafkaLog
    material: Material
    address: str
    idle: list[float]  # µs of CPU a second, run by run

    async def run(self, look: Look, programs: Sequence[Program], *, busy: bool) -> Figures:
        """The figures of these programs, which are running."""
        connection = await asyncpg.connect(self.address)
        seen = Seen(connection, look, programs)
        watching = asyncio.create_task(seen.watch())
        pacing = asyncio.create_task(self._paced(seen, busy=busy))
        try:
            await asyncio.wait((watching, pacing), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            taken = await pacing
        finally:
            watching.cancel()
            pacing.cancel()
            await asyncio.gather(watching, pacing, return_exceptions=True)
            await connection.close()
        return {P50: percentile(taken, 0.5), P99: percentile(taken, 0.99)}

    def _named(self, name: str) -> list[FileLanded]:
        """The events of the material as ones that nobody has seen."""
        return [
            built({**fields, "version_id": f"{name}-{number}"})
            for number, fields in enumerate(self.material.fields)
        ]

    async def _paced(self, seen: Seen, *, busy: bool) -> list[float]:
        name = f"v{next(_names)}"
        await self._until_ready(seen, name)
        events = self._named(name)
        loading = asyncio.create_task(self._load(name)) if busy else None
        loop = asyncio.get_running_loop()
        sent: dict[UUID, float] = {}
        began = loop.time()
        try:
            for number, event in enumerate(events):
                await asyncio.sleep(max(0.0, began + number / EVENTS_A_SECOND - loop.time()))
                await self.log.append(event)
                sent[event.envelope.event_id] = loop.time()
                seen.expect(event)
            if not await seen.all(stage_run.SILENT_SECONDS_MAX):
                raise AssertionError(f"{name}: {len(seen.missing)} rows were not seen")
        finally:
            if loading is not None:
                loading.cancel()
                await asyncio.gather(loading, return_exceptions=True)
        warm = list(sent.items())[int(len(sent) * WARM_FRACTION) :]
        return sorted((seen.at[event_id] - at) * 1_000 for event_id, at in warm)

    async def _load(self, name: str) -> None:
        fields = itertools.cycle(self.material.fields)
        for turn in itertools.count():
            some = [
                built({**next(fields), "version_id": f"{name}-load-{turn}-{number}"})
                for number in range(BUSY_AT_ONCE)
            ]
            await self.log.append_bulk(some)
            await asyncio.sleep(BUSY_SECONDS)

    async def _until_ready(self, seen: Seen, name: str) -> None:
        """One event for each partition, again and again until all of a turn are seen."""
        for turn in range(int(READY_SECONDS_MAX / PROBE_SECONDS)):
            probes = {}
            for fields in self.material.fields:
                number = partition_of(fields["sample_id"].encode(), stage_run.PARTITIONS)
                probes[number] = built({**fields, "version_id": f"{name}-probe-{turn}"})
                if len(probes) == stage_run.PARTITIONS:
                    break
            seen.missing.clear()  # an answer that comes late is none that a turn waits for
            for probe in probes.values():
                await self.log.append(probe)
                seen.expect(probe)
            if await seen.all(PROBE_SECONDS):
                return
        raise AssertionError(f"{name}: no row is seen; run it by hand and see what it says")

    @contextlib.asynccontextmanager
    async def _project(self) -> AsyncIterator[Program]:
        command = [str(Path(sys.executable).with_name("genoflow")), "project"]
        with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
            settings = bench_settings(Path(home)).model_copy(
                update={
                    "kafka": self.log.address,
                    "postgres": self.address,
                    "topic_prefix": self.log.wire_name(""),
                    "partitions": stage_run.PARTITIONS,
                }
            )
            environment = inherited_environment() | as_environment(settings)
            async with stage_run.serving(OURS, command, environment) as program:
                yield program

    def _bare(
        self, side: str, address: str | None = None
    ) -> contextlib.AbstractAsyncContextManager[Program]:
        address = address or self.address
        command = [sys.executable, "-m", "benchmarks.visible_bare", address, side]
        return stage_run.running(self.log, BARE, command, kindly=False)

    async def ours(self, *, busy: bool) -> Figures:
        """What ships, and what it takes while nothing comes."""
        async with self._project() as program:
            figures = await self.run(FILES, (program,), busy=busy)
            if not busy:
                before = cpu_seconds(program.process.pid)
                await asyncio.sleep(IDLE_SECONDS)
                spent = cpu_seconds(program.process.pid) - before
                self.idle.append(spent / IDLE_SECONDS * 1_000_000)
        return figures

    async def bare(self, *, busy: bool) -> Figures:
        """Anchor: a loop over two libraries."""
        async with self._bare("source") as program:
            return await self.run(ROWS, (program,), busy=busy)

    async def bare_relaxed(self, *, busy: bool) -> Figures:
        """The same, which is told at once that it is written, as ours is."""
        mark = "&" if "?" in self.address else "?"
        address = f"{self.address}{mark}synchronous_commit=off"
        async with self._bare("source", address) as program:
            return await self.run(ROWS, (program,), busy=busy)

    async def ours_through(self, *, busy: bool) -> Figures:
        """What ships, behind the worker with a stage."""
        name = stage_run.new_name("seen")
        async with stage_run.ours(self.log, name) as stage, self._project() as program:
            return await self.run(DELIVERIES, (stage, program), busy=busy)

    async def bare_through(self, *, busy: bool) -> Figures:
        """Anchor: the loop of aiokafka's manual, then the bare loop."""
        name = stage_run.new_name("seen-bare")
        async with stage_run.bare(self.log, name) as stage, self._bare("target") as program:
            return await self.run(ROWS, (stage, program), busy=busy)


def cpu_seconds(process: int) -> float:
    """How long a process has had a core; of a machine that tells it as Linux does."""
    after_name = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    user, system = after_name.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Let them take turns at the same pace, idle and busy, alone and behind a stage."""
    best: dict[str, dict[str, Figures]] = {}
    idle: list[float] = []
    for path, busy in ((IDLE, False), (BUSY, True)):
        async with prepared(log, material, path, idle) as paced:
            pair = {OURS: paced.ours, BARE: paced.bare}
            if path == IDLE:
                pair[BARE_RELAXED] = paced.bare_relaxed
            best[path] = await _in_turn(pair, rounds, busy=busy)
    for path, busy in ((THROUGH, False), (THROUGH_BUSY, True)):
        async with prepared(log, material, path, idle) as paced:
            pair = {OURS_THROUGH: paced.ours_through, BARE_THROUGH: paced.bare_through}
            best[path] = await _in_turn(pair, rounds, busy=busy)
    best[NOTHING] = {OURS: {CPU: min(idle)}, LIMIT: {CPU: CPU_MICROSECONDS_MAX}}
    return [row_of(comparison, best[comparison.path]) for comparison in COMPARISONS]


@contextlib.asynccontextmanager
async def prepared(
    log: KafkaLog, material: Material, path: str, idle: list[float]
) -> AsyncIterator[Paced]:
    """A log and a database of its own for each path, so that none begins with what another left."""
    prefix = log.wire_name(path.replace(", ", "-").replace(" ", "-")) + "."
    async with (
        KafkaLog(log.address, prefix=prefix, partitions=stage_run.PARTITIONS) as own,
        postgres() as address,
    ):
        async with TopicAdmin(own, partitions=stage_run.PARTITIONS) as admin:
            await admin.apply(topics.TOPICS)
        await stage_run.create(own, ())
        await _tables(address)
        yield Paced(own, material, address, idle)


async def _in_turn(
    pair: dict[str, Callable[..., Any]], rounds: int, *, busy: bool
) -> dict[str, Figures]:
    def contestant(name: str) -> Contestant:
        return Contestant(name, lambda: pair[name](busy=busy))

    return await compete([contestant(name) for name in pair], rounds, warm=False)


async def _tables(address: str) -> None:
    """What the reader looks at is there before its programs are."""
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(TABLES)
        await prepare(connection)
        for model in MODELS:
            await live_build(connection, model)
    finally:
        await connection.close()
