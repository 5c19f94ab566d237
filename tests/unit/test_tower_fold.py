"""What the tower folds, held against a plain recount; delivered twice, cut off, and taken over."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.processors.watchtower.fold import Tower
from tests.tower_histories import BEGIN, Recount, Teller, lab, recount
from tests.towers import cut, folded, restored


async def logged(events: Iterable[Event], partitions: int = 4) -> tuple[MemoryLog, list[Recorded]]:
    """A log with these events, and its records topic by topic."""
    log = MemoryLog(partitions=partitions)
    for event in events:
        await log.append(event)
    records = [r for topic in (topics.RUN, topics.SAMPLE) for r in await read(log, topic.name)]
    return log, records


async def read(log: MemoryLog, topic: str) -> list[Recorded]:
    """All records of a topic."""
    return [record async for record in log.read_topic(topic)]


def counted(tower: Tower) -> Recount:
    """What the tower counted, in the words of the recount."""
    found = Recount()
    for size, begins, name, pane in tower.panes():
        for stage, tally in pane.items():
            for what in ("began", "ended", "failed", "retried"):
                number = getattr(tally, what)
                if number:
                    found.counts[size.name, begins, name, stage, what] = number
    return found


def assert_same(tower: Tower, records: Sequence[Recorded]) -> None:
    """The windows say what a loop over the log says."""
    expected = recount(records)
    assert counted(tower).counts == expected.counts
    for size, begins, name, pane in tower.panes():
        for stage, tally in pane.items():
            lengths = sorted(expected.seconds.get((size.name, begins, name, stage), []))
            assert tally.seconds.count == len(lengths)
            if lengths:
                middle = lengths[(len(lengths) - 1) // 2]
                assert tally.seconds.quantile(0.5) == pytest.approx(middle, rel=0.011)


async def test_windows_are_what_a_plain_loop_counts() -> None:
    _, records = await logged(lab(seed=1, runs=40, samples=40))
    tower = folded(records)
    assert_same(tower, records)
    everything = [
        pane for size, _, name, pane in tower.panes() if (size.name, name) == ("day", "all")
    ]
    assert sum(pane["run"].began for pane in everything if "run" in pane) >= 40


async def test_what_is_delivered_again_is_counted_once() -> None:
    _, records = await logged(lab(seed=2, runs=10, samples=10))
    again = [one for record in records for one in (record, record)]
    assert_same(folded(again), records)
    assert_same(folded([*records, *records]), records)


async def test_what_was_appended_twice_is_counted_once() -> None:
    events = lab(seed=3, runs=10, samples=10)
    _, records = await logged([one for event in events for one in (event, event)])
    assert_same(folded(records), records)


@pytest.mark.parametrize("batch", [1, 7, 50])
async def test_a_death_anywhere_in_the_writing_loses_and_repeats_nothing(batch: int) -> None:
    """Batches are cut off at random places of their writing; the successor reads on from there."""
    _, records = await logged(lab(seed=batch, runs=12, samples=12), partitions=1)
    chance = random.Random(batch)
    written: dict[bytes, bytes] = {}
    tower, deaths = Tower(), 0
    for place in ((topics.RUN.name, 0), (topics.SAMPLE.name, 0)):
        mine = [record for record in records if (record.topic, record.partition) == place]
        at = 0
        while at < len(mine):
            folded(mine[at : at + batch], tower)
            if chance.random() < 0.5:
                cut(tower, written, None)
                at += batch
            else:
                cut(tower, written, chance.randrange(1 + len(tower.values)))
                deaths += 1
                tower = restored(written)
                begins = tower.positions().get(place, 0)
                at = next((n for n, one in enumerate(mine) if one.offset >= begins), len(mine))
    assert deaths
    assert_same(tower, records)
    assert_same(restored(written), records)


async def test_what_is_kept_says_the_same_when_it_is_read_again() -> None:
    _, records = await logged(lab(seed=5, runs=10, samples=10))
    half = len(records) // 2
    written: dict[bytes, bytes] = {}
    tower = folded(records[:half])
    cut(tower, written, None)
    assert_same(folded(records[half:], restored(written)), records)


async def test_what_is_told_long_after_it_was_true_is_not_let_go_at_once() -> None:
    """A run that failed and is tried again is waited for by nobody in between."""
    now = BEGIN + timedelta(days=200)
    log = MemoryLog(partitions=1, now=lambda: now)
    await log.append_bulk(lab(seed=6, runs=40, samples=3))
    records = [one for topic in (topics.RUN, topics.SAMPLE) for one in await read(log, topic.name)]
    written: dict[bytes, bytes] = {}
    for record in records:
        tower = folded([record], restored(written))
        tower.tidy(now.timestamp())
        cut(tower, written, None)
    assert "RunRetryRequested" in {record.type for record in records}
    assert_same(restored(written), records)
    ended = {key for key, one in restored(written).subjects() if not one.waits}
    later = restored(written)
    later.tidy((now + timedelta(days=8)).timestamp())
    assert ended
    assert ended.isdisjoint(key for key, _ in later.subjects())


async def waits_of(*events: Event) -> list[tuple[str, str]]:
    """What is waited for behind these events, by a tower that was written and read on the way."""
    _, records = await logged(events, partitions=1)
    written: dict[bytes, bytes] = {}
    for record in records:
        tower = restored(written)
        tower.fold(record)
        cut(tower, written, None)
    return [name for _, subject in restored(written).subjects() for name in subject.waits]


async def test_a_begin_that_is_told_behind_its_end_opens_no_wait() -> None:
    teller, run_id = Teller(4), UUID(int=1, version=4)
    later = BEGIN + timedelta(minutes=5)
    named: dict[str, Any] = {"run_id": run_id, "attempt": 1}
    started = teller.tell(RunStarted, BEGIN, **named)
    submitted = teller.tell(RunSubmitted, BEGIN + timedelta(seconds=9), **named)
    over = teller.tell(RunSucceeded, later, **named)
    assert await waits_of(over, started) == [("collect", "")]
    assert await waits_of(started, submitted, over) == [("collect", "")]
    again = teller.tell(RunStarted, later, run_id=run_id, attempt=2)
    assert ("run", "2") in await waits_of(over, again)


async def test_a_stage_of_the_whole_subject_may_come_again_behind_an_early_end() -> None:
    teller, run_id = Teller(5), UUID(int=1, version=4)
    later = BEGIN + timedelta(minutes=5)
    submitted = teller.tell(RunSubmitted, BEGIN, run_id=run_id, attempt=1)
    late = teller.tell(RunRequested, BEGIN - timedelta(seconds=5), run_id=run_id)
    again = teller.tell(RunRetryRequested, later, run_id=run_id, attempt=2)
    assert await waits_of(submitted, late) == [("start", "1")]
    assert await waits_of(submitted, again) == [("start", "1"), ("submit", "")]


async def test_a_file_that_lands_before_its_read_set_keeps_the_promise() -> None:
    teller = Teller(6)
    promise = (ExpectedFile(role="R1"), ExpectedFile(role="R2"))
    landed = teller.tell(
        FileLanded, BEGIN, sample_id="S1", read_set_id="RS1", role="R1", lane=None,
        instrument_run_id=None,
    )  # fmt: skip
    registered = teller.tell(
        ReadSetRegistered, BEGIN + timedelta(hours=1), sample_id="S1", read_set_id="RS1",
        expected_files=promise,
    )  # fmt: skip
    waits = await waits_of(landed, registered)
    assert [name for name in waits if name[0] == "land"] == [("land", "RS1 R2")]
