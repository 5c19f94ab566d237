"""One run of a stage: a program of its own, and a bystander who times what it writes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, TopicPartition

from benchmarks.stage_row import row
from genoflow.events import topics
from genoflow.events.codec import PREFIX
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.registry import released
from genoflow.events.topics import Retention, Topic

ROOT = Path(__file__).resolve().parents[1]
ANCHORS = ROOT / ".venv-anchors" / "bin" / "python"  # tools/anchors.py makes it
PARTITIONS = topics.PARTITIONS_EMBEDDED
SOURCE, TARGET = topics.SAMPLE, topics.NOTIFICATION
LOOK_SECONDS = 0.1  # how often the bystander looks: it takes no part of the cores in between
SILENT_SECONDS_MAX = 60.0  # a group of any contestant is together within 10 s
END_SECONDS = 10.0  # a worker ends its transactions within one
_runs = itertools.count(1)


@dataclass(slots=True)
class Seen:
    """What a run wrote: when each answer was appended, in ms, and how many have which cause."""

    appended_ms: list[int] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)


class Bystander:
    """Reads what was committed to the target since it was opened, with librdkafka."""

    def __init__(self, log: KafkaLog, ends: dict[int, int], *, keep: bool) -> None:
        self.count = 0
        self._keep = keep
        self._consumer = Consumer(
            {
                "bootstrap.servers": log.address,
                "group.id": "bystander",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        name = log.wire_name(TARGET.name)
        self._consumer.assign([TopicPartition(name, p, o) for p, o in ends.items()])
        self.seen = Seen()

    def look(self, seconds: float) -> int:
        """Take what is there, wait so long for the first; how many were seen in all."""
        while found := self._consumer.consume(10_000, seconds):
            for message in found:
                if message.error() is not None:
                    raise RuntimeError(str(message.error()))
                if self._keep:
                    self.seen.appended_ms.append(message.timestamp()[1])
                    self.seen.values.append(message.value() or b"")
            self.count += len(found)
            seconds = 0.0
        return self.count

    def close(self) -> None:
        """Leave."""
        self._consumer.close()


@contextlib.asynccontextmanager
async def bystander(log: KafkaLog, *, keep: bool = True) -> AsyncIterator[Bystander]:
    """A bystander at the end of the target, who keeps what it sees or counts only."""
    ends = {place[1]: offset for place, offset in (await log.ends(TARGET.name)).items()}
    opened = Bystander(log, ends, keep=keep)
    try:
        yield opened
    finally:
        opened.close()


@dataclass(frozen=True, slots=True)
class Program:
    """A contestant's program, running."""

    name: str
    process: subprocess.Popen[bytes]
    said: Path

    def check(self) -> None:
        """Fail if it has ended."""
        if self.process.poll() is not None:
            raise AssertionError(
                f"{self.name}: ended with {self.process.returncode}: "
                f"{self.said.read_text(encoding='utf-8')[-2_000:]}"
            )

    def end(self, *, kindly: bool) -> None:
        """End it and wait for it; kindly is SIGTERM and time to leave."""
        with contextlib.suppress(ProcessLookupError):
            if kindly:
                self.process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(END_SECONDS)
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


Running = Callable[[KafkaLog, str], contextlib.AbstractAsyncContextManager[Program]]


def new_name(kind: str) -> str:
    """A name that no run had before: groups, changelogs and transactions are its own."""
    return f"{kind}-{next(_runs)}"


async def create(log: KafkaLog, extra: Sequence[Topic]) -> None:
    """The topics of the stage."""
    async with TopicAdmin(log, partitions=PARTITIONS) as admin:
        await admin.apply((SOURCE, TARGET, topics.WORKERS, *extra))


@contextlib.asynccontextmanager
async def running(
    log: KafkaLog, name: str, command: Sequence[str], *, kindly: bool
) -> AsyncIterator[Program]:
    """A program of its own, ended and gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="genoflow-stage-") as folder:
        said = Path(folder) / "said"
        program = list(command)
        if not kindly:
            program.append(str(_errand(log, name, Path(folder))))
        started = Program(name, _spawned(program, said), said)
        try:
            yield started
        finally:
            await asyncio.to_thread(started.end, kindly=kindly)


@contextlib.asynccontextmanager
async def serving(
    name: str, command: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[Program]:
    """A server of its own in this environment, ended and gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="genoflow-serving-") as folder:
        said = Path(folder) / "said"
        started = Program(name, _spawned(command, said, environment), said)
        try:
            yield started
        finally:
            await asyncio.to_thread(started.end, kindly=True)


