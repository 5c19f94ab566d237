"""The fast way through the records that are certainly clean, where the extension is built."""

from __future__ import annotations

from typing import Any, Protocol

from genoflow.native import batch
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.sam import rules_alignment, rules_bam, rules_tags
from genoflow.processors.validation.sam.depth import Depth, Depths
from genoflow.processors.validation.sam.header import Header
from genoflow.processors.validation.sam.order import Order, Orders, declared
from genoflow.processors.validation.sam.totals import Totals

# Notes that whole files can be full of. Once enough of one are kept, the extension counts the rest.
TOLERABLE = (
    rules_alignment.MAPQ_NONE,
    rules_alignment.FLAG_UNPAIRED,
    rules_alignment.LENGTH_SINGLE,
    rules_alignment.FLAG_SEGMENT,
    rules_alignment.FLAG_UNMAPPED,
    rules_alignment.NEXT_SAME,
    rules_bam.BIN,
    rules_tags.NM,
    rules_alignment.MATE_PLACE,
    rules_alignment.MATE_FLAGS,
    rules_alignment.MATE_LENGTH,
)

Reached = tuple[int, int]  # where the next record begins that has to be looked at; how many before


class Scan(Protocol):
    """Goes over whole records from a place on, and stops before the first that may be at fault."""

    orders: Orders
    depths: Depths

    def text(self, data: bytes, at: int) -> Reached:
        """Over lines of SAM."""
        ...

    def binary(self, data: bytes, at: int) -> Reached:
        """Over records of BAM; one that is cut is not reached."""
        ...

    def tolerate(self, findings: Findings) -> None:
        """Do not stop at notes of which only the number is still of interest."""
        ...

    def give(self, totals: Totals, findings: Findings) -> None:
        """Add what was counted on the way."""
        ...


class _Slow:
    """Without the extension every record is looked at."""

    def __init__(self, header: Header) -> None:
        self.orders: Orders = Order(*declared(header))
        self.depths: Depths = Depth(header.lengths)

    def text(self, data: bytes, at: int) -> Reached:  # noqa: ARG002
        return at, 0

    def binary(self, data: bytes, at: int) -> Reached:  # noqa: ARG002
        return at, 0

    def tolerate(self, findings: Findings) -> None:
        """It stops at every record."""

    def give(self, totals: Totals, findings: Findings) -> None:
        """Nothing was counted."""


class _Fast:
    def __init__(self, native: Any, header: Header) -> None:
        self._scan = native.AlignmentScan(
            header.names,
            header.lengths,
            sorted(header.circular),
            [*header.groups],
            [*header.programs],
            declared(header),
        )
        self.orders: Orders = self._scan
        self.depths: Depths = self._scan

    def text(self, data: bytes, at: int) -> Reached:
        found: Reached = self._scan.text(data, at)
        return found

    def binary(self, data: bytes, at: int) -> Reached:
        found: Reached = self._scan.binary(data, at)
        return found

    def tolerate(self, findings: Findings) -> None:
        full = (bit for bit, rule in enumerate(TOLERABLE) if findings.is_full(rule))
        self._scan.tolerate(sum(1 << bit for bit in full))

    def give(self, totals: Totals, findings: Findings) -> None:
        counts, inserts, mapq, notes = self._scan.counts()
        totals.join(counts, inserts, mapq)
        for rule, count in zip(TOLERABLE, notes, strict=True):
            if count:
                findings.counts[rule] += count


def open_scan(header: Header) -> Scan:
    """The extension's, or the one that leaves everything to Python."""
    native = batch.extension()
    return _Slow(header) if native is None else _Fast(native, header)
