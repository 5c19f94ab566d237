"""Regions held against the sequences of a reference: each build has positions of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

FIELDS_MIN = 3  # sequence, start, end
COMMENTS = (b"#", b"track", b"browser")
NAMES_SHOWN_MAX = 3


def lengths_of(fasta: Path) -> dict[str, int]:
    """How long each sequence of a FASTA is, by the name up to the first space."""
    lengths: dict[str, int] = {}
    name = ""
    with fasta.open("rb") as lines:
        for line in lines:
            if line.startswith(b">"):
                name = (line[1:].split() or [b""])[0].decode(errors="replace")
                lengths[name] = 0
            elif name:
                lengths[name] += len(line.strip())
    return lengths


def fault_of(bed: Path, lengths: Mapping[str, int]) -> str | None:
    """The first fault by which these regions are not those of the reference; None without one."""
    with bed.open("rb") as lines:
        return fault_in(lines, lengths)


def fault_in(lines: Iterable[bytes], lengths: Mapping[str, int], padding: int = 0) -> str | None:
    """The same of the lines of a BED, which reaches so far beyond each target at either side."""
    regions = 0
    for number, fields in _rows(lines):
        fault = _fault(fields, lengths) or _without_padding(fields, lengths, padding)
        if fault is not None:
            return f"line {number} {fault}"
        regions += 1
    return None if regions else "it holds no region"


def _without_padding(fields: list[str], lengths: Mapping[str, int], padding: int) -> str | None:
    """That a region is too short to have its padding; at an end of its sequence it may be cut."""
    start, end = int(fields[1]), int(fields[2])
    ends = (start > 0) + (end < lengths[fields[0]])
    if end - start > padding * ends:
        return None
    return f"has {end - start:,} bases, and {padding:,} at either side are said to be padding"


def _rows(lines: Iterable[bytes]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith(COMMENTS):
            yield number, line.decode(errors="replace").split()


def _fault(fields: list[str], lengths: Mapping[str, int]) -> str | None:
    if len(fields) < FIELDS_MIN or not (fields[1].isdecimal() and fields[2].isdecimal()):
        return "is not a sequence, a start and an end"
    name, start, end = fields[0], int(fields[1]), int(fields[2])
    if name not in lengths:
        known = ", ".join([*lengths][:NAMES_SHOWN_MAX])
        return f"names the sequence {name:.100}, and the reference has {known} …"
    if start >= end:
        return f"begins at {start:,} and ends at {end:,}"
    if end > lengths[name]:
        return f"ends at {end:,}, and {name:.100} of the reference has {lengths[name]:,} bases"
    return None
