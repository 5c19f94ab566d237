"""Who keeps the tower, who stands by, and what each may write: without a broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.settings import Settings
from genoflow.deploy.tower import Process
from genoflow.deploy.tower_shown import read_changelog
from genoflow.events import topics
from genoflow.events.errors import Fenced, TopicMismatch
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Raw
from genoflow.processors.watchtower.kept import Key, Reached, write_value
from genoflow.processors.watchtower.reigns import fence

PARTITIONS = 2
FAR = 9_000_000_000_000  # a reign of a machine whose clock is ahead
PLACE = Key("place", topics.RUN.name, 0)


class Log(MemoryLog):
    """A log at an address that nobody asks."""

    address = "localhost:1"


class Broker:
    """What Faust's producer and consumer are of it."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.given: set[int] = set()
        self.fenced = 0

    def assignment(self) -> set[int]:
        return self.given

    async def send_and_wait(
        self, topic: str, key: bytes, value: bytes, partition: int, *_more: object
    ) -> None:
        self.fenced += 1
        await write(self._log, partition, key, value, topic=topic)


async def write(
    log: MemoryLog, partition: int, key: bytes, value: bytes, *, topic: str = topics.TOWER.name
) -> None:
    """Write a row of the table, as any keeper does."""
    await log.append_raw(topic, partition, [Raw(key, value, (), 0)])


class Keeping:
    """A process, and what it is given."""

    def __init__(self, folder: Path) -> None:
        self.log = Log(partitions=PARTITIONS)
        self.log.add_topic(topics.TOWER)
        log: Any = self.log
        self.process = Process(Settings(home=folder), log, PARTITIONS, folder)
        self.broker = Broker(self.log)
        app: Any = self.process.app
        app.producer = app.consumer = self.broker

    async def given(self, *partitions: int) -> None:
        """Partitions are given, or none."""
        await self.process._lost()
        self.broker.given = {*partitions}
        await self.process._restored()

    def failed(self) -> BaseException | None:
        """What ends the process."""
        future = self.process._failed
        return future.exception() if future.done() else None


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    """One that was given nothing yet."""
    found = Keeping(tmp_path)
    yield found
    found.process.pulse.close()
    await found.log.close()


async def test_who_keeps_the_tower_fences_and_who_stands_by_does_not(keeping: Keeping) -> None:
    await keeping.given()
    assert (keeping.process.is_joined, keeping.process.is_ready) == (True, False)
    assert keeping.broker.fenced == 0
    await keeping.given(0, 1)
    assert keeping.process.is_ready
    assert keeping.broker.fenced == PARTITIONS
    await keeping.given()
    assert (keeping.process.is_joined, keeping.process.is_ready) == (True, False)
    assert keeping.broker.fenced == PARTITIONS


async def test_whose_partitions_went_meanwhile_cuts_nobody_off(keeping: Keeping) -> None:
    """Its clock is behind: it would fence again, above whoever has them now."""
    fenced = keeping.process._fenced

    async def overtaken(reign: int) -> None:
        await fenced(reign)
        await write(keeping.log, 0, *fence(0, FAR))
        await keeping.process._lost()

    keeping.process._fenced = overtaken  # type: ignore[method-assign]
    await keeping.given(0, 1)
    assert keeping.failed() is None
    assert not keeping.process.is_ready
    assert keeping.broker.fenced == PARTITIONS
    assert (await read_changelog(keeping.log)).newest == FAR


async def test_whom_a_late_fence_cut_off_leaves_and_writes_nothing(keeping: Keeping) -> None:
    await keeping.given(0, 1)
    await keeping.process._write_again()
    await write(keeping.log, 0, *fence(0, FAR))
    with pytest.raises(Fenced, match="another one's fence came behind this one's"):
        await keeping.process._write_again()
    await keeping.given(0, 1)
    await keeping.process._write_again()
    assert keeping.process.kept.reign == FAR + 1


async def test_places_beyond_the_end_of_their_topic_are_refused(keeping: Keeping) -> None:
    """The topic was deleted and made anew: its first records would never be counted."""
    row = Reached()
    row.at = 500
    await write(keeping.log, 0, *fence(0, 1))
    await write(keeping.log, 0, PLACE.written(), write_value(row, 1))
    await keeping.given(0, 1)
    error = keeping.failed()
    assert isinstance(error, TopicMismatch)
    assert f"{topics.RUN.name}[0]@501: watchtower goes on here" in str(error)
    assert "holds 0 to 0" in str(error)
    assert not keeping.process.is_ready
