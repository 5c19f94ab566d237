"""The tower in one pass: what waits, what its panes of the last hour and day hold, what it learned.

`Tower.pane` and `Tower.learned` look at every value at each call; a screen asks for a hundred.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from functools import cached_property

from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import Figures, Key, Reached, Subject
from genoflow.processors.watchtower.panes import (
    EVERYTHING,
    HOUR,
    MINUTE,
    Tally,
    hopping,
    pane_of,
)
from genoflow.processors.watchtower.sketch import Sketch

HOUR_MINUTES = 60
DAY_HOURS = 24
RATE_MINUTES = 5  # whole ones: one alone jumps, and an hour does not move


class Tallied:
    """What a tower holds at a moment, by stage."""

    def __init__(self, tower: Tower, now: datetime) -> None:
        self.began: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.retried: Counter[str] = Counter()
        self.over: Counter[str] = Counter()  # ended and failed in the minutes of the rate
        self.seconds: defaultdict[str, Sketch] = defaultdict(Sketch)
        self.subjects: list[tuple[Key, Subject]] = []
        self.newest = 0.0  # when the log took the newest record
        self._learned: defaultdict[str, list[Sketch]] = defaultdict(list)
        self._whole: dict[str, Sketch] = {}
        last = pane_of(MINUTE, now.timestamp())
        self._minutes = {
            f"{MINUTE.name}|{begin}|{EVERYTHING}" for begin in hopping(MINUTE, last, HOUR_MINUTES)
        }
        self._rate = {
            f"{MINUTE.name}|{begin}|{EVERYTHING}"
            for begin in hopping(MINUTE, last - MINUTE.seconds, RATE_MINUTES)
        }
        last = pane_of(HOUR, now.timestamp())
        self._hours = {
            f"{HOUR.name}|{begin}|{EVERYTHING}" for begin in hopping(HOUR, last, DAY_HOURS)
        }
        for key, value in tower.values.items():
            if isinstance(value, Subject):
                self.subjects.append((key, value))
            elif isinstance(value, Figures):
                self._figures(key, value)
            elif isinstance(value, Reached):
                self.newest = max(self.newest, value.newest)

    def _figures(self, key: Key, value: Figures) -> None:
        if key.kind == "learned":
            self._learned[key.rest] += [tally.seconds for tally in value.pane.values()]
            return
        for stage, tally in value.pane.items():
            if key.rest in self._minutes:
                self._count(stage, tally)
            if key.rest in self._rate:
                self.over[stage] += tally.ended + tally.failed
            if key.rest in self._hours:
                self.seconds[stage].merge(tally.seconds)

    def _count(self, stage: str, tally: Tally) -> None:
        self.began[stage] += tally.began
        self.ended[stage] += tally.ended
        self.failed[stage] += tally.failed
        self.retried[stage] += tally.retried

    def learned(self, stage: str, pipeline: str, assay: str) -> Sketch:
        """How long this stage takes, as `Tower.learned` says it."""
        rest = f"{stage}|{pipeline}|{assay}"
        if rest not in self._whole:
            self._whole[rest] = Sketch()
            for one in self._learned.get(rest, ()):
                self._whole[rest].merge(one)
        return self._whole[rest]

    @cached_property
    def abouts(self) -> dict[tuple[str, str], dict[str, str]]:
        """What is known of subjects, by topic and key."""
        return {(key.topic, key.rest): subject.about for key, subject in self.subjects}
