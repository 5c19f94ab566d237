"""What the tests of backups share: a stack to break, a log to lose, eyes to compare."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from genoflow.deploy.backup.broker import Broker
from genoflow.deploy.backup.manifest import Segment
from genoflow.deploy.backup.vault import Vault
from genoflow.deploy.local import stack as local_stack
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log, open_s3, topic_admin
from genoflow.events import topics
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.changelog import POSITION_KEY, position_of
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw
from genoflow.events.subscribe import Subscription
from tests import warm
from tests.contracts.logs import landed
from tests.servers import cli_environment, embedded_settings

NAMES = ("kafka", "postgres", "s3")
SAMPLE = topics.SAMPLE
CHANGELOG = topics.changelog_of("check-qc", SAMPLE)
COMMAND_SECONDS_MAX = 90
SUBJECTS = tuple(f"S{n}" for n in range(12))
Row = tuple[int, bytes | None, bytes | None, Sequence[tuple[str, bytes | None]], int]
Rows = list[Row]


class Held(NamedTuple):
    """Everything that a deployment holds, with the offsets that it has."""

    topics: dict[str, Rows]
    offsets: dict[tuple[str, int], list[int]]


class Lab:
    """A stack that the tests of this file may break; it cannot outlive this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._hold = -1

    def start(self) -> None:
        tether, self._hold = os.pipe()
        try:
            local_stack.up(self.settings, NAMES, tether=tether)
        finally:
            os.close(tether)

    def stop(self) -> None:
        os.close(self._hold)
        local_stack.down(self.settings)


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """A lab for the length of the block."""
    found = Lab(embedded_settings(home))
    found.start()
    try:
        yield found
    finally:
        found.stop()


def of_its_own(lab: Lab, suffix: str) -> Settings:
    """A deployment and a bucket of a test's own in the lab."""
    changes = {"topic_prefix": f"t{suffix}.", "backup_bucket": f"backup-{suffix}"}
    return lab.settings.model_copy(update=changes)


def genoflow(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return warm.command(words, env=cli_environment(settings), timeout=COMMAND_SECONDS_MAX)


def succeeds(settings: Settings, *words: str) -> str:
    done = genoflow(settings, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def fails(settings: Settings, *words: str) -> str:
    done = genoflow(settings, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def killed_after(settings: Settings, word: str, *words: str) -> None:
    """Run a command and kill it when a line begins with this word."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "genoflow.deploy.cli", *words],
        env=cli_environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            if line.startswith(word):
                process.send_signal(signal.SIGKILL)
                break
    assert process.wait(COMMAND_SECONDS_MAX) == -signal.SIGKILL


async def create(settings: Settings) -> None:
    async with open_log(settings) as log, topic_admin(settings, log) as admin:
        await admin.apply((*topics.TOPICS, CHANGELOG))


async def add(settings: Settings, first: int, count: int = 60) -> None:
    async with open_log(settings) as log:
        await log.append_bulk(landed(SUBJECTS[n % 12], n) for n in range(first, first + count))


async def fill(settings: Settings) -> None:
    """All that can stand on a log: sealed, foreign, in transactions, with state and readers."""
    await create(settings)
    await add(settings, 0)
    async with open_log(settings) as log:
        for n in range(60, 72):
            await log.append_atomically([landed("S1", n), landed("S2", n)])
        value, headers = log.codec.encode(landed("S3", 80))
        foreign = [
            Raw(b"S3", value, (), 0),
            Raw(b"S3", None, (("why", b"gone"),), 0),
            Raw(b"S3", b"no event", (*headers, ("x", b"1"), ("x", b"")), 0),
        ]
        await log.append_raw(topics.CASE.name, partition_of(b"S3", 4), foreign)
        nameless = [Raw(None, None, (), 0), Raw(None, b"", (("null", None),), 0)]
        await log.append_raw(topics.CASE.name, partition_of(b"", 4), nameless)
        await work(log)
        await log.append_bulk(landed(SUBJECTS[n % 12], n) for n in range(90, 120))
        async with Subscription(log, name="lims", types=(FileLanded,), subjects=("S1",)) as reader:
            await taken(reader, 7)


async def work(log: KafkaLog) -> None:
    """A task that has decided a part of its input, and whose own events leave gaps there."""
    partition = partition_of(b"S1", 4)
    task = log.task("check-qc", SAMPLE, partition)
    await task.fence()
    for n in range(3):
        position = (await log.ends(SAMPLE.name))[SAMPLE.name, partition]
        await task.commit([landed("S1", 200 + n)], {b"state": str(n).encode()}, position)
    await task.close()


async def taken(reader: Subscription[FileLanded], count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(30):
        async for delivery in reader:
            found.append(delivery.event.size_bytes)
            delivery.ack()
            if len(found) == count:
                break
    return found


async def held(settings: Settings) -> Held:
    found = Held({}, {})
    async with open_log(settings, restoring=True) as log, Broker(log) as broker:
        for topic in (*topics.TOPICS, CHANGELOG):
            rows: Rows = found.topics.setdefault(topic.name, [])
            starts, ends = await log.starts(topic.name), await log.ends(topic.name)
            for place, end in ends.items():
                offsets = found.offsets.setdefault(place, [])
                async for record in broker.records(*place, starts[place], end):
                    offsets.append(record.offset)
                    rows.append((place[1], *record[4:], record.recorded_at_ms))
    return found


async def lose(settings: Settings) -> None:
    """Delete every topic of a deployment, as if its broker had lost them."""
    async with open_log(settings, restoring=True) as log, Broker(log) as broker:
        names = [log.wire_name(name) for name in await log.topics()]
        await broker._admin.delete_topics(names)
        async with asyncio.timeout(20):
            while await log.topics():
                await asyncio.sleep(0.05)


def without_position(rows: Rows) -> Rows:
    return [(*row[:2], None, *row[3:]) if row[1] == POSITION_KEY else row for row in rows]


def positions(rows: Rows) -> list[int]:
    return [position_of(row[2] or b"") for row in rows if row[1] == POSITION_KEY]


def same_but_moved(before: Held, after: Held) -> None:
    """Every byte, header and time is there, in order, and positions point to the same records."""
    for topic in topics.TOPICS:
        assert after.topics[topic.name] == before.topics[topic.name]
    old, new = before.topics[CHANGELOG.name], after.topics[CHANGELOG.name]
    assert without_position(new) == without_position(old)
    assert all(offsets == list(range(len(offsets))) for offsets in after.offsets.values())
    place = (SAMPLE.name, partition_of(b"S1", 4))
    for was, is_now in zip(positions(old), positions(new), strict=True):
        assert is_now == sum(offset < was for offset in before.offsets[place])
        assert is_now < was  # transactions had left gaps: the translation was needed


def segments_of(settings: Settings) -> list[Segment]:
    client = open_s3(settings)
    vault = Vault(client, settings.backup_bucket, timedelta(days=1))
    [keys] = vault.manifest_keys(settings.topic_prefix).values()
    found = [segment for _, _, segment in vault.manifest(keys[-1]).segments()]
    client.close()
    return found
