"""One alignment, the same whether it came as text or in binary."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

from genoflow.processors.validation.findings import NOWHERE, Findings, Where
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam.header import Header

# 3 million bases with qualities are 6 MB; base modifications and signal tables four times as much.
# A reader holds a line some five times, in parts and in values: 160 MB.
RECORD_BYTES_MAX = 32 * 1024**2

PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED = 0x1, 0x2, 0x4, 0x8
REVERSE, MATE_REVERSE, FIRST, LAST = 0x10, 0x20, 0x40, 0x80
SECONDARY, FAILED, DUPLICATE, SUPPLEMENTARY = 0x100, 0x200, 0x400, 0x800
NONE, UNKNOWN = -1, -2  # of references: `*`, and a name that the header lacks
OPERATIONS = b"MIDNSHP=X"
INSERTED, DELETED, SKIPPED, SOFT, HARD, DIFFERENT = 1, 2, 3, 4, 5, 8
IN_QUERY = (True, True, False, False, True, False, False, True, True)
IN_REFERENCE = (True, False, True, True, False, False, False, True, True)
ALIGNED = (True, False, False, False, False, False, False, True, True)

# Of an array its type and how many numbers it has; they are looked at where they are read.
Value = bytes | int | float | tuple[str, int]


class Tag(NamedTuple):
    """An optional field: of a whole number the type is i, however BAM stores it."""

    type: str
    value: Value


@dataclass(slots=True)
class Record:
    """Positions are counted from 1; operations are packed as BAM packs them."""

    name: bytes
    flag: int
    ref: int
    pos: int
    mapq: int
    cigar: array[int]
    next_ref: int
    next_pos: int
    length: int
    seq: bytes  # empty: not stored
    qual: bytes | None  # as SAM writes it
    tags: dict[bytes, Tag] = field(default_factory=dict)
    next_is_same: bool = False  # RNEXT is `=`
    query_bases: int = 0
    reference_bases: int = 0
    placeholder: bool = False  # CIGAR stands in CG

    def __post_init__(self) -> None:
        self.query_bases, self.reference_bases = spans(self.cigar)


def spans(cigar: array[int]) -> tuple[int, int]:
    """How many bases of the read and of the reference the operations take."""
    query = reference = 0
    for packed in cigar:
        code, size = packed & 15, packed >> 4
        if IN_QUERY[code]:
            query += size
        if IN_REFERENCE[code]:
            reference += size
    return query, reference


class Judge:
    """Where one is in the file, and what was found; every check adds through it."""

    def __init__(self, header: Header, findings: Findings) -> None:
        self.header = header
        self.findings = findings
        self.where: Where = NOWHERE

    def add(self, rule: Rule, said: str) -> None:
        """One finding at the record that is looked at."""
        self.findings.add(rule, said, self.where)
