"""How long things took, counted by upper bounds: cheap enough for every transaction."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

# A transaction of a few records takes 5 to 20 ms, a batch of 500 up to 50; behind 10 s a broker is
# away.
BOUNDS_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Durations:
    """How many took at most so long, and all of them together."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self.total_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.total_seconds += seconds

    def within(self) -> list[int]:
        """By each bound how many took at most so long; the last number is all of them."""
        return list(accumulate(self._counts))
