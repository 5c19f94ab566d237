"""The runner waits: for timers on a clock that jumps, and for jobs that outlive it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import JobOrder, Ports
from genoflow.processors.processor import Job, Timer
from genoflow.processors.runner import Runner
from tests.fakes import BEGINNING, FakeClock, FakeLauncher, FakeStore
from tests.integration.effects import Told, effect, said, until
from tests.owner import NO_PAUSES, Owner


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def runner(clock: FakeClock) -> AsyncIterator[Runner]:
    opened = Runner(Ports(clock=clock), pauses_seconds=NO_PAUSES)
    yield opened
    await opened.close()


@pytest.fixture
def owner(runner: Runner) -> Owner:
    return Owner(runner)


# -- timers


def timer(due_at: datetime, number: int = 1) -> OpenEffect:
    return effect("timer", number, text=due_at.isoformat())


def waits(due: Callable[[Told], datetime] | None = None) -> Timer:
    return Timer(
        "timer", Told, (SubjectSilent,),
        due_at=due or (lambda told: datetime.fromisoformat(told.text)),
        passed=lambda told: said(told.text),
    )  # fmt: skip


async def test_a_timer_passes_when_the_clock_says_so_however_it_jumps(
    runner: Runner, owner: Owner, clock: FakeClock
) -> None:
    hour, day = BEGINNING + timedelta(hours=1), BEGINNING + timedelta(days=1)
    owner.open(waits(), timer(day, 1), timer(hour, 2), timer(BEGINNING, 3))
    await until(lambda: len(owner.outcomes) == 1)
    clock.jump(-7_200)  # back: what was an hour away is three
    clock.jump(2 * 3_600 + 3_599)
    assert len(owner.outcomes) == 1
    clock.jump(1)
    await until(lambda: len(owner.outcomes) == 2)
    clock.jump(10 * 86_400)
    await until(lambda: len(owner.outcomes) == 3)
    assert [outcome.occurred_at for outcome in owner.outcomes] == [BEGINNING, hour, day]


async def test_timers_of_who_left_and_closed_ones_do_not_pass(
    runner: Runner, owner: Owner, clock: FakeClock
) -> None:
    leaves = Owner(runner)
    soon = BEGINNING + timedelta(seconds=10)
    closed = timer(soon, 1)
    owner.open(waits(), closed, timer(soon, 2))
    leaves.open(waits(), timer(soon, 3))
    runner.settled(owner, closed)
    runner.drop(leaves)
    clock.jump(60)
    await until(lambda: owner.outcomes)
    assert owner.done == [timer(soon, 2).effect_id]
    assert leaves.outcomes == []


async def test_a_timer_whose_row_raises_is_parked(runner: Runner, owner: Owner) -> None:
    def broken(_told: Told) -> datetime:
        raise ZeroDivisionError("ours")

    owner.open(waits(broken), timer(BEGINNING))
    await until(lambda: owner.outcomes)
    assert owner.outcomes[0].error_class == "ZeroDivisionError"


# -- jobs


class World:
    """A store and a launcher that several runners share, as workers do."""

    def __init__(self, program: Callable[[JobOrder], JobOutcome | None]) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.launcher = FakeLauncher(self.store, "work", program, lambda _: 0.05)

    def runner(self) -> Runner:
        ports = Ports(self.clock, self.store, self.launcher, outcome_bucket="work")
        return Runner(ports, pauses_seconds=NO_PAUSES)


def job(**options: Any) -> Job:
    return Job(
        "job", Told, (SubjectSilent,),
        order=lambda told: JobOrder(("run", told.text)),
        collect=lambda told, body: said(JobOutcome.model_validate_json(body).output),
        **options,
    )  # fmt: skip


def runs(order: JobOrder) -> JobOutcome | None:
    return None if order.program[1] == "dies" else JobOutcome(exit_code=0, output="ran")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(runs)
    yield made
    await made.launcher.close()


async def test_a_job_is_adopted_by_its_id_and_launched_once(world: World) -> None:
    first, second = world.runner(), world.runner()
    dies, adopts = Owner(first), Owner(second)
    one = effect("job", text="ok")
    dies.open(job(), one)
    await until(lambda: world.launcher.begun[one.effect_id])
    first.drop(dies)
    await first.close()
    adopts.open(job(), one)
    await until(lambda: adopts.outcomes)
    assert [e.key for e in adopts.outcomes[0].events] == ["ran"]
    assert dies.outcomes == []
    assert world.launcher.asked[one.effect_id] == 1
    await second.close()


async def test_a_job_that_left_no_outcome_is_parked(world: World) -> None:
    runner = world.runner()
    owner = Owner(runner)
    owner.open(job(), effect("job", text="dies"))
    await until(lambda: owner.outcomes)
    assert "left no outcome at work/effects/" in (owner.outcomes[0].parked or "")
    await runner.close()


@pytest.mark.parametrize("closed", [True, False])
async def test_a_job_that_is_closed_or_takes_too_long_is_ended(closed: bool) -> None:
    world = World(runs)
    world.launcher = FakeLauncher(world.store, "work", runs, lambda _: 600)
    runner = world.runner()
    owner = Owner(runner)
    one = effect("job", text="ok")
    owner.open(job(seconds_max=600 if closed else 0.3), one)
    await until(lambda: world.launcher.begun[one.effect_id])
    if closed:
        runner.settled(owner, one)
    await until(lambda: world.launcher.jobs[one.effect_id].state == "ended")
    if not closed:
        await until(lambda: owner.outcomes)
        assert "(tried 1 times)" in (owner.outcomes[0].parked or "")
    assert world.launcher.asked[one.effect_id] == 1
    await runner.close()
    await world.launcher.close()


async def test_a_dropped_job_goes_on(world: World) -> None:
    runner = world.runner()
    owner = Owner(runner)
    one = effect("job", text="ok")
    owner.open(job(), one)
    await until(lambda: world.launcher.begun[one.effect_id])
    runner.drop(owner)
    key = ("work", f"effects/{one.effect_id}/outcome")
    await until(lambda: key in world.store.versions)
    assert owner.outcomes == []
    await runner.close()
