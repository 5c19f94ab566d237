"""What the tower says of what it folded: late, over, too often, held; in groups and at night."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.validated import Validated
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import Key, Value, read_value, write_value
from genoflow.processors.watchtower.quiet import tell_at
from genoflow.processors.watchtower.watch import Clock, Watch
from tests.examples import someone
from tests.tower_histories import BEGIN, Teller
from tests.tower_rules import FAILURES, HELD, LATE, NIGHT, rules
from tests.towers import folded
from tests.unit.test_tower_fold import counted

HOUR = timedelta(hours=1)


class Shelf:
    """Keeps values in a dict, as they are written."""

    def __init__(self) -> None:
        self.kept: dict[Key, Any] = {}

    def write(self, key: Key, value: Value | None) -> None:
        """Keep it."""
        if value is None:
            self.kept.pop(key, None)
        else:
            self.kept[key] = read_value(key, write_value(value, 1))

    def restored(self) -> list[tuple[Key, Value]]:
        """What a successor finds: it shares nothing with what is kept."""
        return [(key, read_value(key, write_value(one, 1))) for key, one in self.kept.items()]


class Trial:
    """A tower over a log whose clock is the facts' own."""

    def __init__(self, *said: dict[str, Any], seed: int = 7) -> None:
        self.at = BEGIN
        self.log = MemoryLog(partitions=2, now=lambda: self.at)
        self.teller = Teller(seed)
        self.said: list[Event] = []
        self.shelf = Shelf()
        self.watch = self.tower()
        self.document = rules(*said)
        self.watch.rule_by(self.document)
        self._taken: set[tuple[str, int, int]] = set()

    def tower(self) -> Watch:
        """A watch that writes to this trial's shelf."""
        return Watch(self._append, someone(), self.shelf)

    async def _append(self, events: Iterable[Event]) -> None:
        self.said += events

    async def tell(self, model: type[Event], at: datetime, **fields: Any) -> None:
        """One fact, recorded when it happens."""
        self.at = max(self.at, at)
        await self.log.append(self.teller.tell(model, at, **fields))

    async def fold(self) -> list[Event]:
        """Take what is new; what was said of it."""
        before = len(self.said)
        await self.watch.take([one for one in await self.records() if self._is_new(one)])
        return self.said[before:]

    async def records(self) -> list[Recorded]:
        """The log of all that rules are about."""
        return [
            record
            for topic in (topics.RUN, topics.SAMPLE, topics.SEQUENCING_RUN, topics.BUDGET)
            async for record in self.log.read_topic(topic.name)
        ]

    def _is_new(self, record: Recorded) -> bool:
        place = tuple(record.position)
        is_new = place not in self._taken
        self._taken.add(place)  # type: ignore[arg-type]
        return is_new

    async def look(self, at: datetime) -> list[Event]:
        """What is due at this moment."""
        return await self.watch.look(at.timestamp())

    async def run(self, number: int, seconds: float, *, ends: bool = True) -> UUID:
        """A run that took so long, or goes on."""
        run_id = UUID(int=number + 1, version=4)
        at = BEGIN + timedelta(seconds=number)
        named: dict[str, Any] = {"run_id": run_id, "attempt": 1}
        await self.tell(RunRequested, at, run_id=run_id, pipeline="germline", assay="wgs")
        await self.tell(RunSubmitted, at, **named)
        await self.tell(RunStarted, at, **named)
        if ends:
            await self.tell(RunSucceeded, at + timedelta(seconds=seconds), **named)
        return run_id


def raised(said: Iterable[Event]) -> list[AlertRaised]:
    """The alerts among what was said."""
    return [one for one in said if isinstance(one, AlertRaised)]


def resolved(said: Iterable[Event]) -> list[AlertResolved]:
    """The ends of alerts among what was said."""
    return [one for one in said if isinstance(one, AlertResolved)]


async def learned(trial: Trial, runs: int = 30) -> None:
    """A history in which runs take 1,000 s."""
    for number in range(runs):
        await trial.run(number, 1_000)
    assert await trial.fold() == []


async def test_a_wait_beyond_what_was_learned_is_late_and_its_end_resolves_it() -> None:
    trial = Trial(LATE)
    await learned(trial)
    slow = await trial.run(50, 0, ends=False)
    since = BEGIN + timedelta(seconds=50)
    await trial.fold()
    assert await trial.look(since + timedelta(seconds=1_900)) == []
    [alert] = raised(await trial.look(since + timedelta(seconds=2_100)))
    assert alert.subject_key == str(slow)
    assert alert.expected_type == "RunSucceeded"
    assert alert.last_type == "RunStarted"
    assert "settle-run owes" in alert.headline
    assert alert.due_at is not None
    assert (alert.due_at - since).total_seconds() == pytest.approx(2_000, rel=0.02)
    assert await trial.look(since + 10 * HOUR) == []  # once
    await trial.tell(RunSucceeded, since + 11 * HOUR, run_id=slow, attempt=1)
    [over] = resolved(await trial.fold())
    assert over.alert_id == alert.alert_id
    assert over.manner == "over"


