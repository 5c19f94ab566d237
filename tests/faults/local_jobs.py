"""The scenarios of the local launcher: real owners that are killed at a step, and real jobs.

A step is whatever Python's audit tells of: a file that is opened, a lock, a process that is begun.
The owner that dies kills itself with SIGKILL at its nth; another one comes behind it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid5

from genoflow.events.errors import Retry
from genoflow.events.identity import GENOFLOW
from genoflow.processors.ports import JobOrder, JobState
from tests.faults.batch import Row
from tests.jobs import Site, local_site

STEPS = 40  # of an owner that launches: 30 or so
SECONDS_MAX = 120.0
TRIES, RETRY_SECONDS = 6, 1.0  # as a worker tries an effect, and in less time
# It says that it ran, takes a while, and says what it was told.
PROGRAM = 'echo x >> "$1/count"; sleep 0.2; cat'
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.local_jobs"])


def own(home: str, job: UUID, dies_at: int, cancels: bool) -> None:
    """Be a worker: launch the job unless it is known, or have it ended; perhaps die meanwhile."""
    site = local_site(Path(home))
    launcher = site.launcher()
    left = [dies_at]

    def step(_event: str, _arguments: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def work() -> None:
        if cancels:
            await launcher.cancel(job)
        elif await launcher.find(job) is JobState.UNKNOWN:
            order = JobOrder(("/bin/sh", "-c", PROGRAM, "program", home), b"told")
            await launcher.launch(job, order)

    sys.addaudithook(step)
    for _ in range(TRIES):
        try:
            asyncio.run(work())
        except Retry:
            time.sleep(RETRY_SECONDS)
        else:
            return


def _owner(site: Site, job: UUID, dies_at: int = 0, cancels: bool = False) -> Callable[[], int]:
    process = CONTEXT.Process(target=own, args=(str(site.home), job, dies_at, cancels))
    process.start()

    def ended() -> int:
        process.join(SECONDS_MAX)
        return process.exitcode or 0

    return ended


def killed(site: Site, job: UUID, chance: random.Random) -> int:
    """The owner dies at a step, the next one goes on."""
    deaths = _owner(site, job, chance.randint(1, STEPS))() == -signal.SIGKILL
    _owner(site, job)()
    return int(deaths)


def repeated(site: Site, job: UUID, chance: random.Random) -> int:
    """Three owners have it at once, and one of them dies."""
    owners = [_owner(site, job, number) for number in (0, 0, chance.randint(1, STEPS))]
    deaths = sum(ended() == -signal.SIGKILL for ended in owners)
    _owner(site, job)()
    return deaths


def cancelled(site: Site, job: UUID, chance: random.Random) -> int:
    """Somebody has it ended while an owner launches it, and dies at that; somebody else goes on."""
    launching = _owner(site, job)
    time.sleep(chance.random() * 0.3)
    deaths = _owner(site, job, chance.randint(1, STEPS), cancels=True)() == -signal.SIGKILL
    launching()
    _owner(site, job, cancels=True)()
    return int(deaths)


SCENARIOS = {
    "the worker is killed at a step": killed,
    "the job is launched by several at once": repeated,
    "the run is cancelled at any moment": cancelled,
}


def play(scenario: str, cases: int, seed: int, room: Path) -> Row:
    """Play so many cases of a scenario, each in a directory of its own."""
    row = Row(scenario, launcher="local")
    for number in range(cases):
        name = f"{seed}/{scenario}/{number}"
        home = room / f"{uuid5(GENOFLOW, name)}"
        home.mkdir(parents=True)
        site, job = local_site(home), uuid5(GENOFLOW, name)
        row.cases += 1
        row.deaths += SCENARIOS[scenario](site, job, random.Random(name))
        row.broken += [f"{name}: {fault}" for fault in asyncio.run(_broken(site, job, scenario))]
        row.submitted += site.counted().count("x")
    return row


async def _broken(site: Site, job: UUID, scenario: str) -> list[str]:
    launcher, until = site.launcher(), time.monotonic() + SECONDS_MAX
    while (state := await launcher.find(job)) is JobState.RUNNING and time.monotonic() < until:
        await asyncio.sleep(0.02)
    ran = site.counted().count("x")
    found = [f"the program ran {ran} times"] if ran > 1 else []
    if SCENARIOS[scenario] is cancelled:
        return [*found, "it runs on"] if state is JobState.RUNNING else found
    if state is not JobState.ENDED or not site.has_outcome(job):
        return [*found, f"it is {state.value} and has{' no' * (not site.has_outcome(job))} outcome"]
    outcome = site.outcome(job)
    return found if (outcome.exit_code, outcome.output) == (0, "told") else [*found, str(outcome)]
