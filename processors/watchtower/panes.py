"""Windows of time: minutes, hours and days, and what was counted in each.

A pane is a tumbling window: a minute, an hour or a day of UTC. What is counted twice in windows
that overlap is not kept twice: a window that hops by a minute is the sum of its panes (`hopping`).
A record belongs to the pane in which the log took it, whatever its own clock said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from genoflow.processors.watchtower.sketch import Sketch

EVERYTHING = "all"  # the dimension of what is not told apart


@dataclass(frozen=True, slots=True)
class Size:
    """How long a pane is, how long it is kept, and whether it tells dimensions apart."""

    name: str
    seconds: int
    kept: int  # panes: the newest, and so many behind it
    has_dimensions: bool


# A minute of each project would be written at each record, and nobody reads it.
MINUTE = Size("minute", 60, 180, has_dimensions=False)
HOUR = Size("hour", 3_600, 8 * 24, has_dimensions=True)
DAY = Size("day", 86_400, 400, has_dimensions=True)
SIZES = (MINUTE, HOUR, DAY)
BY_NAME = {size.name: size for size in SIZES}


class Tally:
    """What was seen of one stage."""

    __slots__ = ("began", "ended", "failed", "retried", "seconds")

    def __init__(self) -> None:
        self.began = self.ended = self.failed = self.retried = 0
        self.seconds = Sketch()  # of what ended and of what failed

    def take(
        self, began: int, ended: int, failed: int, retried: int, seconds: Iterable[float]
    ) -> None:
        """Count these."""
        self.began += began
        self.ended += ended
        self.failed += failed
        self.retried += retried
        for length in seconds:
            self.seconds.add(length)

    def add(self, other: Tally) -> None:
        """Count what another one counted, too."""
        self.began += other.began
        self.ended += other.ended
        self.failed += other.failed
        self.retried += other.retried
        self.seconds.merge(other.seconds)

    @property
    def failure_rate(self) -> float | None:
        """The share of what came to an end that failed; None where nothing did."""
        over = self.ended + self.failed
        return self.failed / over if over else None

    def plain(self) -> list[Any]:
        """What `of_plain` reads."""
        return [self.began, self.ended, self.failed, self.retried, self.seconds.plain()]

    @classmethod
    def of_plain(cls, plain: list[Any]) -> Tally:
        """The tally that was written so."""
        found = cls()
        found.began, found.ended, found.failed, found.retried, seconds = plain
        found.seconds = Sketch.of_plain(seconds)
        return found


Pane = dict[str, Tally]  # by stage


def pane_of(size: Size, moment: float) -> int:
    """Where the pane begins that holds this moment, in seconds since 1970."""
    return int(moment // size.seconds) * size.seconds


def is_kept(size: Size, begins: int, newest: float) -> bool:
    """Whether a pane still has its place beside the newest moment."""
    return begins >= pane_of(size, newest) - size.kept * size.seconds


def hopping(size: Size, last: int, count: int) -> Iterator[int]:
    """Where the panes begin whose sum is the window of so many that ends with `last`."""
    return (last - back * size.seconds for back in range(count))


def summed(panes: Iterable[Pane]) -> Pane:
    """What several panes counted together."""
    whole: Pane = {}
    for pane in panes:
        for stage, tally in pane.items():
            whole.setdefault(stage, Tally()).add(tally)
    return whole
