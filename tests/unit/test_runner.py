"""The runner: lanes in order, places bounded, failures closed, nothing done for who has left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from genoflow.events.errors import Parked, Retry, Stop
from genoflow.events.event import Event
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.processor import Call
from genoflow.processors.runner import CALLS_RUNNING_MAX, Runner
from tests.fakes import FakeClock
from tests.integration.effects import Told, effect, said, until
from tests.owner import NO_PAUSES, Calls, Owner


def call(text: str, number: int = 1, lane: str = "S1") -> OpenEffect:
    return effect("call", number, lane, text=text)


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


@pytest.fixture
def calls() -> Calls:
    return Calls()


# -- lanes and places


async def test_a_lane_is_done_in_order_and_others_go_on(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    calls.gates["a1"] = asyncio.Event()
    one, two, other = call("a1", 1, "a"), call("a2", 2, "a"), call("b1", 3, "b")
    owner.open(calls.kind(), one, two, other)
    await until(lambda: other.effect_id in owner.done)
    assert calls.begun == ["a1", "b1"]
    calls.gates["a1"].set()
    await until(lambda: len(owner.done) == 3)
    assert owner.done == [other.effect_id, one.effect_id, two.effect_id]


async def test_the_next_of_a_lane_waits_until_the_outcome_stands(
    runner: Runner, calls: Calls
) -> None:
    owner = Owner(runner, commits=False)
    owner.open(calls.kind(), call("1", 1), call("2", 2))
    await until(lambda: owner.outcomes)
    await asyncio.sleep(0)
    assert calls.begun == ["1"]
    owner.commit(owner.outcomes[0])
    await until(lambda: len(owner.outcomes) == 2)


async def test_a_parked_head_holds_its_lane_and_goes_first_when_it_is_opened_again(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    calls.fails["1"] = [Parked("look at it")]
    head, next_one, other = call("1", 1), call("2", 2), call("3", 3, "S2")
    owner.open(calls.kind(), head, next_one, other)
    await until(lambda: len(owner.outcomes) == 2)
    assert sorted(calls.begun) == ["1", "3"]
    assert owner.outcomes[0].parked == "look at it"
    assert owner.outcomes[0].error_class == "Parked"
    owner.requeue(head)
    await until(lambda: next_one.effect_id in owner.done)
    assert calls.begun[2:] == ["1", "2"]


async def test_an_effect_that_is_adopted_parked_only_keeps_its_place(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    head = call("1", 1)
    owner.open(calls.kind(), head.model_copy(update={"parked": "why"}), call("2", 2))
    owner.open(calls.kind(), call("3", 3, "S2"))
    await until(lambda: owner.outcomes)
    assert calls.begun == ["3"]
    runner.settled(owner, head)  # discarded
    await until(lambda: len(owner.outcomes) == 2)
    assert calls.begun == ["3", "2"]


async def test_of_a_thousand_calls_a_bounded_number_runs_at_once(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    effects = [call(str(n), n, f"S{n}") for n in range(1_000)]
    owner.open(calls.kind(), *effects)
    assert len(runner.doing()) == CALLS_RUNNING_MAX
    await until(lambda: len(owner.done) == 1_000)
    assert calls.running_max == CALLS_RUNNING_MAX
    await until(lambda: runner.doing() == [])


async def test_what_is_closed_before_it_began_leaves_its_place_to_others(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    """Cancelled before its first step, a task runs none of its code, and no `finally` either."""
    for number in range(CALLS_RUNNING_MAX * 2):
        one = call(str(number), number)
        owner.open(calls.kind(), one)
        runner.settled(owner, one)
        await asyncio.sleep(0)
    assert calls.begun == []
    owner.open(calls.kind(), call("after", 1_000))
    await until(lambda: calls.begun == ["after"])


# -- failures


async def test_retry_is_tried_again_then_given_up_or_parked(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    calls.fails["1"] = [Retry("away")] * 3
    calls.fails["2"] = [Retry("away")] * 4
    calls.fails["3"] = [TimeoutError()] * 4
    owner.open(calls.kind(), call("1", 1, "a"), call("2", 2, "b"))
    owner.open(calls.kind(gives_up=lambda told, why: said(f"{told.text} gave up: {why}")),
               call("3", 3, "c"))  # fmt: skip
    await until(lambda: len(owner.outcomes) == 3)
    keys = {o.effect_id: [e.key for e in o.events] for o in owner.outcomes}
    assert keys[call("1", 1, "a").effect_id] == ["1"]
    (parked,) = [o for o in owner.outcomes if o.parked]
    assert (parked.parked, parked.error_class) == ("away (tried 4 times)", "Retry")
    assert "3 gave up: call" in keys[call("3", 3, "c").effect_id][0]


async def test_a_call_that_never_ends_is_ended(runner: Runner, owner: Owner, calls: Calls) -> None:
    calls.gates["1"] = asyncio.Event()
    owner.open(calls.kind(seconds_max=0.01), call("1"))
    await until(lambda: owner.outcomes)
    assert "not done within 0.01 s" in (owner.outcomes[0].parked or "")
    assert calls.running == 0


async def test_stop_ends_the_worker_and_a_bug_parks(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    calls.fails = {"1": [Stop("cannot")], "2": [ZeroDivisionError("ours")]}
    owner.open(calls.kind(), call("1", 1, "a"), call("2", 2, "b"))
    await until(lambda: owner.failed and owner.outcomes)
    assert owner.outcomes[0].error_class == "ZeroDivisionError"
    assert "ours" in owner.outcomes[0].error_trace


async def test_a_row_that_fails_to_give_up_parks(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    calls.fails["1"] = [Retry("away")] * 4
    owner.open(calls.kind(gives_up=lambda told, why: 1 / 0), call("1"))
    await until(lambda: owner.outcomes)
    assert owner.outcomes[0].error_class == "ZeroDivisionError"


# -- owners that leave, and the end


async def test_who_is_dropped_hears_nothing_more(runner: Runner, calls: Calls) -> None:
    leaves, stays = Owner(runner), Owner(runner)
    calls.gates["1"] = asyncio.Event()
    leaves.open(calls.kind(), call("1", 1), call("2", 2))
    stays.open(calls.kind(), call("3", 3))
    await until(lambda: stays.outcomes)
    runner.drop(leaves)
    await until(lambda: calls.running == 0)
    calls.gates["1"].set()
    stays.open(calls.kind(), call("4", 4))
    await until(lambda: len(stays.outcomes) == 2)
    assert leaves.outcomes == []
    assert "2" not in calls.begun


async def test_what_does_not_heed_its_end_is_not_delivered(runner: Runner, owner: Owner) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def deaf(told: Told, attempt: Attempt) -> Sequence[Event]:
        begun.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            ended.set()
        return said("late")

    owner.open(Call("call", Told, (SubjectSilent,), deaf), call("1"))
    await begun.wait()
    runner.drop(owner)
    await ended.wait()
    await until(lambda: runner.doing() == [])
    await asyncio.sleep(0)
    assert owner.outcomes == []


async def test_close_begins_nothing_in_the_places_that_become_free(
    clock: FakeClock, calls: Calls
) -> None:
    runner = Runner(Ports(clock=clock))
    owner = Owner(runner)
    for number in range(CALLS_RUNNING_MAX + 10):
        calls.gates[str(number)] = asyncio.Event()
        owner.open(calls.kind(), call(str(number), number, f"S{number}"))
    await until(lambda: calls.running == CALLS_RUNNING_MAX)
    await runner.close()
    await asyncio.sleep(0)
    assert (calls.running, len(calls.begun)) == (0, CALLS_RUNNING_MAX)


async def test_drain_lets_calls_end_and_begins_none(
    runner: Runner, owner: Owner, calls: Calls
) -> None:
    calls.gates["1"] = asyncio.Event()
    owner.open(calls.kind(), call("1", 1), call("2", 2))
    await until(lambda: calls.running)
    draining = asyncio.create_task(runner.drain(30))
    await asyncio.sleep(0)
    calls.gates["1"].set()
    await draining
    assert len(owner.outcomes) == 1
    assert calls.begun == ["1"]
