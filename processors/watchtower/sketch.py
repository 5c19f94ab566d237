"""How long things take, without keeping each of them: a DDSketch that can be written and read.

The library keeps counts in bins whose width grows with the value, so a quantile is right to within
one percent of itself, and sketches of several partitions are added up exactly. What it does not
bring is a form for a changelog without protobuf: here it is the counts from the first bin to the
last one that holds something.
"""

from __future__ import annotations

from typing import Any

from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import DenseStore

ACCURACY = 0.01  # of a quantile, relative to itself
# Bins are a percent wide: a millisecond to ten years (3·10⁸ s) are 1,340 of them.
SECONDS_MIN = 0.001
SECONDS_MAX = 10 * 366 * 86_400.0

_MAPPING = LogarithmicMapping(ACCURACY)


class Sketch:
    """The lengths of things that have ended."""

    __slots__ = ("_sketch", "_store")

    def __init__(self) -> None:
        self._take(DenseStore())

    def _take(self, store: DenseStore) -> None:
        self._store = store
        self._sketch = BaseDDSketch(_MAPPING, store, DenseStore(), 0.0)

    @property
    def count(self) -> float:
        """How many it was told; after `fade`, how many they still weigh."""
        return float(self._sketch.count)

    def add(self, seconds: float) -> None:
        """Tell one length; what cannot be true is taken for the nearest that can."""
        self._sketch.add(min(max(seconds, SECONDS_MIN), SECONDS_MAX))

    def merge(self, other: Sketch) -> None:
        """Add what another one was told."""
        self._sketch.merge(other._sketch)

    def fade(self, share: float) -> None:
        """Let everything told so far weigh this share of what it does."""
        faded = DenseStore()
        faded.copy(self._store)
        faded.bins = [count * share for count in faded.bins]
        faded.count *= share
        self._take(faded)

    def quantile(self, share: float) -> float | None:
        """The length that this share of all stays within; None before there is any."""
        found: float | None = self._sketch.get_quantile_value(share)
        return found

    def plain(self) -> list[Any]:
        """The first bin, and the counts from it on: what `of_plain` reads."""
        store = self._store
        if not store.count:
            return []
        first, last = int(store.min_key), int(store.max_key)
        counts = store.bins[first - store.offset : last - store.offset + 1]
        return [first, [int(count) if count == int(count) else count for count in counts]]

    @classmethod
    def of_plain(cls, plain: list[Any]) -> Sketch:
        """The sketch that was written so."""
        found = cls()
        if plain:
            first, counts = plain
            store = DenseStore()
            store.bins = [float(count) for count in counts]
            store.offset = store.min_key = first
            store.max_key = first + len(counts) - 1
            store.count = sum(store.bins)
            found._take(store)
        return found
