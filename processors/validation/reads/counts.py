"""What is counted of reads: the twin of the extension's `ReadCounts`, and who chooses of the two.

The extension also looks for records that are certainly clean; the twin calls none so, and every
record is judged by the reader. What comes of `raw` is the same, number by number.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from genoflow.native.batch import extension

LINE_BYTES_MAX = 1_000_000  # read_length_max of FileMetrics ends there; four lines are 4 MB
# Places of a read that are counted one by one: 1,000 places times 94 qualities are 0.8 MB, and
# instruments whose places mean the same for each read make shorter ones.
POSITIONS_MAX = 1_000
KINDS_MAX = 100_000  # FastQC's: so many different beginnings, of 75 bytes at most, are 20 MB
SHORT_BASES = 75  # a read up to this length is compared whole
PREFIX_BASES = 50  # of longer ones: beyond it errors of the instrument make copies look different
POLY_G_BASES = 10  # two-colour instruments write G where there is no signal
FREQUENT_SHARE = 1_000  # a kind is listed that makes more than a thousandth of the reads
LONG_BASES = 1_000  # longer reads are compared by their share of G and C as if they had so many
# FastQC's list, twelve bases of each. The first ones are adapters; the others are runs of one base.
ADAPTERS = {
    "Illumina Universal Adapter": b"AGATCGGAAGAG",
    "Illumina Small RNA 3' Adapter": b"TGGAATTCTCGG",
    "Illumina Small RNA 5' Adapter": b"GATCGTCGGACT",
    "Nextera Transposase Sequence": b"CTGTCTCTTATA",
    "PolyA": b"A" * 12,
    "PolyG": b"G" * 12,
}
PLAIN = 4
ALPHABET = b"ACGTN"
FIRST_QUALITY = 33
QUALITIES = 94  # the characters 33 to 126
BELOW_Q20 = bytes(range(FIRST_QUALITY, FIRST_QUALITY + 20))
BELOW_Q30 = bytes(range(FIRST_QUALITY, FIRST_QUALITY + 30))
BATCH_BYTES = 1024**2  # of bases that wait to be counted by places, many reads in one call


def counts_of(*, every: bool) -> Any:
    """The extension's counts where it is there, and else the twin's."""
    make = getattr(extension(), "ReadCounts", None)
    if make is None:
        return Counts(every=every)
    numbers = (
        POSITIONS_MAX, KINDS_MAX, LINE_BYTES_MAX, SHORT_BASES, PREFIX_BASES, POLY_G_BASES, PLAIN,
    )  # fmt: skip
    return make(numbers, list(ADAPTERS.values()), every)


def name_of(title: bytes) -> bytes:
    """The name by which mates are compared: up to the first blank, without /1 and /2."""
    name = title[1:].partition(b" ")[0].partition(b"\t")[0]
    return name[:-2] if name.endswith((b"/1", b"/2")) else name


def comparable(length: int) -> int:
    """The length by which FastQC compares the share of G and C: whole hundreds, then thousands."""
    if length <= 100:
        return length
    return length // 100 * 100 if length <= LONG_BASES else length // LONG_BASES * LONG_BASES


class Counts:
    """The counts of one file."""

    def __init__(self, *, every: bool) -> None:
        self._every = every
        self._names: list[bytes] = []
        self._reads = self._adapter_reads = self._tails = 0
        self._sums: Counter[str] = Counter()
        self._seen = b""  # qualities, each once
        self._lengths: Counter[int] = Counter()
        self._gc_of: Counter[tuple[int, int]] = Counter()
        self._means = [0] * QUALITIES
        self._adapter_at = [[0] * (POSITIONS_MAX + 1) for _ in ADAPTERS]
        self._kinds: dict[bytes, int] = {}
        self._counted_at_limit = 0
        self._batch: dict[int, tuple[list[bytes], list[bytes]]] = {}
        self._batch_bytes = 0
        self._letters: list[list[int]] = [[] for _ in ALPHABET]
        self._qualities: list[list[int]] = []
        self._beyond = [0] * QUALITIES

    def know(self, prefix: bytes) -> None:
        """Names that begin so may be accepted: of no account where nothing is."""

    def scan(self, text: bytes, at: int) -> tuple[int, int]:  # noqa: ARG002 -- the text is not read
        """Where the first record begins that is not clean, and how many were before it."""
        return at, 0

    def names(self) -> bytes:
        """The names since this was asked last, each with a line feed."""
        names, self._names = self._names, []
        return b"".join([name + b"\n" for name in names])

    def add(self, title: bytes, bases: bytes, qualities: bytes) -> None:
        """Count a record that was judged: it has as many qualities as letters."""
        self._names.append(name_of(title))
        bases = bases.upper()
        self._reads += 1
        if self._every:
            self._add_read(bases, qualities)
        length = len(bases)
        batch = self._batch.get(length)
        if batch is None:
            batch = self._batch[length] = ([], [])
        batch[0].append(bases)
        batch[1].append(qualities)
        self._batch_bytes += length + 1
        if self._batch_bytes > BATCH_BYTES:
            self._settle()

    def _add_read(self, bases: bytes, qualities: bytes) -> None:
        if bases:
            self._means[sum(qualities) // len(bases) - FIRST_QUALITY] += 1
            length = comparable(len(bases))
            gc = bases.count(b"G", 0, length) + bases.count(b"C", 0, length)
            if length > LONG_BASES:
                length, gc = LONG_BASES, gc * LONG_BASES // length
            self._gc_of[length, gc] += 1
        seen = False
        for which, adapter in enumerate(ADAPTERS.values()):
            if (at := bases.find(adapter)) >= 0:
                seen = seen or which < PLAIN
                self._adapter_at[which][min(at, POSITIONS_MAX)] += 1
        self._adapter_reads += seen
        self._tails += bases.endswith(b"G" * POLY_G_BASES)
        kind = bases if len(bases) <= SHORT_BASES else bases[:PREFIX_BASES]
        is_open = len(self._kinds) < KINDS_MAX
        if is_open or kind in self._kinds:
            self._kinds[kind] = self._kinds.get(kind, 0) + 1
        if is_open:
            self._counted_at_limit = self._reads

    def _settle(self) -> None:
        """Count what waits: the reads of one length at once, a place of all of them at a time."""
        for length, (reads, grades) in self._batch.items():
            bases, qualities = b"".join(reads), b"".join(grades)
            self._lengths[length] += len(reads)
            self._sums["gc"] += bases.count(b"G") + bases.count(b"C")
            self._sums["n"] += bases.count(b"N")
            self._sums["q20"] += len(qualities.translate(None, BELOW_Q20))
            self._sums["q30"] += len(qualities.translate(None, BELOW_Q30))
            self._sums["quality_sum"] += sum(qualities) - FIRST_QUALITY * len(qualities)
            self._seen += bytes(set(qualities.translate(None, self._seen)))
            if self._every:
                self._settle_places(length, bases, qualities)
        self._batch.clear()
        self._batch_bytes = 0

    def _settle_places(self, length: int, bases: bytes, qualities: bytes) -> None:
        near = min(length, POSITIONS_MAX)
        while len(self._qualities) < near:
            self._qualities.append([0] * QUALITIES)
            for letters in self._letters:
                letters.append(0)
        for place in range(near):
            column = bases[place::length]
            for letters, letter in zip(self._letters, ALPHABET, strict=True):
                letters[place] += column.count(letter)
            _count(self._qualities[place], qualities[place::length])
        for at in range(near, len(qualities), length) if length > near else ():
            _count(self._beyond, qualities[at : at + length - near])

    def raw(self) -> dict[str, Any]:
        """All counts by name."""
        self._settle()
        raw: dict[str, Any] = {
            "reads": self._reads,
            "bases": sum(length * count for length, count in self._lengths.items()),
            **{name: self._sums[name] for name in ("gc", "n", "quality_sum")},
            "quality_range": (min(self._seen), max(self._seen)) if self._seen else None,
            "lengths": dict(self._lengths),
        }
        if not self._every:
            return raw | {name: self._sums[name] for name in ("q20", "q30")}
        return raw | {
            "letters": self._letters,
            "qualities": self._qualities,
            "beyond": self._beyond,
            "gc_of": dict(self._gc_of),
            "means": self._means,
            "adapter_at": self._adapter_at,
            "adapter_reads": self._adapter_reads,
            "tails": self._tails,
            "levels": dict(Counter(self._kinds.values())),
            "frequent": {
                kind: count
                for kind, count in self._kinds.items()
                if count * FREQUENT_SHARE > self._reads
            },
            "counted_at_limit": self._counted_at_limit,
        }


def _count(sums: list[int], column: bytes) -> None:
    for quality in set(column):
        sums[quality - FIRST_QUALITY] += column.count(quality)
