"""Libraries and the run that they are sequenced in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from genoflow.deploy.generate.genome import BASES, reverse_complement
from genoflow.deploy.generate.instruments import Instrument
from genoflow.deploy.generate.reads import READ_BASES, Pair

DAY = date(2026, 1, 5)  # fixed, because it stands in the run's id and so in every byte of the run
INDEX_BASES = 8
# Two barcodes with one error each are then still nearer to their own than to each other.
INDEX_DISTANCE_MIN = 3
INDEX_TRIES_MAX = 100_000  # 48 pairs of eight bases are found within 10,000
# Pairs that a run can draw from; what is left over turns up as a library that nobody listed.
INDEX_PAIRS = 48


@dataclass(frozen=True, slots=True)
class Library:
    """What of one sample lies in one lane; index2 is i5 in the forward direction."""

    sample_id: str
    library_id: str
    lane: int
    index1: str
    index2: str
    project: str = "SIMULATED"
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One flow cell on one instrument, and all that lies on it."""

    instrument: Instrument
    number: int
    seed: int
    libraries: tuple[Library, ...]
    read_bases: int = READ_BASES
    index_bases: int = INDEX_BASES
    day: date = DAY

    @property
    def flow_cell(self) -> str:
        """The serial number of the flow cell, in this instrument's form."""
        return self.instrument.flow_cell.format(self.number)

    @property
    def run_id(self) -> str:
        """The name of the run and of its folder."""
        return self.instrument.run_id.format(
            day=f"{self.day:%y%m%d}", year=f"{self.day:%Y%m%d}", number=self.number,
            flow_cell=self.flow_cell,
        )  # fmt: skip

    @property
    def lanes(self) -> range:
        """The numbers of the flow cell's lanes."""
        return range(1, self.instrument.lanes + 1)

    @property
    def cycles(self) -> tuple[tuple[int, bool], ...]:
        """Each read in its order: how many cycles, and whether it reads an index."""
        read, index = (self.read_bases, False), (self.index_bases, True)
        return (read, index, index, read)

    def i5_as_read(self, index2: str) -> str:
        """I5 as this instrument reads it, from its forward spelling."""
        return reverse_complement(index2) if self.instrument.i5_reversed else index2


def distance(one: str, other: str) -> int:
    """In how many places two words of one length differ."""
    return sum(a != b for a, b in zip(one, other, strict=True))


def index_pairs(seed: int, count: int, length: int = INDEX_BASES) -> tuple[tuple[str, str], ...]:
    """Index pairs of which every i7 and every i5, turned around too, is far from every other."""
    source = Random(f"{seed}/indexes")
    # What an instrument reads where there is no index; nothing may be taken for it.
    taken = {base * length for base in BASES}
    found: list[str] = []
    for _ in range(INDEX_TRIES_MAX):
        if len(found) == 2 * count:
            return tuple(zip(found[::2], found[1::2], strict=True))
        word = "".join(source.choices(BASES, k=length))
        turned = reverse_complement(word)
        if distance(word, turned) >= INDEX_DISTANCE_MIN and all(
            distance(spelled, other) >= INDEX_DISTANCE_MIN
            for other in taken
            for spelled in (word, turned)
        ):
            taken |= {word, turned}
            found.append(word)
    raise ValueError(f"no {count} pairs of indexes of {length} bases are that far apart; ask less")
