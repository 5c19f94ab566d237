"""Plays one scenario: everything that is done is drawn from its seed, and the log is kept.

Faults come one after another, each when work goes on again, so that every one of them meets a
worker that has something to lose. Orders at named points are taken by whoever passes there.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import inputs
from tests.faults.brokers import Cluster
from tests.faults.crew import ROOT, Crew
from tests.faults.scenarios import (
    DRAIN_POINTS,
    MOVING_POINTS,
    REBUILD_POINTS,
    STOP_POINTS,
    Scenario,
    Toxic,
)
from tests.faults.stage import Stage, make_topics
from tests.faults.toxiproxy import Link

LOOK_SECONDS = 0.05
TAKEN_SECONDS_MAX = 20.0  # then the partitions are made to move, and after that it is given up
WORK_SECONDS_MAX = 25.0  # between two faults: a session, a takeover, and then an outcome
STALL_SECONDS_MAX = 90.0  # at the end: nothing new for so long, and the verdict is called
VERDICT_SECONDS_MAX = 600.0
EXTRA = "extra"
# What a verdict counts against the worker; all of them are nought, or the run has failed.
FAULTS = (
    "lost", "duplicates", "out_of_order", "double_effects", "wrong_states", "left_open", "hanging",
)  # fmt: skip

Say = Callable[[str], None]


@dataclass
class Drama:
    """One scenario under way."""

    scenario: Scenario
    cluster: Cluster
    crew: Crew
    stage: Stage
    say: Say
    link: Link | None = None
    broker_kills: int = 0
    rebalances: int = 0
    toxics: list[str] = field(default_factory=list)
    played: int = 0
    _orders: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.scenario.seed)
        self.deck = self._deck()

    def target(self) -> float:
        """How much of the inputs may be in: as much as there were faults, and a little ahead."""
        return (self.played + 1) / (len(self.deck) + 1)

    def _deck(self) -> list[Callable[[], Awaitable[None]]]:
        scenario, deck = self.scenario, list[Callable[[], Awaitable[None]]]()
        points = [p for p in scenario.points if p not in DRAIN_POINTS]
        named = scenario.kills // 2 - sum(p in DRAIN_POINTS for p in scenario.points)
        for number in range(named):
            deck.append(self._named_kill(points[number % len(points)]))
        releases = sum(points[n % len(points)] in REBUILD_POINTS for n in range(named))
        # A release kills all workers, and an order at a point is taken by one of them.
        for _ in range(scenario.kills - scenario.kills // 2 - releases * scenario.workers):
            deck.append(self.kill)
        for number in range(scenario.stops):
            point = STOP_POINTS[number // 2 % len(STOP_POINTS)] if number % 2 == 0 else None
            deck.append(self._stop(point))
        deck += [self.kill_broker] * scenario.broker_kills
        deck += [self.rebalance] * scenario.rebalances
        deck += [self._spoil(toxic) for toxic in scenario.toxics]
        self.chance.shuffle(deck)
        return deck

    # -- the play

    async def play(self) -> None:
        """All faults of the deck, then quiet until everything is processed."""
        for number in range(self.scenario.workers):
            self.crew.start(f"worker-{number + 1}")
        self.crew.begin()
        self.stage.begin()
        self._orders = asyncio.create_task(self._standing_orders())
        for act in self.deck:
            await self._until_work_goes_on()
            await act()
            self.played += 1
            self.say(
                f"{self.played}/{len(self.deck)}: {self.crew.kills.total()} kills, "
                f"{self.crew.stops.total()} stops, {self.broker_kills} broker kills, "
                f"{self.stage.fed:,} in, {len(self.stage.done):,} out"
            )
        self.played = len(self.deck)
        await self._until_all_is_done()
        self._orders.cancel()
        await asyncio.gather(self._orders, return_exceptions=True)
        await self.crew.end()
        await self.stage.end()

    async def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not holds():
            self.stage.check()
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

    async def _until_work_goes_on(self) -> None:
        before = len(self.stage.done)
        await self._until(lambda: len(self.stage.done) > before, WORK_SECONDS_MAX)
        await asyncio.sleep(self.chance.uniform(0.0, 1.0))  # not always just when it goes on

    async def _until_all_is_done(self) -> None:
        self.stage.moved_at = time.monotonic()

        def is_over() -> bool:
            stalled = time.monotonic() - self.stage.moved_at > STALL_SECONDS_MAX
            return self.stage.is_complete() or stalled

        while not is_over():
            self.stage.check()
            await asyncio.sleep(LOOK_SECONDS)

    # -- what is done

    async def kill(self) -> None:
        """kill -9 to any of them, anywhere."""
        await self._until(lambda: bool(self.crew.at_work()), WORK_SECONDS_MAX)
        await self._until_work_goes_on()
        hands = self.crew.at_work()
        if hands and not self.crew.kill(self.chance.choice(hands)):
            await self.kill()  # that was the blow of a standing order; this one is still owed

    def _named_kill(self, point: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            before = self.crew.kills[point]
            rare = point in MOVING_POINTS or point in REBUILD_POINTS
            self.crew.arm(point, 1 if rare else self.chance.randint(1, 5), signal.SIGKILL)
            if point in REBUILD_POINTS:
                self._release()
            elif point in MOVING_POINTS:
                await self.rebalance()
            if not await self._until(lambda: not self.crew.is_armed(point), TAKEN_SECONDS_MAX):
                await self.rebalance()
            await self._until(lambda: not self.crew.is_armed(point), TAKEN_SECONDS_MAX)
            if self.crew.disarm(point):
                self.say(f"nobody passed {point}: killed anywhere instead")
                await self.kill()
            else:
                await self._until(lambda: self.crew.kills[point] > before, TAKEN_SECONDS_MAX)

        return act

    def _stop(self, point: str | None) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            if point is not None:
                self.crew.arm(point, 1, signal.SIGSTOP)
                if point in MOVING_POINTS:
                    await self.rebalance()
                await self._until(lambda: bool(self.crew.stopped()), TAKEN_SECONDS_MAX)
                self.crew.disarm(point)
            if not self.crew.stopped():
                await self._until(lambda: bool(self.crew.at_work()), WORK_SECONDS_MAX)
                if hands := self.crew.at_work():
                    os.kill(self.chance.choice(hands).process.pid, signal.SIGSTOP)
            await asyncio.sleep(self.scenario.session_seconds + self.chance.uniform(2.0, 4.0))
            for pid in self.crew.stopped():
                self.crew.go_on(pid)

        return act

    def _release(self) -> None:
        """A new release folds its states anew: all old workers end, new ones start."""
        self.crew.kill_all()
        self.crew.state_version += 1
        for name in list(self.crew.hands):
            self.crew.start(name)

    async def rebalance(self) -> None:
        """One more worker joins, or leaves again: all partitions move, transactions are open."""
        self.rebalances += 1
        extra = self.crew.hands.get(EXTRA)
        if extra is None:
            self.crew.start(EXTRA)
        else:
            self.crew.leave(extra)

    async def kill_broker(self) -> None:
        """kill -9 to a broker, which comes back after a while."""
        broker = self.chance.choice(self.cluster.brokers)
        await self.cluster.kill(broker)
        self.broker_kills += 1
        await asyncio.sleep(self.chance.uniform(0.0, 5.0))
        await self.cluster.start_one(broker)
        await self.cluster.until_in_sync()

    def _spoil(self, toxic: Toxic) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            assert self.link is not None
            await self.link.spoil(toxic.kind, dict(toxic.attributes), toxic.stream)
            await asyncio.sleep(toxic.seconds)
            await self.link.heal()
            self.toxics.append(toxic.kind)

        return act

    async def _standing_orders(self) -> None:
        """Orders where a parked key drains: they wait until somebody comes by."""
        for point in DRAIN_POINTS:
            if point in self.scenario.points:
                self.crew.arm(point, 1, signal.SIGKILL)
                while self.crew.is_armed(point):
                    await asyncio.sleep(LOOK_SECONDS)


async def verdict_of(address: str, prefix: str, room: Path) -> dict[str, Any]:
    """What the separate program says of the kept log."""
    out = room / "verdict.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.verdict", "--kafka", address),
        *("--prefix", prefix, "--room", str(room), "--out", str(out)),
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(VERDICT_SECONDS_MAX):
        code = await process.wait()
    if not out.exists():
        raise RuntimeError(f"{room}: the verdict ended with {code} and wrote nothing")
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert (code == 0) == is_clean(found), (code, found)
    return found


def is_clean(found: dict[str, Any]) -> bool:
    """Whether a verdict found nothing."""
    return not any(found[name] for name in FAULTS)


async def play(
    scenario: Scenario, cluster: Cluster, room: Path, say: Say, link: Link | None = None
) -> dict[str, Any]:
    """Play a scenario on running brokers; its row of benchmarks/faults.json."""
    room.mkdir(parents=True, exist_ok=True)
    prefix = f"{scenario.name}."
    rows = inputs.make(scenario.seed, scenario.events, scenario.poisoned)
    inputs.write(room / "inputs.jsonl", scenario.seed, rows)
    await make_topics(cluster.address, prefix, cluster.size)
    crew = Crew(cluster.workers_address, prefix, room, scenario.session_seconds)
    stage = Stage(cluster.address, prefix, rows, lambda: 0.0)
    drama = Drama(scenario, cluster, crew, stage, say, link)
    stage.target = drama.target
    started = time.monotonic()
    try:
        await drama.play()
    finally:
        await crew.close()
    found = await verdict_of(cluster.address, prefix, room)
    found = {name: value for name, value in found.items() if name != "seed"}
    return row_of(drama, room, started, {"events": scenario.events, **found})


def row_of(drama: Drama, room: Path, started: float, found: Mapping[str, Any]) -> dict[str, Any]:
    """What was done and what was found, kept in the room."""
    scenario, crew = drama.scenario, drama.crew
    row = {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "brokers": scenario.brokers,
        "workers": scenario.workers,
        "kills": crew.kills.total(),
        "kills_at_points": crew.kills.total() - crew.kills["anywhere"],
        "points": sorted(set(crew.kills) - {"anywhere"}),
        "stops": crew.stops.total(),
        "broker_kills": drama.broker_kills,
        "rebalances": drama.rebalances,
        "toxics": len(drama.toxics),
        "ends": dict(sorted(crew.ends.items())),
        "seconds": round(time.monotonic() - started),
        **found,
    }
    (room / "row.json").write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    return row
