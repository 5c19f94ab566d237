"""A lab's runs out of a seed, each estimated when it starts and half way, as the API would.

`python -m benchmarks.estimates` prints how many ended within their span.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log

from genoflow.projections.estimates import Past, Span, Unknown, span, span_after

RUNS = 2_500
SEEDS = (1, 2, 3, 4, 5)
TASKS = 12
MINUTES_BETWEEN = 20.0
ASKED_EVERY = 4  # estimates of what has to wait first are the dear ones
STRAGGLERS = 0.04  # of all: a host that is slow, a disk that is full
MIX = ("steady", "drifting", "sized")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when it was asked for, began and ended, and when each of its tasks was done."""

    asked_at: float
    started_at: float
    tasks_at: tuple[float, ...]
    size: float

    @property
    def ended_at(self) -> float:
        """When its last task was done."""
        return self.tasks_at[-1]


@dataclass(slots=True)
class Tally:
    """How many spans were given, and how many of them were right."""

    given: int = 0
    right: int = 0
    below: int = 0
    silent: int = 0
    width: float = 0.0  # the sum of logarithms of high / low

    def add(self, found: Span | Unknown, actual: float) -> None:
        """Take one estimate, now that it is known what came."""
        if isinstance(found, Unknown):
            self.silent += 1
            return
        self.given += 1
        self.right += found.low <= actual <= found.high
        self.below += actual < found.low
        self.width += log(max(found.high, 1e-9) / max(found.low, 1e-9))

    @property
    def share(self) -> float:
        """Of the spans that were given, those that were right."""
        return self.right / self.given if self.given else 0.0


def simulated(kind: str, seed: int, runs: int = RUNS) -> list[Run]:
    """Runs in the order in which they were asked for: skewed, with stragglers, some overlapping.

    Drifting ones become slower by a third within 500 runs, then a release takes that back. Of
    sized ones the input differs by a factor of thirty.
    """
    source, now, found = random.Random(f"{kind}/{seed}"), 0.0, []
    for number in range(runs):
        now += source.expovariate(1 / (MINUTES_BETWEEN * 60))
        size = exp(source.gauss(log(3e10), 0.8)) if kind == "sized" else 3e10
        level = 3_600.0 * (size / 3e10) ** 0.9
        if kind == "drifting":
            level *= 1 + 0.33 * (number % 500) / 500
        total = level * exp(source.gauss(0.0, 0.18)) + source.expovariate(1 / (0.1 * level))
        if source.random() < STRAGGLERS:
            total *= 1 + source.paretovariate(1.5)
        wait = source.expovariate(1 / 90.0) + (600.0 if number % 40 < 6 else 0.0)
        cuts = sorted(source.betavariate(1.2, 1.0) for _ in range(TASKS - 1))
        started = now + wait
        tasks = tuple(started + total * cut for cut in (*cuts, 1.0))
        found.append(Run(now, started, tasks, size))
    return found


def before(runs: Sequence[Run], moment: float) -> list[Run]:
    """Those that were over then, in the order of their ends."""
    return sorted((one for one in runs if one.ended_at < moment), key=lambda one: one.ended_at)


def played(runs: Sequence[Run]) -> dict[str, Tally]:
    """Estimate each run from those that were over: asked for, begun, half done, and late."""
    tallies = {name: Tally() for name in ("asked", "start", "begun", "half done", "late")}
    for number, run in enumerate(runs):
        recent = runs[max(0, number - 150) : number]
        known = before(recent, run.started_at)
        if number % ASKED_EVERY == 0:
            _play_asked(run, known, tallies["asked"])
        _play(run, known, before(recent, run.ended_at), tallies)
    return tallies


def _play_asked(run: Run, known: Sequence[Run], tally: Tally) -> None:
    waits = [Past(one.started_at - one.asked_at) for one in known]
    pasts = [Past(one.ended_at - one.started_at, one.size) for one in known]
    tally.add(span_after(waits, pasts, run.size), run.ended_at - run.asked_at)


def _play(
    run: Run, known: Sequence[Run], known_later: Sequence[Run], tallies: dict[str, Tally]
) -> None:
    total = run.ended_at - run.started_at
    waits = [Past(one.started_at - one.asked_at) for one in known]
    pasts = [Past(one.ended_at - one.started_at, one.size) for one in known]
    tallies["start"].add(span(waits), run.started_at - run.asked_at)
    begun = span(pasts, run.size)
    tallies["begun"].add(begun, total)
    half = TASKS // 2
    moment = run.tasks_at[half - 1]
    then = [one for one in known_later if one.ended_at < moment]
    left = [Past(one.ended_at - one.tasks_at[half - 1], one.size) for one in then]
    tallies["half done"].add(span(left, run.size), run.ended_at - moment)
    if isinstance(begun, Span) and total > begun.seconds:  # later than the middle: asked again
        tallies["late"].add(span(pasts, run.size, begun.seconds), total)


def lines() -> Iterator[str]:
    """What came of each kind of lab and each seed, a line each."""
    for kind in MIX:
        for seed in SEEDS:
            for name, tally in played(simulated(kind, seed)).items():
                factor = exp(tally.width / tally.given) if tally.given else 0.0
                yield (
                    f"{kind:<9} seed {seed}  {name:<10} {tally.given:>5} given, "
                    f"{100 * tally.share:5.1f} % within, {100 * tally.below / tally.given:4.1f} % "
                    f"below, high/low {factor:.2f}, {tally.silent} unknown"
                )


if __name__ == "__main__":
    for line in lines():
        print(line)
