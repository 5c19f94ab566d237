"""Reads of a sample with some of another person's among them, over common variants."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pysam

from tests.alignment_lines import bam

GENOME_BASES = 30_000
SPACING_BASES = 75  # between two variants: a read lies over one or two
READ_BASES = 100
ERROR = 0.001


def write_mixture(folder: Path, share: float, depth: float, seed: int) -> tuple[Path, Path]:
    """An indexed BAM in which this share is foreign, and the variants as a VCF."""
    chance = random.Random(seed)
    genome = "".join(chance.choices("ACGT", k=GENOME_BASES))
    places = range(SPACING_BASES, GENOME_BASES - SPACING_BASES, SPACING_BASES)
    others = {at: chance.choice([one for one in "ACGT" if one != genome[at]]) for at in places}
    frequencies = {at: chance.uniform(0.05, 0.95) for at in places}
    people = [_copies(genome, others, frequencies, chance) for _ in range(2)]
    path = folder / f"mixed-{share}.bam"
    path.write_bytes(bam(_text(people, share, depth, chance)))
    pysam.index(str(path))
    sites = folder / "sites.vcf"
    sites.write_text(_vcf(genome, others, frequencies))
    (folder / "genome.fa").write_text(f">chr1\n{genome}\n")
    return path, sites


def _copies(
    genome: str, others: dict[int, str], frequencies: dict[int, float], chance: random.Random
) -> Sequence[str]:
    found = []
    for _ in range(2):
        letters = list(genome)
        for at, base in others.items():
            if chance.random() < frequencies[at]:
                letters[at] = base
        found.append("".join(letters))
    return found


def _text(
    people: Sequence[Sequence[str]], share: float, depth: float, chance: random.Random
) -> bytes:
    rows = [f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:{GENOME_BASES}\n"]
    count = int(GENOME_BASES * depth / READ_BASES)
    starts = sorted(chance.randrange(GENOME_BASES - READ_BASES) for _ in range(count))
    for number, start in enumerate(starts):
        copy = chance.choice(people[chance.random() < share])
        letters = copy[start : start + READ_BASES]
        if chance.random() < ERROR * READ_BASES:
            at = chance.randrange(READ_BASES)
            letters = letters[:at] + chance.choice("ACGT") + letters[at + 1 :]
        rows.append(
            f"r{number}\t0\tchr1\t{start + 1}\t60\t{READ_BASES}M\t*\t0\t0\t{letters}"
            f"\t{'I' * READ_BASES}\n"
        )
    return "".join(rows).encode()


def _vcf(genome: str, others: dict[int, str], frequencies: dict[int, float]) -> str:
    head = (
        "##fileformat=VCFv4.3\n"
        f"##contig=<ID=chr1,length={GENOME_BASES}>\n##contig=<ID=chrX,length=9>\n"
        '##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    )
    rows = [
        f"chr1\t{at + 1}\t.\t{genome[at]}\t{base}\t.\t.\tAF={frequencies[at]:.4f}\n"
        for at, base in others.items()
    ]
    # What tells nothing: too rare, of two bases, of two kinds, on a chromosome of one copy.
    rows += ["chr1\t29990\t.\tA\tC\t.\t.\tAF=0.001\n", "chr1\t29991\t.\tAC\tA\t.\t.\tAF=0.5\n",
             "chr1\t29992\t.\tA\tC,G\t.\t.\tAF=0.5,0.1\n", "chr1\t29993\t.\tA\tC\t.\t.\t.\n",
             "chrX\t5\t.\tA\tC\t.\t.\tAF=0.5\n"]  # fmt: skip
    return head + "".join(rows)
