"""What befalls the workers: kills, stops, orderly ends, a new release, a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from genoflow.processors.reach import POINTS
from tests.simulation.world import Machine, World

FAULTS_MAX = 7
BETWEEN_SECONDS = 5.0  # twice the mean time between two faults
FUSE_STEPS_MAX = 250  # how many steps of its victim a fault waits at most
POINT_SECONDS_MAX = 4.0  # how long it waits for a named point, then it strikes anywhere
# Where a death or a long sleep is worst: a transaction is ready, or half a queue is through.
DELICATE = ("before-commit", "before-outcome-commit", "between-drain-commits", "before-drain")
SESSION_SECONDS = 10  # of the memory log's groups
RELEASE_SHARE = 0.35  # of the runs in which a second release is rolled out


class Chaos:
    """A seeded plan of misfortunes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = world.random
        self._rolls_out = self._random.random() < RELEASE_SHARE

    async def run(self) -> None:
        """Let one misfortune follow another, then leave everybody in peace."""
        for _ in range(self._random.randint(2, FAULTS_MAX)):
            await asyncio.sleep(self._random.random() * BETWEEN_SECONDS)
            await self._strike(self._random.choice(self._world.machines))
        if self._rolls_out:
            self._roll_out()

    async def _strike(self, machine: Machine) -> None:
        chance = self._random.random()
        if chance < 0.08:
            machine.stop.set()
        elif chance < 0.16:
            self._world.clock.jump(self._random.choice((-40, -5, 20, 25 * 3_600)))
        elif chance < 0.26 and self._rolls_out:
            self._roll_out()
        elif chance < 0.70:
            await self._arm(machine, machine.kill)
        else:
            beyond = self._random.random() < 0.7
            seconds = SESSION_SECONDS * (1.05 + self._random.random()) if beyond else 3.0
            await self._arm(machine, partial(machine.stop_for, seconds))

    def _roll_out(self) -> None:
        if self._world.release == 1:
            self._world.say("release 2 is deployed")
            self._world.release = 2
            for machine in self._world.machines:
                machine.stop.set()

    async def _arm(self, machine: Machine, action: Callable[[], None]) -> None:
        """Strike after some steps, or at a named point that the worker passes soon."""
        victim = machine.process
        if self._random.random() < 0.5:
            victim.burnt, victim.fuse = action, self._random.randint(1, FUSE_STEPS_MAX)
            return
        points = self._random.choice((POINTS, DELICATE))
        machine.armed = (self._random.choice(points), action)
        await asyncio.sleep(self._random.random() * POINT_SECONDS_MAX)
        if machine.armed is not None and machine.process is victim and not victim.is_dead:
            machine.armed = None
            action()
