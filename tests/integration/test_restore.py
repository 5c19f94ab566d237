"""The restore drill, and every way in which a restore can be cut short or led astray."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from genoflow.deploy.backup.broker import Broker
from genoflow.deploy.backup.manifest import Segment
from genoflow.deploy.backup.restore import Target, restore
from genoflow.deploy.backup.vault import Vault
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import (
    every_topic,
    open_log,
    open_s3,
    topic_admin,
)
from genoflow.events.errors import Retry
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw
from genoflow.events.subscribe import Subscription
from tests.contracts.logs import landed
from tests.integration.lab import (
    CHANGELOG,
    SAMPLE,
    Held,
    Lab,
    add,
    create,
    fails,
    fill,
    held,
    killed_after,
    lose,
    of_its_own,
    running_lab,
    same_but_moved,
    segments_of,
    succeeds,
    taken,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The running stack."""
    with running_lab(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture
def mine(lab: Lab, suffix: str) -> Settings:
    """A deployment and a bucket of a test's own on that stack."""
    return of_its_own(lab, suffix)


@pytest.fixture
def sealed(mine: Settings) -> Settings:
    """A deployment that was sealed and then lost."""
    asyncio.run(fill(mine))
    succeeds(mine, "backup")
    asyncio.run(lose(mine))
    return mine


# -- the drill


@pytest.mark.long
def test_every_broker_file_is_lost_and_every_byte_comes_back(lab: Lab, tmp_path: Path) -> None:
    settings = lab.settings.model_copy(update={"backup_bucket": "drill"})
    asyncio.run(fill(settings))
    before = asyncio.run(held(settings))
    assert len(before.topics[SAMPLE.name]) > 100
    succeeds(settings, "backup")
    lab.stop()
    shutil.rmtree(settings.home / "kafka")
    lab.start()
    assert "is missing" in fails(settings, "events", "tail", "--no-follow")
    succeeds(settings, "topics", "apply")
    succeeds(settings, "backup")  # a timetable seals the empty broker: it must not win
    out = succeeds(settings, "restore", "--map", str(tmp_path / "map.json"))
    assert "read models are built anew" in out
    same_but_moved(before, asyncio.run(held(settings)))
    check_map(tmp_path / "map.json", before)
    asyncio.run(goes_on(settings))
    succeeds(settings, "topics", "check")
    succeeds(settings, "backup")
    assert "all as they were sealed" in succeeds(settings, "backup", "verify")


def check_map(path: Path, before: Held) -> None:
    found = json.loads(path.read_bytes())["topics"]
    for (topic, partition), offsets in before.offsets.items():
        pairs = [
            (old + n, new + n)
            for old, new, count in found[topic][str(partition)]
            for n in range(count)
        ]
        assert pairs == list(zip(offsets, range(len(offsets)), strict=True))


async def goes_on(settings: Settings) -> None:
    """The reader and the task go on where they were, and new records get the log's time."""
    async with open_log(settings) as log:
        of_s1 = [r async for r in log.read_topic(SAMPLE.name) if r.key == "S1" and r.value]
        sizes = list(dict.fromkeys(record.event.payload()["size_bytes"] for record in of_s1))
        async with Subscription(log, name="lims", types=(FileLanded,), subjects=("S1",)) as reader:
            assert await taken(reader, 5) == sizes[7:12]
        task = log.task("check-qc", SAMPLE, partition_of(b"S1", 4))
        await task.fence()
        state, position = await task.restore()
        assert state == {b"state": b"2"}
        assert of_s1[0].partition == partition_of(b"S1", 4)
        assert position is not None
        await task.close()
        before = datetime.now(UTC) - timedelta(seconds=5)
        await log.append(landed("S1", 900))
        [*_, last] = [r async for r in log.read_topic(SAMPLE.name) if r.key == "S1"]
        assert last.recorded_at > before


# -- restoring


@pytest.mark.long
def test_a_broker_that_holds_records_is_refused(mine: Settings) -> None:
    asyncio.run(fill(mine))
    succeeds(mine, "backup")
    before = asyncio.run(held(mine))
    said = fails(mine, "restore")
    assert "holds records; a backup is restored into an empty broker only" in said
    assert asyncio.run(held(mine)) == before
    succeeds(mine, "events", "tail", "--no-follow", "--last", "1")


def test_topics_that_are_there_and_empty_take_the_old_times(sealed: Settings) -> None:
    asyncio.run(create(sealed))
    before_restore = datetime.now(UTC)
    succeeds(sealed, "restore")
    rows = asyncio.run(held(sealed)).topics[SAMPLE.name]
    assert len(rows) > 100
    assert all(row[4] < before_restore.timestamp() * 1000 for row in rows)
    succeeds(sealed, "topics", "check")


@pytest.mark.long
def test_a_restore_that_was_killed_passes_for_nothing_and_goes_on(mine: Settings) -> None:
    asyncio.run(fill(mine))
    before = asyncio.run(held(mine))
    succeeds(mine, "backup")
    asyncio.run(add(mine, 500, 1))
    succeeds(mine, "backup")
    first, second = [line.split()[0] for line in succeeds(mine, "backup", "list").splitlines()]
    asyncio.run(lose(mine))
    killed_after(mine, "restored", "restore", "--manifest", first)
    for words in (("events", "tail", "--no-follow"), ("backup",), ("topics", "check")):
        assert "holds a part of a backup only" in fails(mine, *words)
    assert f"holds a part of {first}" in fails(mine, "restore", "--manifest", second)
    succeeds(mine, "restore", "--manifest", first)
    same_but_moved(before, asyncio.run(held(mine)))
    succeeds(mine, "topics", "check")


class Failing(Vault):
    """A vault whose store stops answering after some segments."""

    left = 0

    def open(self, segment: Segment) -> bytes:
        """The bytes of a segment, as long as the store answers."""
        self.left -= 1
        if self.left < 0:
            raise Retry("the object store does not answer")
        return super().open(segment)


async def attempt(settings: Settings, segments: int) -> None:
    client = open_s3(settings)
    vault = Failing(client, settings.backup_bucket, timedelta(days=1))
    vault.left = segments
    [keys] = vault.manifest_keys(settings.topic_prefix).values()
    async with (
        open_log(settings, restoring=True) as log,
        topic_admin(settings, log) as admin,
        Broker(log) as broker,
    ):
        target = Target(broker, admin, vault, lambda _: None)
        await restore(target, vault.manifest(keys[-1]), drop_read_models=nothing)
    client.close()


async def nothing() -> None:
    await asyncio.sleep(0)


def test_a_restore_that_stops_inside_a_partition_repeats_nothing(mine: Settings) -> None:
    asyncio.run(create(mine))
    for n in range(3):
        asyncio.run(add(mine, 60 * n))
        succeeds(mine, "backup")
    before = asyncio.run(held(mine))
    count = len(segments_of(mine))
    assert count == 12
    asyncio.run(lose(mine))
    for segments in (1, 2, 5, 11):
        with pytest.raises(Retry):
            asyncio.run(attempt(mine, segments))
    asyncio.run(attempt(mine, count))
    assert asyncio.run(held(mine)).topics == before.topics


@pytest.mark.long
def test_what_somebody_else_writes_in_between_stops_the_restore(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    succeeds(mine, "backup")
    asyncio.run(lose(mine))
    with pytest.raises(Retry):
        asyncio.run(attempt(mine, 1))

    async def disturb() -> None:
        async with open_log(mine, restoring=True) as log:
            for number in range(4):
                await log.append_raw(SAMPLE.name, number, [Raw(b"x", b"y", (), 0)])

    asyncio.run(disturb())
    assert "something else writes to this broker" in fails(mine, "restore")


def test_other_partitions_than_sealed_are_refused(sealed: Settings) -> None:
    other = sealed.model_copy(update={"partitions": 8})
    assert "set GENOFLOW_PARTITIONS=4" in fails(other, "restore")


@pytest.mark.long
def test_a_topic_can_be_left_out_but_not_the_input_of_a_changelog(sealed: Settings) -> None:
    said = fails(sealed, "restore", "--without", SAMPLE.name)
    assert f"--without {CHANGELOG.name}" in said
    succeeds(sealed, "restore", "--without", CHANGELOG.name)
    # What was left out is there all the same, and empty: a worker begins it anew.
    assert set(asyncio.run(names_on(sealed))) == {topic.name for topic in every_topic()}


async def names_on(settings: Settings) -> list[str]:
    async with open_log(settings) as log:
        return list(islice(await log.topics(), 100))


def test_a_backup_that_is_not_there_is_refused(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0, 1))
    assert "holds no backup" in fails(mine, "restore")
    succeeds(mine, "backup")
    assert "there is no such backup" in fails(mine, "restore", "--manifest", "backup/x.json")
