"""Four provocations, each of which finds out a build that lacks one part of the protocol."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import inputs
from tests.faults.brokers import Cluster
from tests.faults.crew import Crew
from tests.faults.driver import LOOK_SECONDS, verdict_of
from tests.faults.stage import Stage, make_topics
from tests.faults.worker_main import HALF, INSIDE

EVENTS = 300
SEED = 7
SESSION_SECONDS = 3
TAKEN_SECONDS_MAX = 40.0
QUIET_SECONDS = 6.0  # two sessions without an outcome: nothing more comes


@dataclass(frozen=True, slots=True)
class Provocation:
    """Where a worker is hit, and which columns of the verdict have to tell of it."""

    point: str | None
    number: signal.Signals
    columns: tuple[str, ...]
    point_without: str | None = None  # where a build without this part is hit


PROVOCATIONS = {
    "transactions": Provocation(INSIDE, signal.SIGKILL, ("duplicates",), HALF),
    "fencing": Provocation("before-commit", signal.SIGSTOP, ("duplicates",)),
    "adoption": Provocation("effect-begins", signal.SIGKILL, ("lost", "left_open")),
    "dedupe": Provocation(None, signal.SIGKILL, ("duplicates",)),
}
PASSES = 5
EARLY_SHARE = 0.3  # of the events: both workers are at work when one is hit


async def provoke(
    part: str, cluster: Cluster, room: Path, *, without: bool, turn: int = 1
) -> dict[str, Any]:
    """Run two workers over a few events and hit one of them; what the verdict says."""
    room.mkdir(parents=True)
    found = PROVOCATIONS[part]
    prefix = f"{'without' if without else 'with'}-{part}-{turn}."
    rows = inputs.make(SEED, EVENTS, 0)
    inputs.write(room / "inputs.jsonl", SEED, rows)
    await make_topics(cluster.address, prefix, cluster.size)
    left_out = part if without else None
    crew = Crew(cluster.address, prefix, room, SESSION_SECONDS, left_out)
    stage = Stage(cluster.address, prefix, rows, lambda: EARLY_SHARE)
    try:
        for name in ("worker-1", "worker-2"):
            crew.start(name)
        crew.begin()
        stage.begin()
        await _until_both_work(stage)
        point = found.point_without if without and found.point_without else found.point
        if point is not None:
            crew.arm(point, PASSES, found.number)
        stage.target = lambda: 1.0
        if point is not None:
            await _until_taken(crew, point)
        if found.number is signal.SIGSTOP:
            await _until_taken_over(crew, stage)
        await _until_quiet(stage)
        await crew.end()
        await stage.end()
    finally:
        await crew.close()
    return await verdict_of(cluster.address, prefix, room)


async def _until_both_work(stage: Stage) -> None:
    """A member that stops while its group moves holds the others up for much longer."""
    async with asyncio.timeout(TAKEN_SECONDS_MAX):
        while len(stage.done) < EARLY_SHARE * EVENTS or await stage.workers_with_tasks() < 2:
            stage.check()
            await asyncio.sleep(LOOK_SECONDS)


async def _until_taken(crew: Crew, point: str) -> None:
    async with asyncio.timeout(TAKEN_SECONDS_MAX):
        while crew.is_armed(point):
            await asyncio.sleep(LOOK_SECONDS)


async def _until_taken_over(crew: Crew, stage: Stage) -> None:
    """The others have done everything that the stopped one held; then it goes on."""
    await _until_quiet(stage, at_least=sum(not row.again for row in stage.rows))
    for pid in crew.stopped():
        crew.go_on(pid)
    stage.moved_at = time.monotonic()


async def _until_quiet(stage: Stage, at_least: int = 0) -> None:
    async with asyncio.timeout(TAKEN_SECONDS_MAX):
        while stage.fed < len(stage.rows) or len(stage.done) < at_least:
            stage.check()
            await asyncio.sleep(LOOK_SECONDS)
    wanted = sum(not row.again for row in stage.rows)
    quiet = QUIET_SECONDS
    while time.monotonic() - stage.moved_at < quiet:
        if len(stage.done) >= wanted:
            quiet = SESSION_SECONDS / 2
        await asyncio.sleep(LOOK_SECONDS)