async def test_without_a_history_the_ceiling_counts() -> None:
    trial = Trial(LATE)
    await trial.run(0, 0, ends=False)
    await trial.fold()
    assert await trial.look(BEGIN + 23 * HOUR) == []
    assert len(raised(await trial.look(BEGIN + 25 * HOUR))) == 1


async def test_what_was_cancelled_is_late_no_more() -> None:
    trial = Trial(LATE)
    await learned(trial)
    slow = await trial.run(50, 0, ends=False)
    await trial.fold()
    [alert] = raised(await trial.look(BEGIN + HOUR))
    await trial.tell(RunCancelled, BEGIN + 2 * HOUR, run_id=slow, attempt=1)
    [over] = resolved(await trial.fold())
    assert over.alert_id == alert.alert_id
    assert await trial.look(BEGIN + 48 * HOUR) == []


async def test_a_death_before_it_was_written_says_the_same_again() -> None:
    trial = Trial(LATE)
    await learned(trial)
    await trial.run(50, 0, ends=False)
    await trial.fold()
    kept = dict(trial.shelf.kept)
    first = raised(await trial.look(BEGIN + HOUR))
    successor = trial.tower()
    successor.rule_by(trial.document)
    successor.begin_again(list(kept.items()))
    again = raised(await successor.look((BEGIN + 2 * HOUR).timestamp()))
    assert [one.model_dump() for one in again] == [one.model_dump() for one in first]
    assert [one.envelope.event_id for one in again] == [one.envelope.event_id for one in first]
    third = trial.tower()
    third.rule_by(trial.document)
    third.begin_again(list(trial.shelf.kept.items()))
    assert await third.look((BEGIN + 3 * HOUR).timestamp()) == []


async def test_what_is_said_while_the_partitions_go_is_not_written() -> None:
    trial = Trial(LATE)
    await learned(trial)
    await trial.run(50, 0, ends=False)
    await trial.fold()
    kept = dict(trial.shelf.kept)

    async def taken_away(events: Iterable[Event]) -> None:
        trial.said += events
        trial.watch.begin_again([])

    trial.watch = Watch(taken_away, someone(), trial.shelf)
    trial.watch.rule_by(trial.document)
    trial.watch.begin_again(list(kept.items()))
    assert len(raised(await trial.watch.look((BEGIN + HOUR).timestamp()))) == 1
    assert trial.shelf.kept == kept  # its successor finds the wait without an alert, and says it


async def test_a_look_does_not_write_half_of_what_is_being_taken() -> None:
    """A successor that found a subject without its figures would never count them."""
    trial = Trial(LATE)
    await learned(trial)
    slow = await trial.run(50, 0, ends=False)
    await trial.fold()
    await trial.look(BEGIN + HOUR)
    is_appending, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(events: Iterable[Event]) -> None:
        trial.said += events
        if not is_appending.is_set():  # the first: what a look says is on the log at once
            is_appending.set()
            await may_go_on.wait()

    trial.watch = Watch(slowly, someone(), trial.shelf)
    trial.watch.rule_by(trial.document)
    trial.watch.begin_again(trial.shelf.restored())
    await trial.run(51, 0, ends=False)
    await trial.tell(RunSucceeded, BEGIN + 2 * HOUR, run_id=slow, attempt=1)
    taking = asyncio.create_task(trial.fold())
    await is_appending.wait()
    looking = asyncio.create_task(trial.watch.look((BEGIN + 3 * HOUR).timestamp()))
    for _ in range(10):
        await asyncio.sleep(0)
    successor = Tower()
    for key, value in trial.shelf.restored():
        successor.restore(key, value)
    records = await trial.records()
    folded(records, successor)
    may_go_on.set()
    assert len(resolved(await taking)) == 1
    assert len(raised(await looking)) == 1
    expected = folded(records)
    for tower in (expected, successor):
        tower.tidy((BEGIN + 3 * HOUR).timestamp())
    assert counted(successor) == counted(expected)
    assert counted(trial.watch.tower) == counted(expected)


async def test_one_alert_leads_its_group_and_is_over_behind_the_last() -> None:
    trial = Trial({**LATE, "group_by": "pipeline"})
    await learned(trial)
    slow = [await trial.run(number, 0, ends=False) for number in (50, 51, 52)]
    await trial.fold()
    alerts = raised(await trial.look(BEGIN + HOUR))
    leads = [one for one in alerts if one.part_of is None]
    assert len(alerts) == 3
    assert len(leads) == 1
    assert {one.part_of for one in alerts} == {None, leads[0].alert_id}
    by_run = {one.subject_key: one.alert_id for one in alerts}
    lead = leads[0].subject_key
    others = [str(run) for run in slow if str(run) != lead]
    at = BEGIN + 2 * HOUR
    await trial.tell(RunSucceeded, at, run_id=UUID(lead), attempt=1)
    assert resolved(await trial.fold()) == []  # others of the group go on
    await trial.tell(RunSucceeded, at, run_id=UUID(others[0]), attempt=1)
    assert [one.alert_id for one in resolved(await trial.fold())] == [by_run[others[0]]]
    await trial.tell(RunSucceeded, at, run_id=UUID(others[1]), attempt=1)
    ended = [one.alert_id for one in resolved(await trial.fold())]
    assert ended == [by_run[others[1]], leads[0].alert_id]


