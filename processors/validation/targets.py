"""The regions of a BED file, as coverage is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoflow.events.errors import Refused

# Targets of exomes are 250,000. Each with its sums: 300 bytes, so 150 MB.
TARGETS_MAX = 500_000
LINE_BYTES_MAX = 64 * 1024
COMMENTS = (b"#", b"track", b"browser")


@dataclass(frozen=True, slots=True)
class Target:
    """One line of a BED file: its first base counted from 0, and the one behind its last."""

    sequence: bytes
    start: int
    end: int


Pieces = list[tuple[int, int]]


def read_targets(path: Path) -> tuple[Target, ...]:
    """The regions of a BED file in their order; Refused names the line that is none."""
    found: list[Target] = []
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX):
            number += 1
            if not line.endswith(b"\n") and len(line) == LINE_BYTES_MAX:
                raise _refusal(path, number, f"has more than {LINE_BYTES_MAX} bytes")
            if line.strip() and not line.startswith(COMMENTS):
                found.append(_target(path, number, line))
            if len(found) > TARGETS_MAX:
                raise _refusal(path, number, f"is beyond the {TARGETS_MAX} regions that are read")
    if not found:
        said = f"{path}: holds no region; each line is a sequence, a start and an end"
        raise Refused(said)
    return tuple(found)


def _target(path: Path, number: int, line: bytes) -> Target:
    fields = line.rstrip(b"\r\n").split(b"\t")
    if len(fields) < 3:
        fields = line.split()
    if len(fields) < 3 or not (fields[1].isdigit() and fields[2].isdigit()):
        raise _refusal(path, number, "is not a sequence, a start and an end")
    start, end = int(fields[1]), int(fields[2])
    if not start < end < 2**31:
        raise _refusal(path, number, f"says from {start} to {end}, which holds no base")
    return Target(fields[0], start, end)


def _refusal(path: Path, number: int, said: str) -> Refused:
    return Refused(f"{path}: line {number} {said}; mend it, or leave the targets out")


def by_sequence(targets: Sequence[Target], lengths: Mapping[bytes, int]) -> dict[bytes, Pieces]:
    """Of each sequence that is known the targets in order, cut at its end."""
    found: dict[bytes, Pieces] = {}
    for one in targets:
        length = lengths.get(one.sequence, 0)
        if one.start < length:
            found.setdefault(one.sequence, []).append((one.start, min(one.end, length)))
    return {name: sorted(pieces) for name, pieces in found.items()}


def joined(pieces: Pieces) -> Pieces:
    """The same bases, each once, of pieces in order."""
    found: Pieces = []
    for start, end in pieces:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
