"""What asking instead of being told would take, at stated limits: arithmetic, and a token bucket.

AWS Batch describes 100 jobs a call. How many calls a second it takes, Amazon does not say; 10 are
assumed. Whoever asks at that rate looks at each of so many jobs again after a round.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

DESCRIBES_PER_SECOND = 10.0
JOBS_PER_DESCRIBE = 100
SUBMITS_PER_SECOND = 50.0  # Batch's quota


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking."""

    jobs: int
    changes: int
    seen: int  # of the changes; a state that came and went between two looks was never seen
    late_p50_seconds: float
    late_p99_seconds: float
    round_seconds: float

    @property
    def missed_share(self) -> float:
        """Which part of the changes nobody saw."""
        return 1.0 - self.seen / self.changes


def round_seconds(jobs: int, per_second: float = DESCRIBES_PER_SECOND) -> float:
    """How long it takes until each of these jobs was looked at once."""
    return jobs / (per_second * JOBS_PER_DESCRIBE)


def asked(runs: int, tasks: int, seconds: float, per_second: float = DESCRIBES_PER_SECOND) -> Asked:
    """Ask about the tasks of all runs, round after round, while they work one after the other.

    Each task is a job with three states that matter: it waits, it works, it has ended. Only tasks
    that have begun to wait and whose end was not seen are asked for: who polls knows no less.
    """
    source = random.Random(f"polling {runs} {tasks}")
    span = seconds / tasks
    offsets = [source.random() * span for _ in range(runs)]
    pace = per_second * JOBS_PER_DESCRIBE
    at, seen, late = 0.0, 0, list[float]()
    done = [0] * runs  # tasks of a run whose end was seen
    known = [0] * runs  # states that were seen of the next one
    while min(done) < tasks:
        for run in range(runs):
            if done[run] == tasks:
                continue
            begun = min(tasks, int((at - offsets[run]) // span) + 1) if at >= offsets[run] else 0
            jobs = max(1, begun - done[run])
            at += jobs / pace
            for task in range(done[run], begun):
                states = _states(at, offsets[run] + task * span, span)
                before = known[run] if task == done[run] else 0
                if states > before:
                    seen += 1  # the newest alone is seen; those before it have passed
                    late.append(at - _since(offsets[run] + task * span, span, states))
                if states == 3:
                    done[run], known[run] = task + 1, 0
                elif task == done[run]:
                    known[run] = states
                else:
                    break
    late.sort()
    return Asked(
        runs * tasks, 3 * runs * tasks, seen, late[len(late) // 2], late[int(len(late) * 0.99)],
        round_seconds(runs * tasks, per_second),
    )  # fmt: skip


def _states(at: float, begins: float, span: float) -> int:
    """How many states a task has come to: waits, works, has ended."""
    if at < begins:
        return 0
    return 1 + (at >= begins + 0.1 * span) + (at >= begins + 0.9 * span)


def _since(begins: float, span: float, states: int) -> float:
    return begins + (0.0, 0.1, 0.9)[states - 1] * span