async def test_failures_of_one_pipeline_pile_up_and_pass() -> None:
    trial = Trial(FAILURES)
    for number in range(10):
        run = await trial.run(number, 0, ends=False)
        at, named = BEGIN + timedelta(minutes=1), {"run_id": run, "attempt": 1}
        if number < 4:
            await trial.tell(RunFailed, at, **named, will_retry=False)
        else:
            await trial.tell(RunSucceeded, at, **named)
    await trial.fold()
    [alert] = raised(await trial.look(BEGIN + timedelta(minutes=2)))
    assert alert.group == "pipeline=germline"
    assert [one.value for one in alert.figures] == [4, pytest.approx(0.4)]
    assert await trial.look(BEGIN + timedelta(minutes=30)) == []
    [over] = resolved(await trial.look(BEGIN + 5 * HOUR))
    assert over.alert_id == alert.alert_id


async def test_an_event_raises_and_another_of_its_subject_ends() -> None:
    trial = Trial(HELD)
    first, second = UUID(int=1, version=4), UUID(int=2, version=4)
    await trial.tell(ResultsHeld, BEGIN, run_id=first)
    await trial.tell(ResultsHeld, BEGIN, run_id=second)
    alerts = {one.subject_key: one for one in raised(await trial.fold())}
    assert set(alerts) == {str(first), str(second)}
    await trial.tell(ResultsPublished, BEGIN + HOUR, run_id=second)
    [over] = resolved(await trial.fold())
    assert over.alert_id == alerts[str(second)].alert_id


async def test_an_event_from_the_future_opens_a_wait_from_when_the_log_took_it() -> None:
    trial = Trial(LATE)
    await learned(trial)
    run = UUID(int=99, version=4)
    trial.at = BEGIN
    await trial.log.append(
        trial.teller.tell(RunStarted, BEGIN + timedelta(days=3_650), run_id=run, attempt=1)
    )
    await trial.fold()
    assert len(raised(await trial.look(BEGIN + 25 * HOUR))) == 1


async def test_bytes_that_are_no_event_are_parked_and_the_tower_stands() -> None:
    trial = Trial(LATE)
    await trial.tell(Validated, BEGIN, sample_id="S1")
    [record] = await trial.records()
    broken = Recorded(
        record.topic, record.partition, record.offset, record.timestamp_ms, b"S1", b"\x00broken",
        [], trial.log.codec,
    )  # fmt: skip
    await trial.watch.take([broken])
    [parked] = trial.said
    assert parked.type() == "EventParked"
    await trial.watch.take([broken])
    assert trial.said == [parked]


@pytest.mark.parametrize(
    ("now", "severity", "expected"),
    [
        ("2026-03-04T12", "warning", "2026-03-04T12"),
        ("2026-03-04T23", "warning", "2026-03-05T06"),
        ("2026-03-05T03", "warning", "2026-03-05T06"),
        ("2026-03-04T23", "critical", "2026-03-04T23"),
        ("2026-07-04T23", "info", "2026-07-05T05"),  # summer time
    ],
)
def test_people_are_told_when_the_night_is_over(now: str, severity: str, expected: str) -> None:
    moment = datetime.fromisoformat(f"{now}:00+00:00")
    assert tell_at(NIGHT, severity, moment) == datetime.fromisoformat(f"{expected}:00+00:00")


@pytest.mark.parametrize("group_by", ["subject", "rule"])
async def test_a_key_with_line_breaks_is_told_in_a_line(group_by: str) -> None:
    """An alert that could not be said would end each tower that tries."""
    waits = {**LATE, "rule": "late-file", "stage": "validate", "group_by": group_by}
    trial = Trial(waits | {"ceiling_seconds": 600.0})
    await trial.tell(
        FileLanded, BEGIN, sample_id="S1", bucket="raw", object_key="S1/a\nb\x1b[2J.fastq.gz",
        version_id="1", role="R1", read_set_id=None,
    )  # fmt: skip
    await trial.fold()
    [alert] = raised(await trial.look(BEGIN + HOUR))
    assert "raw/S1/a b [2J.fastq.gz@1" in alert.headline
    assert alert.item == "raw/S1/a b [2J.fastq.gz@1"


def test_a_clock_that_jumps_is_not_believed_until_the_log_has_come_as_far() -> None:
    wall, passed = [1_000.0], [50.0]
    clock = Clock(lambda: wall[0], lambda: passed[0])

    def later(seconds: float, jump: float = 0.0) -> None:
        passed[0] += seconds
        wall[0] += seconds + jump

    later(10)
    assert clock.now() == 1_010
    later(10, jump=86_400)
    assert clock.now() == 1_020
    assert clock.ahead_seconds == 86_400
    later(5)
    assert clock.now(newest=80_000) == 80_000  # the machine had slept: the log says so
    later(5, jump=-90_000)
    assert clock.now() == 80_005
