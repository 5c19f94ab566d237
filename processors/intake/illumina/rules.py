"""What rows may not be to one another: the rules within a lane, and those of the whole sheet.

Two index pairs of a lane collide where one read could be within the tolerated mismatches of both:
where i7 differs in at most twice the mismatches of index 1 and i5 in at most twice those of index
2. It is the rule of BCL Convert: m mismatches on each side of the way from one to the other. N
matches every base, and an i5 that either of the two lacks tells nothing apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from genoflow.events.types import ROWS_MAX
from genoflow.processors.intake.illumina.rows import Placed

Mismatches = tuple[int, int]
BITS = {"A": 1, "C": 2, "G": 4, "T": 8, "N": 15}
PAIRS_TOLD_MAX = 100  # of a lane, as many as an event holds: 1,500 equal indexes are a million


def problems_of(rows: Sequence[Placed], mismatches: Mismatches) -> list[str]:
    """Everything that rows contradict each other in; each problem once, though in many lanes."""
    if len(rows) > ROWS_MAX:
        return [
            f"the sheet has {len(rows):,} rows, counted in each lane, and may have {ROWS_MAX:,}; "
            f"take out the rows that are not of this flow cell"
        ]
    lanes: dict[int, list[Placed]] = {}
    for placed in rows:
        lanes.setdefault(placed.row.lane, []).append(placed)
    found: dict[str, list[int]] = {}
    known: dict[tuple[int, ...], list[str]] = {}
    for lane, libraries in sorted(lanes.items()):
        # A row without a lane stands in all of them, and 384 libraries are 73,536 pairs.
        lines = tuple(one.number for one in libraries)
        if lines not in known:
            known[lines] = [*_lengths(libraries), *_pairs(libraries, mismatches)]
        for problem in known[lines]:
            found.setdefault(problem, []).append(lane)
    return [_with_lanes(problem, where) for problem, where in found.items()]


def _with_lanes(problem: str, lanes: Sequence[int]) -> str:
    word = "lane" if len(lanes) == 1 else "lanes"
    return problem.replace("@lanes", f"{word} {', '.join(map(str, lanes))}")


def _lengths(libraries: Sequence[Placed]) -> Iterator[str]:
    for number in (0, 1):
        first: dict[int, int] = {}
        for one in libraries:
            first.setdefault(len(one.indexes[number]), one.number)
        if len(first) > 1:
            said = ", ".join(f"{length} in line {line}" for length, line in sorted(first.items()))
            yield (
                f"index {number + 1} has different lengths in @lanes ({said}); "
                f"give all libraries of a lane one length, or put them on different lanes"
            )


def _pairs(libraries: Sequence[Placed], mismatches: Mismatches) -> Iterator[str]:
    most7, most5 = 2 * mismatches[0], 2 * mismatches[1]
    coded = [(one, _coded(one.indexes[0]), _coded(one.indexes[1])) for one in libraries]
    told = 0
    for (one, i7, i5), (other, other7, other5) in combinations(coded, 2):
        # 384 libraries are 73,536 pairs, and 4,000 of one lane eight million: nearly all of them
        # end here.
        distance7 = _distance(i7, other7)
        if distance7 > most7:
            continue
        distance5 = _distance(i5, other5)
        if distance5 > most5:
            continue
        told += 1
        if told > PAIRS_TOLD_MAX:
            yield "many more pairs of libraries collide in @lanes; mend these first"
            return
        yield _told(one, other, (distance7, distance5), mismatches)


def _told(one: Placed, other: Placed, distance: tuple[int, int], mismatches: Mismatches) -> str:
    lines = f"lines {one.number} and {other.number}"
    if one.number == other.number:
        lines = f"line {one.number}"
    same_sample = one.row.sample_id == other.row.sample_id
    if distance == (0, 0) and same_sample:
        return f"{lines}: the same sample with the same index is twice in @lanes; keep one row"
    if distance == (0, 0):
        return (
            f"{lines}: two samples have the same index in @lanes, so their reads cannot be told "
            f"apart; mend the index, or put them on different lanes"
        )
    return (
        f"{lines}: the indexes collide in @lanes: they differ in {distance[0]} bases of index 1 "
        f"and {distance[1]} of index 2, and with {mismatches[0]} and {mismatches[1]} mismatches "
        f"one read can belong to both; tolerate fewer mismatches, or put them on different lanes"
    )


def _coded(index: str) -> tuple[int, int, int]:
    """One bit of four for each base, all four for N; a one for each base; how many bases."""
    bits = 0
    for base in reversed(index):
        bits = bits << 4 | BITS[base]
    return bits, int("1" * len(index) or "0", 16), len(index)


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    both = one[0] & other[0]
    both |= both >> 2
    both |= both >> 1
    return min(one[2], other[2]) - (both & one[1] & other[1]).bit_count()
