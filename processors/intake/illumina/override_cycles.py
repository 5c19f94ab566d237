"""OverrideCycles against the reads of RunInfo, and against the indexes that it is to find."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genoflow.processors.intake.illumina.run_info import RunInfo, RunRead

SEGMENT = re.compile(r"(?:[YIUN](?:[1-9][0-9]{0,3}|\*))+")
PART = re.compile(r"([YIUN])([0-9]+|\*)")


def faults_of(override: str, info: RunInfo, indexes: tuple[str, ...]) -> Iterator[str]:
    """What contradicts RunInfo, or the indexes of a row; nothing where all fits."""
    segments = override.split(";")
    if len(segments) != len(info.reads):
        yield (
            f"OverrideCycles has {len(segments)} segments and RunInfo has {len(info.reads)} reads; "
            f"write one segment for each read, in the order of sequencing"
        )
        return
    taken: list[int | None] = []
    for segment, read in zip(segments, info.reads, strict=True):
        fault = _fault_of(segment, read)
        if fault is not None:
            yield fault
        elif read.is_index:
            taken.append(_index_cycles(segment, read))
    for number, (cycles, index) in enumerate(zip(taken, indexes, strict=False), start=1):
        if cycles is not None and index and cycles != len(index):
            yield (
                f"OverrideCycles takes {cycles} cycles for index {number}, which has {len(index)} "
                f"bases here; make the two the same"
            )


def _fault_of(segment: str, read: RunRead) -> str | None:
    place = f"OverrideCycles segment {read.number}"
    if SEGMENT.fullmatch(segment) is None:
        return (
            f"{place}: is not made of Y, I, U or N, each with a number; write such as Y151 or I8N2"
        )
    parts = PART.findall(segment)
    if sum(count == "*" for _, count in parts) > 1:
        return f"{place}: has more than one *; write the numbers"
    fixed = sum(int(count) for _, count in parts if count != "*")
    open_ended = any(count == "*" for _, count in parts)
    if fixed > read.cycles or (fixed != read.cycles and not open_ended):
        return (
            f"{place}: has {fixed} cycles and read {read.number} of RunInfo has {read.cycles}; "
            f"write parts that add up to {read.cycles}, N for cycles that are left out"
        )
    if not read.is_index and any(letter == "I" for letter, _ in parts):
        return f"{place}: takes an index from read {read.number}, which is none; write Y, U or N"
    return None


def _index_cycles(segment: str, read: RunRead) -> int:
    parts = PART.findall(segment)
    fixed = sum(int(count) for _, count in parts if count != "*")
    return sum(
        read.cycles - fixed if count == "*" else int(count)
        for letter, count in parts
        if letter == "I"
    )
