"""The two files of a pair, held against each other name by name."""

from __future__ import annotations

from collections.abc import Iterator

from genoflow.processors.validation.findings import Findings, Where
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.reads import rules
from genoflow.processors.validation.reads.reader import Reader
from genoflow.processors.validation.reads.record import quoted
from genoflow.processors.validation.source import Source


def compare_mates(
    first: tuple[Source, str], second: tuple[Source, str], findings: Findings
) -> None:
    """A finding for the first record whose names differ, or for counts that differ.

    Each is a source with its compression. Both have to be free of errors. It is needed only where
    `read_names_sha256` of the two differs: else they are mates.
    """
    ours, theirs = b"", b""
    record = 1
    left, right = _names(*first), _names(*second)
    while True:
        ours = ours or next(left, b"")
        theirs = theirs or next(right, b"")
        if not ours or not theirs:
            break
        size = min(len(ours), len(theirs))  # where the shorter ends, both names end if they agree
        if ours[:size] != theirs[:size]:
            _report(ours, theirs, record, findings)
            return
        record += ours.count(b"\n", 0, size)
        ours, theirs = ours[size:], theirs[size:]
    if ours or theirs:
        longer = "first" if ours else "second"
        more = (ours or theirs).count(b"\n") + sum(
            names.count(b"\n") for names in (left if ours else right)
        )
        said = f"the {longer} file has {record - 1 + more} reads, and the other {record - 1}"
        findings.add(rules.PAIR_COUNTS, said, Where(record=record))


def _names(source: Source, compression: str) -> Iterator[bytes]:
    reader = Reader(Expected("R1"), Findings(), is_plain=compression == "none", every=False)
    blocks = blocks_of(source, compression, needs_end=False)
    return (names for names in reader.names(blocks) if names)


def _report(ours: bytes, theirs: bytes, record: int, findings: Findings) -> None:
    for number, (one, other) in enumerate(
        zip(ours.split(b"\n"), theirs.split(b"\n"), strict=False), record
    ):
        if one != other:
            said = f"read {number} is {quoted(one)} in the first file and {quoted(other)} in the "
            findings.add(rules.PAIR_NAMES, f"{said}second", Where(record=number))
            return
