"""No seed breaks anything, every planted defect is found, and a seed is one story."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest

from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.processors.reach import POINTS
from tests.simulation.defects import DEFECTS
from tests.simulation.many import again, find_all, run_all
from tests.simulation.run import Run, simulate
from tests.simulation.world import World
from tests.tidy.source import ROOT

pytestmark = pytest.mark.timeout(600)  # a test may wait for all seeds, of 0.1 to 0.4 s each
SEEDS = 100
SEEDS_LONG = 1_000
SEEDS_PER_DEFECT_MAX = 1_000  # each is found within about 100; see what the test prints
HAPPENINGS = (
    "append in doubt, happened: False",
    "append in doubt, happened: True",
    "commit in doubt, happened: False",
    "commit in doubt, happened: True",
    "ended: Fenced",
    "ended: OutcomeUnknown",
    "ended: StateMismatch",
    "ended: drained",
)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """The runs of the first seeds."""
    return list(run_all(range(SEEDS)))


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[int, str]]:
    """After how many seeds each planted defect is found, and by what."""
    return find_all(SEEDS_PER_DEFECT_MAX)


def broken(runs: Iterable[Run]) -> list[str]:
    return [f"python -m tests.simulation {run.seed}: {run.broken[0]}" for run in runs if run.broken]


def test_no_seed_breaks_an_invariant(runs: list[Run]) -> None:
    assert broken(runs) == []


@pytest.mark.long
def test_none_of_a_thousand_seeds_breaks_one() -> None:
    assert broken(run_all(range(SEEDS, SEEDS_LONG))) == []


def test_the_seeds_pass_every_point_and_every_misfortune(runs: list[Run]) -> None:
    passed = set[str]().union(*(run.passed for run in runs))
    assert {*POINTS, *HAPPENINGS} - passed == set()


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str, found: dict[str, tuple[int, str]]) -> None:
    after, what = found[name]
    print(f"{name}: found after {after} seeds: {what}")
    assert after > 0


def test_a_seed_is_the_same_story_again() -> None:
    first, second = again(7), again(7)
    assert first.told
    assert (first.told, first.digest) == (second.told, second.digest)


def test_a_story_changes_nothing_by_being_told() -> None:
    assert simulate(8).digest == again(8).digest


def test_seeds_are_different_stories(runs: list[Run]) -> None:
    assert len({run.digest for run in runs}) == len(runs)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_run_does_not_depend_on_the_order_of_hashes(hash_seed: str) -> None:
    command = [sys.executable, "-m", "tests.simulation", "11"]
    said = subprocess.run(
        command, cwd=ROOT, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert simulate(11).digest in said.stdout


def test_a_broken_seed_is_told_from_its_beginning(found: dict[str, tuple[int, str]]) -> None:
    name = "an effect is not adopted"
    after, what = found[name]
    command = [sys.executable, "-m", "tests.simulation", str(after - 1), "--defect", name]
    said = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert said.returncode == 1
    assert f"BROKEN  {what}" in said.stdout
    assert "worker-0.1 starts" in said.stdout


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_faults_change_no_fact(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same reports lead to the same facts in a run where nothing fails.

    Left out is what may differ rightly: samples of which something was parked, since the person
    decides anew, and whatever depends on when a deadline passed.
    """
    worlds: list[World] = []
    build = World.__init__

    def noted(world: World, *given: object, **options: object) -> None:
        build(world, *given, **options)  # type: ignore[arg-type]
        worlds.append(world)

    monkeypatch.setattr(World, "__init__", noted)
    assert simulate(seed).broken == []
    assert simulate(seed, faults=False).broken == []
    stormy, calm = (_events(world) for world in worlds)
    parked = {e.subject_key for e in (*stormy, *calm) if isinstance(e, EventParked)}
    assert _comparable(stormy, parked) == _comparable(calm, parked)


def _events(world: World) -> list[Event]:
    return [
        record.event
        for name, _, record in world.records()
        if not name.startswith("gf.changelog.")
        and record.headers
        and (record.value or b"?")[-1:] != b"?"
    ]


def _comparable(events: list[Event], parked: set[str]) -> dict[str, str]:
    """The facts whose story begins with a file of a sample that was never parked, by their id."""
    files = {e.envelope.event_id: e.key for e in events if e.type() == "FileLanded"}
    return {
        str(e.envelope.event_id): e.model_dump_json(exclude={"reads_wanted"})
        for e in events
        if e.type() in {"TopUpRequested", "NotificationFailed", "RunExited", "FileChecksummed"}
        and e.envelope.producer.service != "latecomer"
        and files[e.envelope.correlation_id] not in parked
    }
