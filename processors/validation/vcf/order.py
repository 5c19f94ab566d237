"""Records beside each other: contigs in one block, positions in order, no variant twice.

A variant is compared in its shortest form: bases that REF and ALT share are cut off, first at the
end, then at the beginning. That moves it to the right only, so that in a sorted file a variant can
come again no later than at its shortest position, and what lies behind is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Variants at one place, about 300 bytes each: 30 MB. Nobody calls as many; more are not compared.
VARIANTS_MAX = 100_000
BASES = frozenset("ACGTNacgtn")


class Variant(NamedTuple):
    """One allele of ALT in its shortest form."""

    position: int
    ref: str
    alt: str


def variants_of(position: int, ref: str, alts: Sequence[str]) -> Iterator[Variant]:
    """The alleles that are bases and differ from REF; of others there is nothing to compare."""
    if not ref or not BASES.issuperset(ref):
        return
    ref = ref.upper()
    for allele in alts:
        alt = allele.upper()
        if not alt or alt == ref or not BASES.issuperset(alt):
            continue
        end = 0
        most = min(len(ref), len(alt))
        while end < most and ref[-1 - end] == alt[-1 - end]:
            end += 1
        begin = 0
        while begin < most - end and ref[begin] == alt[begin]:
            begin += 1
        last = -end if end else None
        yield Variant(position + begin, ref[begin:last], alt[begin:last])


class Order:
    """What has to be known of the records before."""

    def __init__(self) -> None:
        self.contig: str | None = None
        self.position = -1  # of the record before
        self._highest = -1
        self._closed: set[str] = set()
        self._variants: dict[Variant, None] = {}

    def enter(self, contig: str) -> bool:
        """Whether this contig was left before; from now on it is the current one."""
        if contig == self.contig:
            return False
        if self.contig is not None:
            self._closed.add(self.contig)
        self.contig, self.position, self._highest = contig, -1, -1
        self._variants.clear()
        return contig in self._closed

    def move(self, position: int) -> bool:
        """Whether this position lies before that of the last record."""
        is_back = position < self.position
        self.catch_up(position, max(position, self._highest))
        return is_back

    def catch_up(self, position: int, highest: int) -> None:
        """As if the records up to here had been seen."""
        self.position = position
        if highest > self._highest:
            self._highest = highest
            # Forgotten in the order in which they came, which is nearly that of positions.
            for variant in [*self._variants]:
                if variant.position < highest:
                    del self._variants[variant]

    def note(self, position: int, ref: str, alts: Sequence[str]) -> Variant | None:
        """The first of these variants that stood in a record before; all are known from now on."""
        again = None
        found = {*variants_of(position, ref, alts)}
        for variant in sorted(found):
            if variant in self._variants:
                again = again or variant
            elif variant.position >= self._highest and len(self._variants) < VARIANTS_MAX:
                self._variants[variant] = None
        return again
