"""Many seeds on all cores, one after another as they come."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

from tests.simulation.defects import DEFECTS
from tests.simulation.run import Run, simulate

SEEDS_AT_ONCE = 20  # 1.5 s of work: often enough to show that it goes on
RUNS_OF_A_PROCESS = 200  # chunks; a fresh process from time to time gives its memory back


def cores() -> int:
    """How many processes can work at once."""
    return len(os.sched_getaffinity(0))


def run_all(seeds: Sequence[int]) -> Iterator[Run]:
    """Every seed's run, in the order of the seeds, without its story."""
    context = multiprocessing.get_context("spawn")  # nothing of the parent's threads and loops
    with context.Pool(cores(), maxtasksperchild=RUNS_OF_A_PROCESS) as pool:
        yield from pool.imap(simulate, seeds, chunksize=SEEDS_AT_ONCE)


def first_found(name: str, seeds_max: int) -> tuple[str, int, str]:
    """After how many seeds a planted defect is found, and by what; 0 where it is not."""
    for seed in range(seeds_max):
        with DEFECTS[name]():
            run = simulate(seed)
        if run.broken:
            return name, seed + 1, run.broken[0]
    return name, 0, ""


def find_all(seeds_max: int) -> dict[str, tuple[int, str]]:
    """For every planted defect, after how many seeds it is found, and by what."""
    context = multiprocessing.get_context("spawn")
    wanted = [(name, seeds_max) for name in DEFECTS]
    with context.Pool(cores()) as pool:
        found = pool.starmap(first_found, wanted, chunksize=1)
    return {name: (after, what) for name, after, what in found}


def again(seed: int, defect: str | None = None) -> Run:
    """One seed once more, with its story."""
    with DEFECTS[defect]() if defect else nullcontext():
        return simulate(seed, telling=True)
