"""The two reads of a pair, where they stand one behind the other: each says of the other the truth.

One record is held, whatever the file's size. Mates that stand apart, as in a file sorted by
coordinate, are not compared. The extension has the same in `mates.rs`.
"""

from __future__ import annotations

from typing import NamedTuple

from genoflow.processors.validation.sam.record import (
    FIRST,
    LAST,
    MATE_REVERSE,
    MATE_UNMAPPED,
    PAIRED,
    REVERSE,
    SECONDARY,
    SUPPLEMENTARY,
    UNMAPPED,
)

MATE_PLACE, MATE_FLAGS, MATE_LENGTH = 32, 64, 128  # behind the constants of order.py
ENDS = FIRST | LAST


class Line(NamedTuple):
    """What mates say of each other."""

    name: bytes
    flag: int
    ref: int
    pos: int
    next_ref: int
    next_pos: int
    length: int


class Mates:
    """Compares a primary line with the one before it, where the two are a pair."""

    def __init__(self) -> None:
        self._held: Line | None = None

    def next(self, line: Line) -> int:
        """What is not true of the two, as a sum of the constants above."""
        if line.flag & (SECONDARY | SUPPLEMENTARY):
            return 0  # it may stand between the two
        before, self._held = self._held, line
        if before is None or before.name != line.name or line.name == b"*":
            return 0
        both = before.flag & line.flag
        if not both & PAIRED or {before.flag & ENDS, line.flag & ENDS} != {FIRST, LAST}:
            return 0
        broken = _said(before, line) | _said(line, before)
        is_placed = not (before.flag | line.flag) & UNMAPPED and before.ref == line.ref
        if is_placed and before.length and line.length and before.length != -line.length:
            broken |= MATE_LENGTH
        return broken


def _said(one: Line, mate: Line) -> int:
    """What is wrong with what the first says of the second."""
    broken = 0
    knows = one.next_ref >= 0 and one.next_pos > 0
    if knows and mate.ref >= -1 and (one.next_ref, one.next_pos) != (mate.ref, mate.pos):
        broken |= MATE_PLACE
    if bool(one.flag & MATE_UNMAPPED) != bool(mate.flag & UNMAPPED):
        return broken | MATE_FLAGS
    # Of a read without a place no strand is asked; and without PNEXT the bit says nothing.
    if knows and not mate.flag & UNMAPPED:
        broken |= MATE_FLAGS * (bool(one.flag & MATE_REVERSE) != bool(mate.flag & REVERSE))
    return broken
