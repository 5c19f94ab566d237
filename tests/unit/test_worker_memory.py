"""The worker on the memory log, where every answer can be lost and every limit can be small."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.errors import Fenced, OutcomeUnknown, StateMismatch, Stop
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.changelog import STATE_BYTES_MAX
from genoflow.events.log.memory import MemoryLog, _MemoryTask
from genoflow.events.log.partitioner import partition_of
from genoflow.processors import task_loop
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor
from genoflow.processors.reach import POINTS
from tests.toy import TOY, TOY_ANEW, AboutFile, Files, landed, requeued, write
from tests.workers import Lab, numbered, parked, until

SAMPLES = [f"S{number}" for number in range(6)]
S1 = partition_of(b"S1", topics.PARTITIONS_EMBEDDED)


class Faults:
    """Loses the answer of the nth commit, before or after it happened."""

    def __init__(self) -> None:
        self.commits = 0
        self.lost: tuple[int, bool] | None = None

    def __call__(self, operation: str, happened: bool) -> None:
        if operation != "commit":
            return
        self.commits += not happened
        if (self.commits, happened) == self.lost:
            self.lost = None
            raise OutcomeUnknown("the answer was lost; start again")


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def lab(faults: Faults) -> Lab:
    """An empty log in memory and its outside world."""
    return Lab(MemoryLog(topics.declared([TOY.changelog]), fault=faults))


async def landing(lab: Lab, *events: Event) -> None:
    """Append these."""
    for event in events:
        await lab.log.append(event)


async def outcomes(lab: Lab, count: int) -> bool:
    """Whether so many effects are done."""
    return len(await lab.facts(topics.NOTIFICATION)) >= count


# -- ends, and what they leave


@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize("commit", [1, 2])  # the files and their letter, then its outcome
async def test_a_commit_in_doubt_ends_the_worker_and_nothing_is_lost_or_said_twice(
    lab: Lab, faults: Faults, commit: int, happened: bool
) -> None:
    await landing(lab, landed("a", "mail"), landed("b"))
    faults.lost = (commit, happened)
    assert isinstance(await lab.ended(TOY), OutcomeUnknown)
    async with lab.working(TOY) as running:
        await until(lambda: outcomes(lab, 1), running)
        await until(lambda: _numbered(lab, 2), running)
    assert await lab.numbers() == [("a", 1), ("b", 2)]
    assert len(await lab.facts(topics.NOTIFICATION)) == 1


async def _numbered(lab: Lab, count: int) -> bool:
    return len(await lab.numbers()) >= count


async def test_a_worker_whose_task_was_taken_over_ends(lab: Lab) -> None:
    await landing(lab, landed("a"))
    ending = asyncio.create_task(lab.ended(TOY))
    await until(lambda: _numbered(lab, 1))
    other = lab.log.task("toy", topics.SAMPLE, S1)
    await other.fence()
    await landing(lab, landed("b"))
    error = await ending
    assert isinstance(error, Fenced)
    assert "another session has taken this task over" in str(error)
    async with lab.working(TOY) as running:
        await until(lambda: _numbered(lab, 2), running)


async def test_of_several_failures_the_lasting_one_is_told(lab: Lab) -> None:
    died: list[str] = []

    def dies(point: str) -> None:
        # Two tasks fail in one moment: the first for something that passes, the next for good.
        if point == "before-commit":
            died.append(point)
            raise OutcomeUnknown("passing") if len(died) == 1 else Stop("lasting")

    await landing(lab, *(landed("a", sample=sample) for sample in SAMPLES))
    error = await lab.ended(TOY, reach=dies)
    assert str(error) == ("passing" if len(died) == 1 else "lasting")
    async with lab.working(TOY) as running:
        await until(lambda: _numbered(lab, 1), running)


async def test_an_effect_that_this_code_does_not_have_stops(lab: Lab) -> None:
    def dies(point: str) -> None:
        if point == "before-open":
            raise OutcomeUnknown("the power went")

    await landing(lab, landed("a", "mail"))
    await lab.ended(TOY, reach=dies)
    error = await lab.ended(replace(TOY, effects=()))
    assert isinstance(error, StateMismatch)
    assert f"{TOY.changelog.name}[{S1}] effect " in str(error)
    assert "'mail' is open and this code has no such effect; deploy the code" in str(error)
    async with lab.working(TOY) as running:
        await until(lambda: outcomes(lab, 1), running)


async def test_a_decider_that_says_stop_ends_the_worker(lab: Lab) -> None:
    def refuses(_state: Files, event: FileLanded) -> Any:
        raise Stop(f"{event.key}: this release must not decide; deploy the next one")

    await landing(lab, landed("a"))
    error = await lab.ended(replace(TOY, decide=refuses))
    assert isinstance(error, Stop)
    assert "deploy the next one" in str(error)
    async with lab.working(TOY) as running:
        await until(lambda: _numbered(lab, 1), running)


async def test_a_state_that_is_too_large_parks_its_subject_alone(lab: Lab) -> None:
    def swells(state: Files, event: FileLanded) -> Files:
        much = "x" * STATE_BYTES_MAX if event.key == "S1" else ""
        return Files(names=(*state.names, event.object_key, much))

    await landing(lab, landed("a"), landed("b", sample="S2"))
    async with lab.working(replace(TOY, evolve=swells)) as running:
        await until(numbered(lab, [("b", 1)], "S2"), running)
        [event] = await parked(lab)
    assert "its state of this subject would have 1,000," in event.error
    assert await lab.numbers() == []


async def test_a_task_whose_client_swallows_the_cancellation_ends_all_the_same(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stubborn(session: Any) -> Any:
        if session._partition != S1:
            waiting.append(session)
            # As aiokafka does where it ends a task of its own, and is cancelled meanwhile.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return await restore(session)

    waiting: list[Any] = []
    restore = _MemoryTask.restore
    monkeypatch.setattr(_MemoryTask, "restore", stubborn)

    def dies(point: str) -> None:
        if point == "before-commit":
            raise Stop("it ends here")

    others = [s for s in SAMPLES if partition_of(s.encode(), topics.PARTITIONS_EMBEDDED) != S1]
    await landing(lab, *(landed("a", sample=sample) for sample in others))
    ending = asyncio.create_task(lab.ended(TOY, reach=dies))

    async def all_wait() -> bool:
        return len(waiting) >= 1

    await until(all_wait)
    await landing(lab, landed("a"))
    error = await ending
    assert str(error) == "it ends here"


# -- limits


async def test_too_many_open_effects_hold_the_reader(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_loop, "OPEN_EFFECTS_MAX", 3)
    monkeypatch.setattr(task_loop, "BATCH_RECORDS_MAX", 1)
    monkeypatch.setattr(task_loop, "INBOX_RECORDS_MAX", 1)
    may = asyncio.Event()

    async def waits(arguments: AboutFile, attempt: Attempt) -> Sequence[Event]:
        await may.wait()
        return await write(arguments, attempt)

    [mail] = TOY.effects
    assert isinstance(mail, Call)
    row = replace(TOY, effects=(replace(mail, perform=waits),))
    names = [f"{number:02}" for number in range(40)]
    await landing(lab, *(landed(name, "mail") for name in names))
    async with lab.working(row) as running:
        await until(lambda: _numbered(lab, 3), running)
        opened = [k for k in (await lab.changelog(row, S1)).state if k.startswith(b"effect/")]
        assert len(opened) < len(names)
        may.set()
        await until(lambda: outcomes(lab, len(names)), running)
    assert [name for name, _ in await lab.numbers()] == names
    told = [letter.body for letter in lab.mail.sent]
    assert told == [""] * len(names)
    assert [letter.subject for letter in lab.mail.sent] == names  # one lane: in order


@pytest.mark.parametrize("limit", ["BATCH_RECORDS_MAX", "BATCH_EVENTS_MAX", "BATCH_BYTES_MAX"])
async def test_small_transactions_say_the_same(
    lab: Lab, faults: Faults, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(task_loop, limit, 1)
    names = [f"{number:02}" for number in range(20)]
    await landing(lab, *(landed(name) for name in names))
    async with lab.working(TOY) as running:
        await until(lambda: _numbered(lab, len(names)), running)
    assert await lab.numbers() == [(name, n) for n, name in enumerate(names, start=1)]
    assert faults.commits >= len(names)


async def test_a_queue_of_large_events_is_drained_in_parts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_loop, "BATCH_BYTES_MAX", 1)
    names = [f"{number:02}" for number in range(9)]
    await landing(lab, landed("poisoned", "poison"), *(landed(name) for name in names))
    passed: list[str] = []
    async with lab.working(TOY, reach=passed.append) as running:
        await until(lambda: _parked(lab), running)
        [record] = await lab.facts(topics.PARKED)
        event: Any = record.event
        await landing(lab, requeued(event, mended=landed("mended")))
        await until(lambda: _numbered(lab, 10), running)
    assert passed.count("between-drain-commits") == 10


async def _parked(lab: Lab) -> bool:
    return bool(await lab.facts(topics.PARKED))


async def test_a_large_rebuild_is_committed_in_parts(
    lab: Lab, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_loop, "REBUILD_CHANGES_MAX", 1)
    samples = [f"S{number}" for number in range(40)]
    await landing(lab, *(landed("a", sample=sample) for sample in samples))

    async def told(count: int) -> bool:
        return len(await lab.told()) >= count

    async with lab.working(TOY) as running:
        await until(lambda: told(40), running)
    passed: list[str] = []

    def dies(point: str) -> None:
        passed.append(point)
        if passed.count("between-rebuild-commits") == 5:
            raise OutcomeUnknown("the power went")

    assert isinstance(await lab.ended(TOY_ANEW, reach=dies), OutcomeUnknown)
    async with lab.working(TOY_ANEW) as running:
        await landing(lab, *(landed("b", sample=sample) for sample in samples))
        await until(lambda: told(80), running)
    assert {(name, number) for _, name, number in await lab.told()} == {("a", 1), ("b", 2)}


# -- one fact under two keys


async def test_one_event_under_two_keys_opens_an_effect_of_each(lab: Lab) -> None:
    one = landed("a", "mail", "S0")
    assert lab.log is not None
    others = [landed("a", "mail", sample) for sample in SAMPLES[1:]]
    name = one.envelope.event_id
    same = [
        event.enveloped(event.envelope.model_copy(update={"event_id": name})) for event in others
    ]
    tasks = {partition_of(event.key.encode(), topics.PARTITIONS_EMBEDDED) for event in (one, *same)}
    assert len(tasks) > 1
    await landing(lab, one, *same)
    async with lab.working(TOY) as running:
        await until(lambda: outcomes(lab, len(tasks)), running)

        async def closed() -> bool:
            kept = [await lab.changelog(TOY, number) for number in tasks]
            return not any(key.startswith(b"effect/") for found in kept for key in found.state)

        await until(closed, running)


# -- what people see


async def test_a_worker_shows_what_it_does_and_says_when_it_has_left(lab: Lab) -> None:
    may = asyncio.Event()

    async def waits(arguments: AboutFile, attempt: Attempt) -> Sequence[Event]:
        attempt.progress(3, 10, "pages")
        await may.wait()
        return await write(arguments, attempt)

    [mail] = TOY.effects
    assert isinstance(mail, Call)
    row: Processor = replace(TOY, effects=(replace(mail, perform=waits),))

    async def shown() -> Any:
        records = await lab.facts(topics.WORKERS)
        return json.loads(records[-1].value or b"null") if records else None

    async def busy() -> bool:
        status = await shown()
        return bool(status and status["effects"] and any(t["parked_keys"] for t in status["tasks"]))

    await landing(lab, landed("a", "mail"), landed("x", "poison", "S2"))
    async with lab.working(row, name="w7", version="9") as running:
        await until(busy, running)
        status = await shown()
        may.set()
        await until(lambda: outcomes(lab, 1), running)
    assert (status["worker"], status["version"], status["burden"]) == ("w7", "9", {})
    [effect] = status["effects"]
    assert (effect["effect"], effect["subject"], effect["progress"]) == (
        "mail", "S1", [3, 10, "pages"],
    )  # fmt: skip
    assert sum(task["open_effects"] for task in status["tasks"]) == 1
    assert await shown() == {}


async def test_every_named_point_is_passed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_loop, "IDLE_COMMIT_SECONDS", 0.02)
    monkeypatch.setattr(task_loop, "BATCH_RECORDS_MAX", 1)
    monkeypatch.setattr(task_loop, "REBUILD_CHANGES_MAX", 1)
    passed: set[str] = set()
    await landing(lab, *(landed(*of) for of in [("a", "mail"), ("b", "poison"), ("c",)]))
    async with lab.working(TOY, reach=passed.add) as running:
        await until(lambda: outcomes(lab, 1), running)
        await until(lambda: _parked(lab), running)
        [record] = await lab.facts(topics.PARKED)
        event: Any = record.event
        await landing(lab, requeued(event, mended=landed("b")))
        await until(lambda: _numbered(lab, 3), running)
        # The places that no commit has moved over yet are moved over when nothing else is to do.
        await until(lambda: _passed(passed, "before-idle-commit"), running)
    async with lab.working(TOY_ANEW, reach=passed.add) as running:
        await until(lambda: _passed(passed, "after-rebuild"), running)
    assert passed == set(POINTS)


async def _passed(passed: set[str], point: str) -> bool:
    return point in passed
