"""The watchtower beside a bare Faust agent, and a processor's latency with and without the tower.

Both read the same records of a lab from the beginning, each as a program of its own. How far one is
stands in its changelog, with the broker's stamp: the tower writes its places there, the agent one
value for each record. The first tenth is not in the rate: programs get warm, and groups join.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import stage_run
from benchmarks.contest import (
    P50,
    P99,
    RATE,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    row_of,
)
from benchmarks.material import Material
from benchmarks.stage import OURS, WARM_FRACTION
from benchmarks.stage_latency import Paced
from benchmarks.stage_run import PARTITIONS, SILENT_SECONDS_MAX, Program
from benchmarks.tower_agent import TABLE, Errand
from genoflow.deploy.settings import Settings, as_environment, inherited_environment, read_settings
from genoflow.deploy.tower_shown import read_changelog
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.kept import Key, Reached, read_key, read_value
from tests.spec import heard
from tests.tower_histories import lab
from tests.tower_rules import FAILURES, HELD, LATE, rules

TOWER = "the tower"
AGENT = "bare Faust agent with a table"
BESIDE = f"{OURS}, beside the tower"
SOURCES = (topics.RUN, topics.SAMPLE)
EVENTS_EACH = 17  # of a run and a sample together, about
LOOK_SECONDS = 0.2
COMPARISONS = (
    Comparison("tower", TOWER, AGENT, target=0.5, note="15 stages, panes, quantiles; committed"),
)
COMPARISONS_BESIDE = (
    Comparison("tower, 100 events/s", BESIDE, OURS, unit=P50, target=1.2),
    Comparison("tower, 100 events/s", BESIDE, OURS, unit=P99, target=1.2),
)
Far = Callable[[Recorded], int]


@contextlib.asynccontextmanager
async def tower(log: KafkaLog, name: str) -> AsyncIterator[Program]:
    """`genoflow tower` over the topics of this log."""
    with tempfile.TemporaryDirectory(prefix="genoflow-tower-") as folder:
        settings = Settings(
            home=Path(folder), cache=read_settings().cache, kafka=log.address, postgres=None,
            s3=None, registry=None, topic_prefix=log.wire_name(""), partitions=PARTITIONS,
        )  # fmt: skip
        command = [str(Path(sys.executable).with_name("genoflow")), "tower", "--once"]
        environment = inherited_environment() | as_environment(settings)
        async with stage_run.serving(name, command, environment) as program:
            yield program


@contextlib.asynccontextmanager
async def agent(log: KafkaLog, name: str) -> AsyncIterator[Program]:
    """The bare agent over the same two topics that are written."""
    with tempfile.TemporaryDirectory(prefix="genoflow-agent-") as folder:
        sources = tuple(log.wire_name(topic.name) for topic in SOURCES)
        told = Errand(log.address, name, sources, PARTITIONS, str(Path(folder) / "state"))
        path = Path(folder) / "errand.json"
        path.write_text(json.dumps(asdict(told)), encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.tower_agent", str(path)]
        async with stage_run.serving(name, command, inherited_environment()) as program:
            yield program


class Places:
    """How far a tower is: the sum of the places that it has written."""

    def __init__(self) -> None:
        self._reached: dict[Key, int] = {}

    def far(self, record: Recorded) -> int:
        """Records that are folded by now."""
        key = read_key(record.key_bytes or b"")
        if key.kind == "place" and record.value is not None:
            reached = read_value(key, record.value)
            assert isinstance(reached, Reached)
            self._reached[key] = reached.at + 1
        return sum(self._reached.values())


def writes() -> Far:
    """How far the agent is: it writes once for each record."""
    numbers = itertools.count(1)
    return lambda _: next(numbers)


async def rate(log: KafkaLog, topic: str, far: Far, wanted: int, program: Program) -> float:
    """Records a second behind the first tenth, by the stamps of what the program writes."""
    loop = asyncio.get_running_loop()
    since, count = loop.time(), 0
    first: tuple[int, int] | None = None
    places = dict.fromkeys(await log.ends(topic), 0)
    async with await log.reader(places) as reader:
        while True:
            for record in await reader.poll(LOOK_SECONDS):
                now = far(record)
                if now > count:
                    since, count = loop.time(), now
                if first is None and count >= wanted * WARM_FRACTION:
                    first = record.timestamp_ms, count
                if first is not None and count >= wanted:
                    seconds = max(record.timestamp_ms - first[0], 1) / 1_000
                    return (count - first[1]) / seconds
            program.check()
            if loop.time() - since > SILENT_SECONDS_MAX:
                raise AssertionError(
                    f"{program.name}: {count:,} of {wanted:,} records, and none for "
                    f"{SILENT_SECONDS_MAX:g} s: {program.said.read_text(encoding='utf-8')[-2_000:]}"
                )


async def until_kept(log: KafkaLog, before: int, program: Program) -> None:
    """Wait until a new tower has read all that there is: how it begins is not what is measured."""
    ends = await log.ends(stage_run.SOURCE.name)
    async with asyncio.timeout(SILENT_SECONDS_MAX):
        while True:
            program.check()
            found = await read_changelog(log)
            reached = {
                (key.topic, key.partition): value.at + 1
                for key, value in found.values()
                if isinstance(value, Reached)
            }
            if found.newest > before and all(reached.get(at, 0) >= end for at, end in ends.items()):
                return
            await asyncio.sleep(LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Counted:
    """The contestants of the throughput, each over records of its own."""

    address: str
    pairs: int  # of a run and a sample

    @contextlib.asynccontextmanager
    async def _lab(self, name: str) -> AsyncIterator[tuple[KafkaLog, int]]:
        events = lab(seed=1, runs=self.pairs, samples=self.pairs)
        async with KafkaLog(self.address, prefix=f"{name}.", partitions=PARTITIONS) as log:
            async with TopicAdmin(log, partitions=PARTITIONS) as admin:
                await admin.apply((*topics.TOPICS, topics.TOWER))
            await log.append_bulk(events)
            yield log, len(events)

    async def tower(self) -> Figures:
        """What ships."""
        name = stage_run.new_name("tower")
        async with self._lab(name) as (log, wanted), tower(log, name) as program:
            return {RATE: await rate(log, topics.TOWER.name, Places().far, wanted, program)}

    async def agent(self) -> Figures:
        """Anchor: what Faust's manual leads to."""
        name = stage_run.new_name("agent")
        async with (
            self._lab(name) as (log, wanted),
            KafkaLog(self.address, partitions=PARTITIONS) as wire,
        ):
            changelog = await stage_run.create_changelog(log, name, TABLE)
            async with agent(log, name) as program:
                return {RATE: await rate(wire, changelog.name, writes(), wanted, program)}


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Let them take turns; of the material only its number counts."""
    counted = Counted(log.address, max(1, len(material.events) // EVENTS_EACH))
    contestants = (Contestant(TOWER, counted.tower), Contestant(AGENT, counted.agent))
    best = await compete(contestants, rounds, warm=False)
    return [row_of(comparison, best) for comparison in COMPARISONS]


async def measure_beside(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Time a processor alone, then on a log that the tower watches, in turn."""
    await stage_run.create(log, (*topics.TOPICS, topics.TOWER))
    await log.append(heard(rules(LATE, FAILURES, HELD)))
    paced = Paced(log, material)

    @contextlib.asynccontextmanager
    async def watched(there: KafkaLog, name: str) -> AsyncIterator[Program]:
        before = (await read_changelog(there)).newest
        async with tower(there, f"tower of {name}") as other:
            await until_kept(there, before, other)
            async with stage_run.ours(there, name) as program:
                yield program
            other.check()

    async def beside() -> Figures:
        return await paced.timed("beside", watched)

    best = await compete(
        (Contestant(OURS, paced.ours), Contestant(BESIDE, beside)), rounds, warm=False
    )
    return [row_of(comparison, best) for comparison in COMPARISONS_BESIDE]
