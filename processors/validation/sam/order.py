"""Whether records stand in the order that the header declares.

The extension keeps the same state: whichever of the two a file is read with, one object sees the
key of every record, in order.
"""

from __future__ import annotations

from typing import Protocol

from genoflow.processors.validation.sam import rules_alignment as rules
from genoflow.processors.validation.sam.header import Header, quoted
from genoflow.processors.validation.sam.mates import (
    MATE_FLAGS,
    MATE_LENGTH,
    MATE_PLACE,
    Line,
    Mates,
)
from genoflow.processors.validation.sam.record import (
    NONE,
    SECONDARY,
    SUPPLEMENTARY,
    UNKNOWN,
    Judge,
    Record,
)

# Names or places that a file of groups has shown: each 8 bytes of hash, some 60 in a set: 60 MB.
# What comes behind them is no longer compared with them.
GROUPS_MAX = 1_000_000
COORDINATE, NAME, SUB, GROUP, PRIMARY = 1, 2, 4, 8, 16

Declared = tuple[bool, int, int]


def declared(header: Header) -> Declared:
    """By coordinate or not; 1 by name, 2 lexicographically, 3 naturally; 1 by query, 2 by place."""
    sub = header.sub_sort.split(b":")[1:]
    by_name = 0
    if header.sort == b"queryname":
        by_name = 2 if sub == [b"lexicographical"] else 3 if sub == [b"natural"] else 1
    by_group = {b"query": 1, b"reference": 2}.get(header.group, 0)
    return header.sort == b"coordinate", by_name, by_group


Place = tuple[int, int]  # a reference, and a position counted from 1


class Orders(Protocol):
    """What sees every record's key; the twin below, or the extension."""

    def next(self, name: bytes, flag: int, place: Place, next_place: Place, length: int) -> int:
        """Which of the orders this record breaks, as a sum of the constants here and of mates.py.

        The places are its own and its mate's, and the length is that of the template.
        """
        ...


class Order:
    """The twin in Python."""

    def __init__(self, by_coordinate: bool, by_name: int, by_group: int) -> None:
        self._by_coordinate = by_coordinate
        self._by_name = by_name
        self._by_group = by_group
        self._place = (-1, -1)
        self._name: bytes | None = None
        self._natural = self._plain = True  # the order of names holds so far
        self._seen: set[int] = set()
        self._key: tuple[int, int] | bytes | None = None
        self._primaries = 0
        self._mates = Mates()

    def next(self, name: bytes, flag: int, place: Place, next_place: Place, length: int) -> int:
        """Which of the orders this record breaks, and what its mate before it contradicts."""
        (ref, pos), broken = place, 0
        if not self._by_coordinate:
            broken |= self._mates.next(Line(name, flag, *place, *next_place, length))
        if self._by_coordinate and ref != UNKNOWN:
            key = (2**31 if ref == NONE else ref, 0 if ref == NONE else pos)
            if key < self._place:
                broken |= COORDINATE
            self._place = key
        if self._by_group:
            broken |= self._group(ref, pos, name)
        if self._by_name or self._by_group == 1:
            broken |= self._named(name, flag)
        return broken

    def _group(self, ref: int, pos: int, name: bytes) -> int:
        key: tuple[int, int] | bytes = name if self._by_group == 1 else (ref, pos)
        if key == self._key or name == b"*":
            return 0
        self._key = key
        hashed = hash(key)
        if hashed in self._seen:
            return GROUP
        if len(self._seen) < GROUPS_MAX:
            self._seen.add(hashed)
        return 0

    def _named(self, name: bytes, flag: int) -> int:
        if name == b"*":
            return 0
        broken = 0
        if name != self._name:
            if self._by_name and self._name is not None:
                broken = self._compare(self._name, name)
            self._name, self._primaries = name, 0
        if not flag & (SECONDARY | SUPPLEMENTARY):
            mark = 1 << (flag >> 6 & 3)
            if self._primaries & mark:
                broken |= PRIMARY
            self._primaries |= mark
        return broken

    def _compare(self, before: bytes, name: bytes) -> int:
        if self._by_name == 2:
            return 0 if before < name else SUB
        if self._by_name == 3:
            return 0 if is_natural(before, name) else SUB
        held = self._plain or self._natural
        self._plain = self._plain and before < name
        self._natural = self._natural and is_natural(before, name)
        return NAME if held and not (self._plain or self._natural) else 0


def is_natural(one: bytes, other: bytes) -> bool:
    """Whether the first does not stand behind the second, with runs of digits as numbers."""
    i = j = 0
    tied = 0  # by leading zeros alone: more of them come first
    while i < len(one) and j < len(other):
        if 48 <= one[i] <= 57 and 48 <= other[j] <= 57:
            first, second = _digits(one, i), _digits(other, j)
            number, against = one[i:first].lstrip(b"0"), other[j:second].lstrip(b"0")
            if (len(number), number) != (len(against), against):
                return (len(number), number) < (len(against), against)
            tied = tied or (second - j) - (first - i)
            i, j = first, second
        elif one[i] != other[j]:
            return one[i] < other[j]
        else:
            i += 1
            j += 1
    if i < len(one) or j < len(other):
        return i >= len(one)
    return tied <= 0


def _digits(text: bytes, at: int) -> int:
    while at < len(text) and 48 <= text[at] <= 57:
        at += 1
    return at


def check_order(record: Record, orders: Orders, judge: Judge) -> None:
    """Let the order see the record, and add what it breaks."""
    place, next_place = (record.ref, record.pos), (record.next_ref, record.next_pos)
    broken = orders.next(record.name, record.flag, place, next_place, record.length)
    if broken:
        add_broken(broken, record.name, judge)


def add_broken(broken: int, name: bytes, judge: Judge) -> None:
    """A finding for each of the orders that are broken."""
    said = f"the record {quoted(name)}"
    if broken & COORDINATE:
        judge.add(rules.SORTED_COORDINATE, f"{said} stands behind one of a later place")
    if broken & NAME:
        judge.add(rules.SORTED_NAME, f"{said} is in neither order of names")
    if broken & SUB:
        judge.add(rules.SORTED_SUB, f"{said} stands behind one of a later name")
    if broken & GROUP:
        judge.add(rules.GROUPED, f"{said} stands apart from its group")
    if broken & PRIMARY:
        judge.add(rules.PRIMARY_REPEATED, f"{said} is another primary line of its read")
    if broken & MATE_PLACE:
        judge.add(rules.MATE_PLACE, f"{said} or its mate before it is not where the other says")
    if broken & MATE_FLAGS:
        judge.add(rules.MATE_FLAGS, f"{said} and its mate before it differ in what FLAG says")
    if broken & MATE_LENGTH:
        judge.add(rules.MATE_LENGTH, f"{said} and its mate before it have no TLEN of two signs")
