"""The loop under the simulator: what dies stays dead, what stops comes back, nothing else moves."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.simulation.loop import Killed, SimulatedLoop


def run(main: Callable[[SimulatedLoop], Coroutine[Any, Any, Any]], seed: int = 0) -> Any:
    """What a coroutine answers that is given its loop."""
    loop = SimulatedLoop(seed)  # type: ignore[abstract]  # it has no I/O
    return loop.run_until_complete(main(loop))


async def tick(loop: SimulatedLoop, said: list[str], name: str) -> None:
    """Say the time every second, and whether it ends."""
    try:
        while True:
            await asyncio.sleep(1)
            said.append(f"{name} {loop.time():g}")
    finally:
        said.append(f"{name} ended")


def test_time_passes_when_nothing_else_is_to_be_done() -> None:
    async def main(loop: SimulatedLoop) -> float:
        await asyncio.sleep(86_400)
        return loop.time()

    assert run(main) == 86_400


def test_a_killed_process_never_runs_again_not_even_to_its_end() -> None:
    async def main(loop: SimulatedLoop) -> list[str]:
        said: list[str] = []
        victim = loop.process("victim")
        loop.spawn(victim, tick(loop, said, "victim"))
        await asyncio.sleep(2.5)
        loop.kill(victim)
        await asyncio.sleep(5)
        return list(said)

    assert run(main) == ["victim 1", "victim 2"]


def test_a_process_that_kills_itself_ends_in_that_very_step() -> None:
    said: list[str] = []

    async def ends_itself(loop: SimulatedLoop) -> None:
        process = loop._processes[1]
        loop.kill(process)
        raise Killed

    async def main(loop: SimulatedLoop) -> None:
        victim = loop.process("victim")
        loop.spawn(victim, tick(loop, said, "victim"))
        loop.spawn(victim, ends_itself(loop))
        await asyncio.sleep(5)

    run(main)
    assert "victim 1" not in said


def test_a_stopped_process_wakes_up_too_late_and_does_not_know() -> None:
    async def main(loop: SimulatedLoop) -> list[str]:
        said: list[str] = []
        zombie = loop.process("zombie")
        loop.spawn(zombie, tick(loop, said, "zombie"))
        loop.spawn(loop.process("other"), tick(loop, said, "other"))
        await asyncio.sleep(1.5)
        loop.stop_process(zombie, 10)
        await asyncio.sleep(12)
        return [line for line in said if line.startswith("zombie")]

    assert run(main)[:2] == ["zombie 1", "zombie 11.5"]


def test_a_fuse_burns_down_with_the_steps_of_its_process() -> None:
    async def main(loop: SimulatedLoop) -> list[str]:
        said: list[str] = []
        victim = loop.process("victim")
        victim.fuse, victim.burnt = 4, lambda: loop.kill(victim)
        loop.spawn(victim, tick(loop, said, "victim"))
        await asyncio.sleep(60)
        return list(said)

    assert 0 < len(run(main)) < 4


def test_the_seed_decides_who_goes_first() -> None:
    async def say(said: list[int], number: int) -> None:
        said.append(number)

    async def main(loop: SimulatedLoop) -> tuple[int, ...]:
        said: list[int] = []
        for number in range(5):
            loop.spawn(loop.process(str(number)), say(said, number))
        await asyncio.sleep(1)
        return tuple(said)

    assert run(main, 1) == run(main, 1)
    assert len({run(main, seed) for seed in range(20)}) > 10


def test_sets_of_tasks_have_one_order() -> None:
    async def main(loop: SimulatedLoop) -> list[str]:
        tasks = {asyncio.create_task(asyncio.sleep(1), name=str(number)) for number in range(50)}
        await asyncio.wait(tasks)
        return [task.get_name() for task in tasks]

    assert run(main) == run(main)


def test_the_dead_are_buried_without_a_word() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async def group() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(asyncio.Event().wait())
                tasks.create_task(tick(loop, [], "inner"))

        victim = loop.process("victim")
        loop.spawn(victim, group())
        await asyncio.sleep(3)
        loop.kill(victim)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run(main)
        gc.collect()
    assert said == []


def test_waiting_for_ever_is_said() -> None:
    async def main(_loop: SimulatedLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="all processes wait for ever after 0 s"):
        run(main)
