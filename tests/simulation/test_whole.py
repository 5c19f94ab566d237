"""No seed breaks the whole flow, and the verdict on them finds what is wrong."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from uuid import UUID

import pytest

from genoflow.processors.flow import PROCESSORS
from tests.simulation.defects import DEFECTS
from tests.simulation.many import cores
from tests.simulation.whole import SAMPLES, Result, calm, play, simulate_whole
from tests.whole.cohort import make
from tests.whole.verdict import Fact, judge

pytestmark = pytest.mark.timeout(600)  # a test may wait for all seeds, of 0.4 s each
SEEDS = 100
SEEDS_LONG = 1_000
AT_ONCE = 25
SEEDS_OF_A_DEFECT_MAX = 20  # each is found within seven
# Those of the worker that show in facts: deciders drop repetitions, so a repeated one does not.
PLANTED = (
    "the position moves first", "the state is kept later", "an effect is not adopted",
    "an effect begins before its transaction", "an outcome does not close its effect",
)  # fmt: skip
FULL = 4  # a cohort of which everything is published


def played(seeds: range) -> list[Result]:
    with multiprocessing.get_context("spawn").Pool(cores()) as pool:
        return list(pool.imap(simulate_whole, seeds, chunksize=AT_ONCE))


def broken(results: list[Result]) -> list[str]:
    return [
        f"python -m tests.simulation.whole {one.seed}: {one.broken[0]}"
        for one in results
        if one.broken
    ]


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """What came of the first seeds."""
    return played(range(SEEDS))


def test_no_seed_breaks_the_whole_flow(results: list[Result]) -> None:
    assert broken(results) == []


@pytest.mark.long
def test_none_of_a_thousand_seeds_breaks_it() -> None:
    assert broken(played(range(SEEDS, SEEDS_LONG))) == []


def test_workers_die_everywhere(results: list[Result]) -> None:
    assert sum(one.kills for one in results) >= SEEDS
    points = set[str]().union(*(one.passed for one in results))
    assert {
        "before-commit",
        "after-commit",
        "effect-begins",
        "effect-done",
        "after-fence",
    } <= points


def test_the_way_from_the_sequencer_to_the_receiver_is_walked() -> None:
    said = {fact.by for fact in play(make(3, 40, 20)).facts}
    assert said >= {
        "register-read-sets", "tell-samples", "validate-files", "judge-reads", "await-members",
        "submit-run", "collect-results", "deliver", "clock-notification",
    }  # fmt: skip
    assert said <= {*PROCESSORS, "tests"}


@pytest.mark.parametrize("defect", PLANTED)
def test_a_planted_defect_is_found(defect: str) -> None:
    for seed in range(SEEDS_OF_A_DEFECT_MAX):
        calm(seed)
        with DEFECTS[defect]():
            if simulate_whole(seed).broken:
                return
    pytest.fail(f"{defect}: {SEEDS_OF_A_DEFECT_MAX} seeds, and the verdict found nothing")


def _twice(facts: list[Fact], kind: str) -> list[Fact]:
    [first, *_] = [fact for fact in facts if fact.kind == kind]
    return [*facts, first._replace(event_id=UUID(int=1))]


def _without(facts: list[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact.kind != kind]


SPOILS: dict[str, tuple[Callable[[list[Fact]], list[Fact]], str]] = {
    "a verdict twice": (lambda facts: _twice(facts, "QcPassed"), "verdict"),
    "no verdict": (lambda facts: _without(facts, "QcPassed"), "verdict"),
    "a run twice": (lambda facts: _twice(facts, "RunSubmitted"), "run"),
    "no run": (lambda facts: _without(facts, "RunSucceeded"), "run"),
    "a plan twice": (lambda facts: _twice(facts, "NotificationPlanned"), "notification"),
    "a letter lost": (lambda facts: _without(facts, "NotificationSent"), "notification"),
    "a fact twice": (lambda facts: [*facts, facts[-1]], "duplicate"),
    "a fact lost": (lambda facts: _without(facts, "FileChecksummed"), "state"),
    "a fact too early": (
        lambda facts: [fact._replace(offset=10_000 - fact.offset) for fact in facts], "order",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILS)
def test_the_verdict_finds_it(name: str) -> None:
    cohort = make(FULL, SAMPLES, SAMPLES)
    facts = play(cohort).facts
    assert judge(cohort, facts, calm(FULL)).is_clean
    spoil, kind = SPOILS[name]
    found = judge(cohort, spoil(facts), calm(FULL))
    assert any(line.startswith(f"{kind}:") for line in found.examples), found.examples
