"""Figures of this process in the text format of Prometheus."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from genoflow.api.errors import Refusal
from genoflow.events.errors import Refused

# From the first word to the last part: a second for a small file, 11 h for 50 GB at 10 Mbit/s.
DURATIONS_SECONDS = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400)


class Counter:
    """A figure that only grows, by one label."""

    def __init__(self, name: str, about: str, label: str) -> None:
        self.name, self._about, self._label = name, about, label
        self._counts: Counts[str] = Counts()

    def add(self, value: str) -> None:
        """Count one more under this value of the label."""
        self._counts[value] += 1

    @contextmanager
    def counted(self, value: str) -> Iterator[None]:
        """Count what is done within: under this value, or as refused or failed."""
        try:
            yield
        except Refusal as error:
            self.add("refused" if error.status_code < 500 else "failed")
            raise
        except Refused:
            self.add("refused")
            raise
        except BaseException:
            self.add("failed")
            raise
        self.add(value)

    def lines(self) -> Iterator[str]:
        """The figure in the text format."""
        yield from head(self.name, self._about, "counter")
        for value, count in sorted(self._counts.items()):
            yield f'{self.name}{{{self._label}="{value}"}} {count}'


class Histogram:
    """How many were at most so long, by upper bounds."""

    def __init__(self, name: str, about: str, bounds: Sequence[float]) -> None:
        self.name, self._about, self._bounds = name, about, tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Take one value in."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self) -> Iterator[str]:
        """The figure in the text format."""
        yield from head(self.name, self._about, "histogram")
        below = 0
        for bound, count in zip((*self._bounds, math.inf), self._counts, strict=True):
            below += count
            shown = "+Inf" if bound == math.inf else f"{bound:g}"
            yield f'{self.name}_bucket{{le="{shown}"}} {below}'
        yield f"{self.name}_sum {self._sum:g}"
        yield f"{self.name}_count {below}"


def head(name: str, about: str, kind: str) -> Iterator[str]:
    """What stands before the values of a figure."""
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _requests() -> Counter:
    about = "Requests about uploads, by what became of them."
    return Counter("upload_requests_total", about, "status")


def _duration() -> Histogram:
    about = "From the first word about an upload until it is whole."
    return Histogram("upload_duration_seconds", about, DURATIONS_SECONDS)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted of uploads."""

    requests: Counter = field(default_factory=_requests)
    duration: Histogram = field(default_factory=_duration)

    def lines(self) -> Iterator[str]:
        """All of them in the text format."""
        yield from self.requests.lines()
        yield from self.duration.lines()
