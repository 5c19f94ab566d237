"""How deep reads lie over each base, in one pass over records in the order of their places.

What is kept is where the depth changes, from the place that the records have reached to the end of
the longest of them: the memory does not grow with the file. The extension keeps the same state.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Protocol

from genoflow.processors.validation.sam.record import PROPER, SUPPLEMENTARY, Record

ALIGNED, IN_REFERENCE = frozenset({0, 7, 8}), frozenset({0, 2, 3, 7, 8})
# As mosdepth has it: unmapped, secondary, failed and duplicate reads do not count.
LEFT_OUT = 1796
LEVELS = (1, 10, 20, 30, 100)  # reads over a base, of which breadth is told
# Places where the depth changes that lie ahead, 50 bytes each: 50 MB, some 100 in the twin. Reads
# of 100,000 bases with 3 % of gaps are 180,000 at a depth of 30.
CHANGES_MAX = 1_000_000
MATES_MAX = 500_000  # reads whose mate will overlap them, 100 bytes each: 50 MB
PURGE_MIN = 1_024  # of them; below that it is not looked who will find none
UNSORTED, CHANGES, MATES = 1, 2, 3

Piece = tuple[int, int]
Place = tuple[int, int]  # sequence, and base counted from 0
# The fault, sums by sequence, bases at each level; of targets their sum, levels and places.
Covered = tuple[int, list[int], list[int], int, list[int], list[list[int]]]


class Depths(Protocol):
    """What sees every record; the twin below, or the extension."""

    def aim(self, reference: int, union: list[Piece], places: list[int]) -> None:
        """Of one sequence its targets, without their overlaps, and where they begin or end."""
        ...

    def cover(
        self, flag: int, place: Place, next_place: Place, name: bytes, cigar: list[int]
    ) -> None:
        """Count a record."""
        ...

    def covered(self) -> Covered:
        """Once all are counted, how deep they lie."""
        ...


class _Targets:
    def __init__(self, union: list[Piece], places: list[int]) -> None:
        self.union, self.places = union, places
        self.sums = [0] * len(places)  # of the depths of all bases before that place
        self.next = 0


class Depth:
    """The twin in Python."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths = lengths
        self._targets = [_Targets([], []) for _ in lengths]
        self._sums = [0] * len(lengths)
        self._fault = self._reference = self._start = 0
        self._changes: dict[int, int] = {}
        self._ahead: list[int] = []  # a heap of the places of these changes
        self._depth = self._reached = self._place = 0
        self._mates: dict[bytes, tuple[int, list[Piece]]] = {}
        self._purge_at = PURGE_MIN
        self._at_least, self._target_at_least = [0] * len(LEVELS), [0] * len(LEVELS)
        self._target_sum = 0

    def aim(self, reference: int, union: list[Piece], places: list[int]) -> None:
        """Of one sequence its targets, without their overlaps, and where they begin or end."""
        self._targets[reference] = _Targets(union, places)

    def cover(
        self, flag: int, place: Place, next_place: Place, name: bytes, cigar: list[int]
    ) -> None:
        """Count a record."""
        reference, start = place
        if self._fault or flag & LEFT_OUT or not 0 <= reference < len(self._lengths):
            return
        if place < (self._reference, self._start):
            self._fault = UNSORTED
            return
        if reference != self._reference:
            self._finish()
            self._reference = reference
        self._start = start
        self._advance(start)
        pieces, end = self._cut(start, cigar)
        for one in pieces:
            self._change(one[0], 1)
            self._change(one[1], -1)
        if flag & (PROPER | SUPPLEMENTARY) == PROPER:
            self._pair(name, end, pieces, next_place)
        if len(self._changes) > CHANGES_MAX:
            self._fault = CHANGES

    def _cut(self, at: int, cigar: list[int]) -> tuple[list[Piece], int]:
        """The aligned pieces of a record within its sequence; where it ends."""
        length, pieces = self._lengths[self._reference], list[Piece]()
        for packed in cigar:
            code, size = packed & 15, packed >> 4
            if code not in IN_REFERENCE:
                continue
            begin, end = min(at, length), min(at + size, length)
            if code in ALIGNED and begin < end:
                if pieces and pieces[-1][1] == begin:
                    begin = pieces.pop()[0]
                pieces.append((begin, end))
            at += size
        return pieces, at

    def _change(self, place: int, by: int) -> None:
        if place not in self._changes:
            heapq.heappush(self._ahead, place)
        self._changes[place] = self._changes.get(place, 0) + by

    def _pair(self, name: bytes, end: int, pieces: list[Piece], next_place: Place) -> None:
        """Bases that both mates of a pair cover count once."""
        next_reference, next_start = next_place
        overlaps = self._reference == next_reference and end > next_start
        is_first = self._start < next_start or (
            self._start == next_start and name not in self._mates
        )
        if overlaps and is_first:
            self._mates[name] = (end, pieces)
            self._purge()
        elif mate := self._mates.pop(name, None):
            for begin, stop in pieces:
                for other_begin, other_stop in mate[1]:
                    if begin < other_stop and other_begin < stop:
                        self._change(max(begin, other_begin), -1)
                        self._change(min(stop, other_stop), 1)

    def _purge(self) -> None:
        """Once there are many, forget those whose mates never came."""
        if len(self._mates) < self._purge_at:
            return
        self._mates = {name: one for name, one in self._mates.items() if one[0] > self._start}
        self._purge_at = max(2 * len(self._mates), PURGE_MIN)
        if len(self._mates) > MATES_MAX:
            self._fault = MATES

    def _advance(self, to: int | None) -> None:
        """All changes before this place are known."""
        while self._ahead and (to is None or self._ahead[0] < to):
            place = heapq.heappop(self._ahead)
            self._run(place)
            self._depth += self._changes.pop(place)

    def _run(self, end: int) -> None:
        """From where it was to here, all bases are as deep."""
        begin, depth = self._reached, self._depth
        if end <= begin:
            return
        self._reached = end
        targets, before = self._targets[self._reference], self._sums[self._reference]
        while self._place < len(targets.places) and targets.places[self._place] <= end:
            into = targets.places[self._place] - begin
            targets.sums[self._place] = before + into * depth
            self._place += 1
        if depth <= 0:
            return
        self._sums[self._reference] += (end - begin) * depth
        _count(self._at_least, depth, end - begin)
        while targets.next < len(targets.union):
            first, last = targets.union[targets.next]
            shared = min(last, end) - max(first, begin)
            if shared > 0:
                self._target_sum += shared * depth
                _count(self._target_at_least, depth, shared)
            if last > end:
                break
            targets.next += 1

    def _finish(self) -> None:
        """The sequence is over: what is open is closed, the next one begins at its first base."""
        self._advance(None)
        if self._lengths:
            self._depth = 0
            self._run(self._lengths[self._reference])
        self._mates.clear()
        self._depth = self._reached = self._place = 0

    def covered(self) -> Covered:
        """Once all are counted, how deep they lie."""
        if not self._fault:
            self._finish()
        return (
            self._fault,
            self._sums,
            self._at_least,
            self._target_sum,
            self._target_at_least,
            [one.sums for one in self._targets],
        )


def placed(record: Record) -> tuple[int, Place, Place, bytes, list[int]]:
    """A record, as `cover` is given it."""
    place, next_place = (record.ref, record.pos - 1), (record.next_ref, record.next_pos - 1)
    return record.flag, place, next_place, record.name, record.cigar.tolist()


def _count(levels: list[int], depth: int, bases: int) -> None:
    for at, bound in enumerate(LEVELS):
        if depth < bound:
            break
        levels[at] += bases
