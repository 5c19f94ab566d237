"""One run: a world from a seed, its faults, the quiet after them, and what is then true."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from asyncio import create_task, sleep
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from genoflow.processors import runner, task, task_loop, worker
from tests.simulation.chaos import Chaos
from tests.simulation.invariants import broken_by
from tests.simulation.ledgers import Ledgers
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import Person, Porch
from tests.simulation.world import World

QUIET_LOOK_SECONDS = 2.0
QUIET_SECONDS_MAX = 400.0  # after the last fault: lanes of retries and sessions end long before

# Every limit is so small that a run meets it; what only shows itself to people is seldom written.
LIMITS: Mapping[Any, Mapping[str, float]] = {
    worker: {"POLL_SECONDS": 15.0, "STATUS_SECONDS": 3_600.0},
    runner: {"CALLS_RUNNING_MAX": 2, "JOBS_WATCHED_MAX": 2, "TIMERS_STALE_MAX": 1},
    task: {"HOT_STATES_MAX": 1},
    task_loop: {
        "BATCH_RECORDS_MAX": 3,
        "INBOX_RECORDS_MAX": 4,
        "OPEN_EFFECTS_MAX": 5,
        "REBUILD_CHANGES_MAX": 2,
    },
}


@dataclass(slots=True)
class Run:
    """What came of one seed."""

    seed: int
    digest: str
    steps: int
    seconds: float
    broken: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    passed: frozenset[str] = frozenset()


@contextlib.contextmanager
def quiet_words() -> Iterator[None]:
    """Workers that die by the hundred say nothing of it."""
    with contextlib.ExitStack() as stack:
        for name in ("genoflow.worker", "genoflow.task"):
            words = logging.getLogger(name)
            stack.enter_context(mock.patch.object(words, "disabled", True))
        yield


@contextlib.contextmanager
def small_limits() -> Iterator[None]:
    """The limits of a simulated worker."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet_words())
        for module, values in LIMITS.items():
            for name, value in values.items():
                stack.enter_context(mock.patch.object(module, name, value))
        yield


def simulate(seed: int, *, faults: bool = True, telling: bool = False) -> Run:
    """Run one seed to its end and say what was broken."""
    loop = SimulatedLoop(seed, in_order=seed % 2 == 0)  # type: ignore[abstract]  # no I/O in it
    world = loop.build(lambda: World(seed, loop, faults=faults, telling=telling))
    with small_limits():
        try:
            broken = loop.run_until_complete(_whole(world))
        except Exception as error:  # noqa: BLE001 -- whatever ends a run is a finding, with its seed
            broken = [*world.broken, f"a run has an end: {type(error).__name__}: {error}"]
    passed = frozenset(world.passed)
    return Run(seed, _digest(world), loop.steps, loop.time(), broken, world.told, passed)


async def _whole(world: World) -> list[str]:
    porch, person, chaos = Porch(world), Person(world), Chaos(world)
    create_task(person.run())  # noqa: RUF006 -- the loop keeps every task
    for machine in world.machines:
        create_task(machine.run())  # noqa: RUF006
    reports = create_task(porch.run())
    if world.has_faults:
        await chaos.run()
    await reports
    world.has_faults = False
    world.say("no more faults")
    ledgers = Ledgers(world)
    reason = await _become_quiet(world, ledgers, person)
    if reason:
        world.broken.append(f"all comes to rest: {reason}")
    return world.broken + broken_by(world, ledgers)


async def _become_quiet(world: World, ledgers: Ledgers, person: Person) -> str:
    """Wait until nothing is left to do; why it is not, where that does not come."""
    until = world.loop.time() + QUIET_SECONDS_MAX
    reason = "it was not looked at"
    while world.loop.time() < until:
        await sleep(QUIET_LOOK_SECONDS)
        if not person.is_done:
            reason = "the person is still at work"
            continue
        reason = ledgers.unrest()
        if not reason and not ledgers.timers_wait():
            return ""
        if not reason:
            world.clock.jump(25 * 3_600)
    return reason or "deadlines go on for ever"


def _digest(world: World) -> str:
    """What this run was: every record of every topic, and every step that was taken."""
    whole = hashlib.sha256(str(world.loop.digest).encode())
    for name, partition, record in world.records():
        whole.update(repr((name, partition, record.offset, record.raw)).encode())
    return whole.hexdigest()
