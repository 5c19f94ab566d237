"""What is done to the workers, to the broker and to the link between them: five scenarios."""

from __future__ import annotations

from dataclasses import dataclass, replace

from genoflow.processors.reach import POINTS
from tests.faults.worker_main import INSIDE

SESSION_SECONDS = 6  # the broker's own lower limit unless it is told otherwise
ALL_POINTS = (*POINTS, INSIDE)
# Passed only where a key was parked and a person requeued it: ordered once, for whoever comes by.
DRAIN_POINTS = ("before-drain", "between-drain-commits", "after-drain")
# Passed only after a release that folds its states anew.
REBUILD_POINTS = ("before-rebuild", "between-rebuild-commits", "after-rebuild")
# Passed when partitions move.
MOVING_POINTS = (
    "gained", "before-fence", "after-fence", "after-restore", "before-adopt", "after-adopt",
    "before-begin", "before-idle-commit", "lost", "before-close", "after-close",
)  # fmt: skip
STOP_POINTS = (
    INSIDE, "before-commit", "after-commit", "after-take", "effect-done", "before-outcome-commit",
    "after-restore", "before-close",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Toxic:
    """What is wrong with the link for a while."""

    kind: str
    attributes: tuple[tuple[str, int], ...]
    seconds: float
    stream: str = "downstream"


LATENCY = Toxic("latency", (("latency", 250), ("jitter", 200)), 10.0)
RESET = Toxic("reset_peer", (("timeout", 0),), 4.0)
TIME_OUT = Toxic("timeout", (("timeout", 0),), 12.0)
TIME_OUT_OUTWARD = replace(TIME_OUT, stream="upstream")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run: a flow, its workers, and what happens to them."""

    name: str
    brokers: int
    workers: int
    events: int
    kills: int  # of workers; half of them at named points
    stops: int
    broker_kills: int = 0
    rebalances: int = 0
    poisoned: int = 8
    toxics: tuple[Toxic, ...] = ()
    points: tuple[str, ...] = ALL_POINTS
    session_seconds: int = SESSION_SECONDS
    seed: int = 1


SCENARIOS = (
    Scenario("two-workers", 1, 2, 20_000, kills=54, stops=10, rebalances=6),
    Scenario("four-workers", 1, 4, 20_000, kills=54, stops=10, rebalances=6),
    Scenario("one-broker", 1, 2, 20_000, kills=6, stops=2, broker_kills=6),
    Scenario("three-brokers", 3, 4, 20_000, kills=6, stops=2, broker_kills=6),
    Scenario(
        "bad-link", 1, 2, 20_000, kills=6, stops=2,
        toxics=(LATENCY, RESET, TIME_OUT, LATENCY, RESET, TIME_OUT_OUTWARD),
    ),
)  # fmt: skip

# The share that runs with the other tests.
SMALL = Scenario(
    "small", 1, 2, 1_000, kills=6, stops=1, broker_kills=1, rebalances=1, poisoned=2,
    points=("before-drain", "after-restore", INSIDE), session_seconds=3,
)  # fmt: skip

# The whole flow: `events` are samples. Its rows are many, so workers come and go more slowly.
WHOLE_POINTS = tuple(p for p in ALL_POINTS if p not in (*DRAIN_POINTS, *REBUILD_POINTS))
WHOLE_FLOW = Scenario(
    "flow", 1, 2, 5_000, kills=42, stops=10, broker_kills=3, rebalances=2, poisoned=0,
    points=WHOLE_POINTS,
)  # fmt: skip
WHOLE_FLOW_SMALL = Scenario(
    "flow-small", 1, 2, 60, kills=3, stops=1, poisoned=0,
    points=("effect-done",), session_seconds=3,
)  # fmt: skip
SAMPLES_PER_RUN = 96


def small_share(scenario: Scenario) -> Scenario:
    """A tenth of a scenario, to see that it works."""
    return replace(
        scenario,
        events=500 if scenario is WHOLE_FLOW else max(1_000, scenario.events // 10),
        kills=min(scenario.kills, 6),
        stops=min(scenario.stops, 1),
        broker_kills=min(scenario.broker_kills, 1),
        rebalances=min(scenario.rebalances, 1),
        poisoned=min(scenario.poisoned, 2),
        toxics=scenario.toxics[:3],
        points=tuple(point for point in SMALL.points if point in scenario.points),
        session_seconds=SMALL.session_seconds,
    )
