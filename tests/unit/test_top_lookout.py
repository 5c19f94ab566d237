"""What `genoflow top` reads of a log: the tower's table, alerts, rules, and only what is new."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from genoflow.deploy.top.lookout import Lookout
from genoflow.deploy.top.show import show
from genoflow.deploy.tower_shown import read_tower
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Reader, Vector
from genoflow.events.log.recorded import Raw, Recorded
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.watchtower.kept import Key, Value, write_value
from genoflow.processors.watchtower.watch import Watch
from tests.alert_facts import acknowledged, raised, resolved
from tests.examples import someone
from tests.spec import heard
from tests.tower_histories import lab
from tests.tower_rules import LATE, rules
from tests.unit.test_tower_fold import assert_same


class CountedLog(MemoryLog):
    """A log that tells how many readers were opened on each topic, and from where."""

    def __init__(self) -> None:
        changelogs = [one.changelog for one in PROCESSORS.values()]
        super().__init__(topics.declared(changelogs), partitions=2)
        self.readers: list[Vector] = []

    async def reader(self, start: Vector) -> Reader:
        """Note where it begins."""
        self.readers.append(dict(start))
        return await super().reader(start)

    def read_of(self, topic: topics.Topic) -> list[Vector]:
        """Where readers of a topic began since this was asked last."""
        found = [one for one in self.readers if any(name == topic.name for name, _ in one)]
        self.readers.clear()
        return found


class Keeper:
    """A tower whose table stands on a log."""

    def __init__(self, log: MemoryLog, reign: int = 1) -> None:
        self.log, self.reign = log, reign
        self.watch = Watch(self._append, someone(), self)
        self._taken: dict[tuple[str, int], int] = {}
        self._written: list[tuple[Key, Value | None]] = []

    async def _append(self, events: Iterable[Event]) -> None:
        for event in events:
            await self.log.append(event)

    def write(self, key: Key, value: Value | None) -> None:
        """Keep it for `fold`."""
        self._written.append((key, value))

    async def fold(self) -> list[Recorded]:
        """Take what is new of samples and runs, and write the table; all that was taken so far."""
        every = [
            one
            for topic in (topics.RUN, topics.SAMPLE)
            async for one in self.log.read_topic(topic.name)
        ]
        new = [one for one in every if one.offset >= self._taken.get((one.topic, one.partition), 0)]
        await self.watch.take(new)
        self._taken |= {(one.topic, one.partition): one.offset + 1 for one in new}
        for key, value in self._written:
            written = None if value is None else write_value(value, self.reign)
            raw = Raw(key.written(), written, (), 0)
            await self.log.append_raw(topics.TOWER.name, key.partition, [raw])
        self._written.clear()
        return every


@pytest.fixture
async def log() -> AsyncIterator[CountedLog]:
    async with CountedLog() as opened:
        yield opened


def now() -> datetime:
    """The log's own time goes by the machine's."""
    return datetime.now(UTC)


async def append(log: MemoryLog, events: Iterable[Event]) -> None:
    """In transactions of ten, whose ends take offsets, too."""
    waiting = list(events)
    for at in range(0, len(waiting), 10):
        await log.append_atomically(waiting[at : at + 10])


async def test_each_look_reads_what_came_since_and_sees_what_one_reading_sees(
    log: CountedLog,
) -> None:
    keeper, lookout = Keeper(log), Lookout()
    events = lab(seed=21, runs=12, samples=12)
    await append(log, events[:100])
    await keeper.fold()
    await lookout.look(log, now())
    log.readers.clear()
    before = await log.ends(topics.TOWER.name)
    await append(log, events[100:])
    records = await keeper.fold()
    seen = await lookout.look(log, now())
    assert log.read_of(topics.TOWER) == [before]
    assert_same(seen.tower, records)
    assert seen.tower.positions() == (await read_tower(log)).positions()
    log.readers.clear()
    await lookout.look(log, now())
    assert log.read_of(topics.TOWER) == []


async def test_what_the_tower_has_not_taken_is_as_old_as_its_first_record(log: CountedLog) -> None:
    keeper, lookout = Keeper(log), Lookout()
    events = lab(seed=22, runs=6, samples=6)
    assert (await lookout.look(log, now())).ends_at is None
    await append(log, events[:40])
    await keeper.fold()
    seen = await lookout.look(log, now())
    assert seen.ends_at is None  # ends of transactions are nothing that could be taken
    assert show(seen, now()).tower.state == "current"
    log.readers.clear()
    await lookout.look(log, now())
    assert log.read_of(topics.RUN) == []
    await append(log, events[40:60])
    first = min([
        record.recorded_at
        for topic in (topics.RUN, topics.SAMPLE)
        async for record in log.read_topic(topic.name)
        if str(record.event.envelope.event_id) in {str(e.envelope.event_id) for e in events[40:]}
    ])  # fmt: skip
    seen = await lookout.look(log, now())
    assert seen.ends_at == first
    assert show(seen, now()).tower.state == "behind"
    assert show(seen, now() + timedelta(minutes=3)).tower.state == "stale"
    await keeper.fold()
    assert (await lookout.look(log, now())).ends_at is None


async def test_alerts_and_rules_come_off_the_log_and_their_newest_word_counts(
    log: CountedLog,
) -> None:
    lookout = Lookout()
    await log.append(heard(rules(LATE)))
    await log.append(raised(1))
    await log.append(raised(2))
    seen = await lookout.look(log, now())
    assert [one.version for one in seen.rules] == ["1"]
    assert [one.state for one in seen.alerts] == ["raised", "raised"]
    await log.append(heard(rules(LATE, version="2")))
    await log.append(heard(acknowledged(1)))
    await log.append(heard(resolved(2)))
    seen = await lookout.look(log, now())
    assert [one.version for one in seen.rules] == ["2"]
    assert sorted(one.state for one in seen.alerts) == ["acknowledged", "resolved"]
    assert [one.state for one in show(seen, now()).alerts] == ["acknowledged"]


async def test_bytes_that_are_no_event_do_not_blind_it(log: CountedLog) -> None:
    for topic in (topics.ALERT, topics.CATALOG):
        await log.append_raw(topic.name, 0, [Raw(b"x", b"no event", (), 0)])
    await log.append(raised(1))
    assert len((await Lookout().look(log, now())).alerts) == 1


async def test_a_log_that_was_made_anew_is_read_from_its_start(log: CountedLog) -> None:
    lookout = Lookout()
    for number in (1, 2, 3):
        await log.append(raised(number))
    assert len((await lookout.look(log, now())).alerts) == 3
    async with CountedLog() as other:
        await other.append(raised(7))
        [alert] = (await lookout.look(other, now())).alerts
    assert alert.alert_id == raised(7).alert_id


async def test_the_log_grows_by_so_many_a_minute(log: CountedLog) -> None:
    await append(log, lab(seed=23, runs=5, samples=5)[:50])
    ends = sum([sum((await log.ends(name.name)).values()) for name in (topics.RUN, topics.SAMPLE)])
    assert (await Lookout().look(log, now())).records_per_minute == ends / 5
    later = now() + timedelta(minutes=6)
    assert (await Lookout().look(log, later)).records_per_minute == 0


async def test_a_value_of_an_earlier_reign_is_left_out(log: CountedLog) -> None:
    events = lab(seed=24, runs=4, samples=4)
    await append(log, events[:20])
    older, newer = Keeper(log, reign=1), Keeper(log, reign=2)
    await newer.fold()
    lookout = Lookout()
    await lookout.look(log, now())
    await append(log, events[20:])
    records = await newer.fold()
    await append(log, lab(seed=25, runs=1, samples=1))
    await older.fold()  # it had lost its place, and wrote once more
    assert_same((await lookout.look(log, now())).tower, records)