def _spawned(
    command: Sequence[str], said: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    with said.open("wb") as out:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env=environment,
        )  # fmt: skip


def _errand(log: KafkaLog, name: str, folder: Path) -> Path:
    registry = released()
    source, target = (registry.current(e.type()) for e in (FileLanded, NotificationQueued))
    path = folder / "errand.json"
    told = {
        "address": log.address,
        "name": name,
        "source": log.wire_name(SOURCE.name),
        "target": log.wire_name(TARGET.name),
        "partitions": PARTITIONS,
        "folder": str(folder / "state"),
        "source_schema": source.text,
        "target_schema": target.text,
        "target_prefix": PREFIX.pack(0, target.id).hex(),
    }
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


@contextlib.asynccontextmanager
async def ours(log: KafkaLog, name: str) -> AsyncIterator[Program]:
    """The worker that ships, with the stage as its processor."""
    await create(log, (row(name).changelog,))
    prefix = log.wire_name("")
    command = [sys.executable, "-m", "benchmarks.stage_worker", log.address, prefix, name]
    async with running(log, name, command, kindly=True) as program:
        yield program


@contextlib.asynccontextmanager
async def bare(log: KafkaLog, name: str) -> AsyncIterator[Program]:
    """The bare transactional loop."""
    command = [sys.executable, "-m", "benchmarks.stage_bare"]
    async with running(log, name, command, kindly=False) as program:
        yield program


def _anchor(module: str) -> list[str]:
    if not ANCHORS.exists():
        raise AssertionError(
            f"{module}: its installation is missing; run `make bench`, which makes it, or "
            f"`.venv/bin/python tools/anchors.py`"
        )
    return [str(ANCHORS), "-m", module]


@contextlib.asynccontextmanager
async def quix(log: KafkaLog, name: str) -> AsyncIterator[Program]:
    """Quix Streams."""
    command = _anchor("benchmarks.stage_quix")
    async with running(log, name, command, kindly=False) as program:
        yield program


async def create_changelog(log: KafkaLog, name: str, table: str) -> Topic:
    """Make the changelog of a Faust table, with the name that Faust gives it."""
    changelog = Topic(f"{name}-{table}-changelog", "its key", "", Retention.LATEST_PER_KEY)
    wire = KafkaLog(log.address, partitions=None)  # it knows of no prefix
    async with wire, TopicAdmin(wire, partitions=PARTITIONS) as admin:
        await admin.apply((changelog,))
    return changelog


@contextlib.asynccontextmanager
async def faust(log: KafkaLog, name: str) -> AsyncIterator[Program]:
    """A Faust agent; its changelog is made for it."""
    await create_changelog(log, name, "landed")
    command = _anchor("benchmarks.stage_faust")
    async with running(log, name, command, kindly=False) as program:
        yield program


async def watch(
    watched: Bystander,
    program: Program,
    wanted: int,
    each: Callable[[int], None] | None = None,
) -> Seen:
    """Look on until so many answers were seen; fail where nothing comes any more."""
    loop = asyncio.get_running_loop()
    count, since = 0, loop.time()
    while count < wanted:
        await asyncio.sleep(LOOK_SECONDS)
        program.check()
        now = await asyncio.to_thread(watched.look, 0.0)
        if each is not None:
            each(now)
        if now > count:
            count, since = now, loop.time()
        elif loop.time() - since > SILENT_SECONDS_MAX:
            raise AssertionError(
                f"{program.name}: {count:,} of {wanted:,} answers, and none for "
                f"{SILENT_SECONDS_MAX:g} s: {program.said.read_text(encoding='utf-8')[-2_000:]}"
            )
    return watched.seen


def causes(values: Sequence[bytes]) -> list[str]:
    """The id of the event that each answer follows from."""
    schema: Any = released().current(NotificationQueued.type()).parsed
    found = []
    for value in values:
        buffer = io.BytesIO(value)
        buffer.seek(PREFIX.size)
        read: Any = fastavro.schemaless_reader(buffer, schema, None)
        found.append(str(read["envelope"]["causation_id"]))
    return found
