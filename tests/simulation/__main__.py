"""Run one seed and tell its story, or many seeds until one breaks an invariant."""

from __future__ import annotations

import sys
import time

import click

from tests.simulation.defects import DEFECTS
from tests.simulation.many import again, run_all
from tests.simulation.run import Run

TOLD_EVERY_SECONDS = 10.0
TOLD_LINES_MAX = 400  # the end of a story; the command that repeats it prints the whole
SEEDS_DEFAULT = 1_000


def tell(run: Run, *, lines_max: int | None = None) -> None:
    """Print what happened in a run and what it broke."""
    told = run.told if lines_max is None else run.told[-lines_max:]
    print("\n".join(told))
    print(f"seed {run.seed}: {run.steps:,} steps, {run.seconds:.0f} virtual seconds, {run.digest}")
    for line in run.broken:
        print(f"BROKEN  {line}")


def tell_one(seed: int, defect: str | None) -> bool:
    """Whether a seed breaks nothing; its story is printed."""
    run = again(seed, defect)
    tell(run)
    return not run.broken


def tell_many(first: int, count: int) -> bool:
    """Whether no seed breaks anything; the first that does is told whole."""
    begun = told_at = time.monotonic()
    for done, run in enumerate(run_all(range(first, first + count)), start=1):
        now = time.monotonic()
        if run.broken:
            print(f"seed {run.seed} breaks this, after {done:,} seeds:")
            tell(again(run.seed), lines_max=TOLD_LINES_MAX)
            print(f"repeat it with: python -m tests.simulation {run.seed}")
            return False
        if now - told_at >= TOLD_EVERY_SECONDS or done == count:
            told_at = now
            rate = done / (now - begun)
            print(f"{done:,} of {count:,} seeds from {first}, {rate:.1f} seeds/s", flush=True)
    return True


@click.command(help=__doc__)
@click.argument("seed", type=int, required=False)
@click.option("--seeds", type=int, default=SEEDS_DEFAULT, show_default=True, help="How many.")
@click.option("--from", "first", type=int, default=0, show_default=True, help="The first of them.")
@click.option("--defect", type=click.Choice(sorted(DEFECTS)), help="Plant this one (one seed).")
def main(seed: int | None, seeds: int, first: int, defect: str | None) -> None:
    """Exit with 1 where an invariant was broken."""
    fine = tell_many(first, seeds) if seed is None else tell_one(seed, defect)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
