"""Every processor of the flow, with no opt-out: delivered twice, failed and ended at every step.

A row is read from FLOW and its history is made from its types, so a new row is tested here from its
first day; one whose history makes it say nothing fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from genoflow.events.event import Event
from genoflow.events.log.memory import _MemoryTask
from genoflow.processors import task_loop
from genoflow.processors.checksum_files import CHECKSUM_FILES
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ledger import TASK, Ledger, read_ledger
from genoflow.processors.processor import Processor
from genoflow.processors.reach import POINTS
from tests import lessons
from tests.histories import history
from tests.spec import Plain, difference
from tests.trial import Ending, Trial, Tried

SEEDS = range(5)
SEEDS_TWICE = 1  # delivered twice by `make test`; `make long` does so with the others
NTH_AWAIT = 16  # `make test` ends a row at each sixteenth of its awaits, `make long` at all of them
NTH_COMMIT = 3  # and fails each third of its commits, or ends the row there
HISTORIES = 40  # of which the first is taken that makes a row say something
SHORT = 14  # events of a history that is repeated for every step of its worker: 100 to 200
# These are not passed by a worker that rebuilds nothing and finds no parked key; the unit tests
# of the worker pass them all.
ELSEWHERE = {
    "before-rebuild", "between-rebuild-commits", "after-rebuild",
    "before-drain", "between-drain-commits", "after-drain",
}  # fmt: skip
every_row = pytest.mark.parametrize("name", PROCESSORS)


def of_all(nth: int) -> pytest.MarkDecorator:
    """Each nth of what a row passes by `make test`, each one by `make long`."""
    return pytest.mark.parametrize("every", [nth, pytest.param(1, marks=pytest.mark.long)])


def chosen(name: str, count: int, every: int) -> range:
    """Each nth of so many, one at least; each row begins at another."""
    first = 1 + list(PROCESSORS).index(name) % every
    return range(max(1, min(count, first)), count + 1, every)


@cache
def said_to(name: str, seed: int) -> Tried:
    """What a row says of a history that is delivered once."""
    return Trial(PROCESSORS[name], history(PROCESSORS[name], seed)).run()


@cache
def short(name: str) -> tuple[list[Event], Tried]:
    """The first short history that makes a row say something, and what it says of it."""
    for seed in range(HISTORIES):
        events = history(PROCESSORS[name], seed, SHORT)
        tried = Trial(PROCESSORS[name], events).run()
        if len(tried.facts) >= 2:
            return events, tried
    raise AssertionError(f"{name} says nothing to {HISTORIES} histories; teach tests/lessons.py")


def same(expected: Tried, found: Tried, what: object) -> None:
    """The same facts, each once, and one outcome for each effect."""
    wanted, said = _timeless(expected.sorted_facts()), _timeless(found.sorted_facts())
    assert _ids(wanted) == _ids(said), f"{what}: {difference(wanted, said)}"
    assert wanted == said, f"{what}: {difference(wanted, said)}"
    assert max(Counter(_ids(said)).values(), default=1) == 1, f"{what}: a fact stands twice"
    assert max(found.effects.values(), default=1) == 1, f"{what}: an effect has two outcomes"
    assert found.parked == [], what


def _timeless(facts: Sequence[Plain]) -> list[Plain]:
    return [
        {**fact, "payload": {**fact["payload"], "due_at": "after the try"}}
        if fact["payload"].get("processor") in lessons.AFTER_TRIES
        else fact
        for fact in facts
    ]


def _ids(facts: Sequence[Plain]) -> list[str]:
    return [fact["id"] for fact in facts]


@every_row
def test_its_histories_make_it_say_everything_that_it_can(name: str) -> None:
    row: Processor = PROCESSORS[name]
    tried = [said_to(name, seed) for seed in SEEDS]
    said = {fact["type"] for one in tried for fact in one.facts}
    assert said == {kind.type() for kind in row.said}
    assert [one.parked for one in tried] == [[]] * len(tried)


@every_row
@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=[pytest.mark.long] * (seed >= SEEDS_TWICE)) for seed in SEEDS],
)
def test_what_is_delivered_twice_is_said_once(name: str, seed: int) -> None:
    row = PROCESSORS[name]
    events = history(row, seed)
    expected = said_to(name, seed)
    adjacent = [event for one in events for event in (one, one)]
    same(expected, Trial(row, adjacent).run(), "each record twice")
    same(expected, Trial(row, [*events, *events]).run(), "the whole history again")
    same(expected, Trial(row, events, later=events).run(), "again when all was at rest")


@every_row
@of_all(NTH_COMMIT)
def test_every_commit_fails_once(name: str, every: int) -> None:
    events, expected = short(name)
    for what in ("commit before", "commit after"):
        count = expected.happened[what]
        assert count > 0
        for nth in chosen(name, count, every):
            ending = Ending(what, nth, kills=False)
            tried = Trial(PROCESSORS[name], events, [ending]).run()
            same(expected, tried, ending)
            assert tried.lives == 2, ending


@every_row
def test_every_other_commit_fails_in_one_run(name: str) -> None:
    events, expected = short(name)
    endings = [Ending("commit before", nth, kills=False) for nth in range(1, 60, 4)]
    endings += [Ending("commit after", nth, kills=False) for nth in range(2, 60, 4)]
    tried = Trial(PROCESSORS[name], events, endings).run()
    same(expected, tried, "every other commit")
    # A row that hops says little on what it reads, so its history is worked off in few commits.
    assert tried.lives >= min(4, expected.happened["commit before"])


@every_row
@of_all(NTH_AWAIT)
def test_it_is_ended_at_every_await(name: str, every: int) -> None:
    events, expected = short(name)
    for nth in chosen(name, expected.happened["step"], every):
        ending = Ending("step", nth)
        same(expected, Trial(PROCESSORS[name], events, [ending]).run(), ending)


@every_row
@of_all(NTH_COMMIT)
def test_it_is_ended_at_every_named_point_and_around_every_commit(name: str, every: int) -> None:
    events, expected = short(name)
    whole = expected.happened
    endings = [
        Ending(what, nth)
        for what in ("commit before", "commit after")
        for nth in chosen(name, whole[what], every)
    ]
    for point in POINTS:
        endings += [Ending(point, nth) for nth in sorted({1, whole[point]}) if nth <= whole[point]]
    for ending in endings:
        same(expected, Trial(PROCESSORS[name], events, [ending]).run(), ending)


def test_the_rows_together_pass_every_point_but_those_tested_elsewhere() -> None:
    passed = {what for name in PROCESSORS for what in short(name)[1].happened}
    assert set(POINTS) - passed == ELSEWHERE


# -- and it bites: what is broken on purpose is found by what stands above


def forgetful(row: Processor) -> Processor:
    """The row without what it remembers: every event is the first one."""
    return replace(row, evolve=lambda _state, _event: row.state())


@pytest.mark.parametrize(
    "name", ["checksum-files", "clock-sample", "watch-silence", "check-run-qc"]
)
def test_a_row_that_forgets_is_found(name: str) -> None:
    row = forgetful(PROCESSORS[name])
    events = history(row, 1)
    with pytest.raises(AssertionError):
        same(Trial(row, events).run(), Trial(row, events, later=events).run(), "")


def test_an_effect_that_nobody_adopts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    events, expected = short("checksum-files")

    def without_effects(place: str, records: Mapping[bytes, bytes]) -> Ledger:
        ledger = read_ledger(place, records)
        ledger.effects.clear()
        return ledger

    monkeypatch.setattr(task_loop, "read_ledger", without_effects)
    with pytest.raises(AssertionError, match="does not come to rest: the effect checksum is open"):
        same(expected, Trial(CHECKSUM_FILES, events, [Ending("after-commit", 1)]).run(), "")


def test_a_place_that_is_kept_apart_from_the_facts_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "watch-silence"
    events, expected = short(name)

    async def position_first(session: Any, events: Any, changes: Any, position: int) -> None:
        stamp = {key: value for key, value in changes.items() if key == TASK}
        await commit(session, (), stamp, position)
        await commit(session, events, changes, position)

    commit = _MemoryTask.commit
    monkeypatch.setattr(_MemoryTask, "commit", position_first)
    with pytest.raises(AssertionError):
        same(expected, Trial(PROCESSORS[name], events, [Ending("commit before", 2)]).run(), "")
