"""Replays in tests: of what a simulated worker left on its log."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from genoflow.deploy.replay.decide import Here, Report, Wish, replay
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import EventLog
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.processor import Processor
from tests.histories import history
from tests.partition import CODEC
from tests.simulation.whole import Whole, limits
from tests.trial import Ending, Trial
from tests.whole.cohort import Cohort, make

T = TypeVar("T")
PARTITIONS = 2
SAMPLES = 24
SEED = 6  # a cohort of every fate
KILLS_SEED = 8  # its worker is killed four times


def _apart(run: Callable[[], T]) -> T:
    """What it returns, run where no loop of a test runs: a simulated one would take its place."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def kept(log: Any) -> MemoryLog:
    """The records of a log whose loop is gone, on one that can be read."""
    found = MemoryLog(partitions=log._count, codec=CODEC)
    found._topics = log._topics
    return found


ENDINGS = (
    Ending("commit before", 2), Ending("commit after", 4), Ending("before-commit", 7),
    Ending("after-commit", 9), Ending("step", 60),
)  # fmt: skip
SEEDS = 40


@cache
def whole_flow() -> tuple[Cohort, MemoryLog, int]:
    """A cohort, what the whole flow left of it, and how often its worker was killed."""
    cohort = make(SEED, SAMPLES, 8)
    whole = Whole(cohort, KILLS_SEED, faults=True, partitions=PARTITIONS)
    with limits(small=False):
        _apart(whole.run)
    assert not whole.played.broken
    return cohort, kept(whole._log), whole.played.kills


@cache
def tried(name: str) -> tuple[MemoryLog, int]:
    """The log of the first history of which a row says something, each record twice, and its
    worker's lives.
    """
    for seed in range(SEEDS):
        events = [event for one in history(PROCESSORS[name], seed) for event in (one, one)]
        trial = Trial(PROCESSORS[name], events, ENDINGS)
        found = _apart(trial.run)
        if len(found.facts) >= 2:
            return kept(trial._log), found.lives
    raise AssertionError(f"{name} says nothing to {SEEDS} histories")


async def replayed(
    log: EventLog, row: Processor, wish: Wish | None = None, *, by: Processor | None = None
) -> Report:
    """What `by` decides otherwise than the log holds of `row`."""
    return await replay(log, row, Here(by or row, CODEC), CODEC, wish or Wish())


def told(report: Report) -> list[tuple[str, str, int]]:
    """The groups of a report, without their examples."""
    return [(group.kind, group.what, group.count) for group in report.groups(1)]


async def facts(log: MemoryLog, kind: type[Event]) -> list[Any]:
    """All events of a type."""
    found = log.read_topic(topics.SAMPLE.name)
    return [record.event async for record in found if record.type == kind.type()]
