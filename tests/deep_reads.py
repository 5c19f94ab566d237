"""Overlapping pairs over a few small chromosomes, out of a seed, as a file in order of places."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.alignment_lines import bam

SEQUENCES: Mapping[str, int] = {"chr1": 20_000, "chr2": 12_000, "chrX": 12_000, "chrY": 6_000}
HEADER = (
    "@HD\tVN:1.6\tSO:coordinate\n"
    + "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in SEQUENCES.items())
    + "@RG\tID:rg1\tSM:S1\n"
)
READ_BASES = 100
# The second reads 100 bases behind a clip, the last one 97 with a gap: no read lies in its mate.
CIGARS = ("100M", "100M", "6S94M", "30M5D70M", "40M4I56M", "50M120N50M", "20=1X79=")
COPIES: Mapping[str, Mapping[str, float]] = {
    "male": {"chr1": 1, "chr2": 1, "chrX": 0.5, "chrY": 0.3},
    "female": {"chr1": 1, "chr2": 1, "chrX": 1, "chrY": 0.01},
    "both": {"chr1": 1, "chr2": 1, "chrX": 1, "chrY": 0.3},
}
TARGETS = (("chr1", 100, 900), ("chr1", 5_000, 5_001), ("chr1", 10_000, 20_000),
           ("chr2", 0, 3_000), ("chrX", 3_000, 9_000), ("chrY", 5_000, 6_000))  # fmt: skip


def text(depth: float, seed: int, copies: str = "male") -> bytes:
    """So deep on the autosomes, with the flags that do not count among them."""
    chance = random.Random(seed)
    found: list[tuple[int, int, str]] = []
    for at, (name, length) in enumerate(SEQUENCES.items()):
        pairs = int(depth * COPIES[copies][name] * length / (2 * READ_BASES))
        for number in range(pairs):
            found.extend((at, *one) for one in _pair(f"{name}:{number}", name, length, chance))
    found.sort(key=lambda one: one[:2])
    return (HEADER + "".join(line for _, _, line in found)).encode()


def _pair(name: str, sequence: str, length: int, chance: random.Random) -> list[tuple[int, str]]:
    first = chance.randrange(1, length - 600)
    second = first + chance.choice((0, chance.randrange(1, 120), chance.randrange(120, 380)))
    common = chance.choices((0, 0x400, 0x200), (20, 2, 1))[0]
    kind = chance.random()
    flags = (99, 147) if kind < 0.85 else (65, 129) if kind < 0.95 else (99, 147 | 0x400)
    made = []
    for pos, other, flag, size in (
        (first, second, flags[0], second - first + READ_BASES),
        (second, first, flags[1], first - second - READ_BASES),
    ):
        cigar = chance.choice(CIGARS)
        fields = (flag | common, sequence, pos, chance.choice((0, 60)), cigar, "=", other, size)
        seq = "".join(chance.choices("ACGT", k=READ_BASES))
        rest = f"{seq}\t{'F' * READ_BASES}\tRG:Z:rg1\n"
        made.append((pos, "\t".join((name, *map(str, fields), rest))))
        if chance.random() < 0.05:
            other_line = (flag | chance.choice((0x100, 0x800)), *fields[1:])
            made.append((pos, "\t".join((name, *map(str, other_line), rest))))
    return made


def deep_bam(depth: float, seed: int, copies: str = "male") -> bytes:
    """The same in binary."""
    return bam(text(depth, seed, copies))


def bed() -> str:
    """The targets as a BED file."""
    return "".join(f"{name}\t{start}\t{end}\n" for name, start, end in TARGETS)
