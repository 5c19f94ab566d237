"""A small genome: contigs of random bases, the FASTA of it, and targets on it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

BASES = "ACGT"
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
X_CHROMOSOME = "chrX"
LENGTHS = (30_000, 20_000)  # 50 kb at 30-fold are 7,400 pairs: made in a second, aligned in two
GC_FRACTION = 0.41  # as in the human genome
LINE_BASES = 60
TARGET_EVERY_BASES, TARGET_BASES = 1_000, 400  # 40 % of the genome, in pieces as long as exons
# A run of one base is what aligners place twice and callers see indels in: none longer than this.
SAME_BASE_MAX = 5


@dataclass(frozen=True, slots=True)
class Contig:
    """A named sequence."""

    name: str
    bases: str


@dataclass(frozen=True, slots=True)
class Genome:
    """The contigs of a reference, in their order."""

    name: str
    contigs: tuple[Contig, ...]

    @property
    def length(self) -> int:
        """Bases of all contigs together."""
        return sum(len(contig.bases) for contig in self.contigs)


def make_genome(seed: int, lengths: tuple[int, ...] = LENGTHS, name: str = "simulated") -> Genome:
    """The genome of a seed, with contigs chr1, chr2 and so on; the last of several is chrX."""
    source = Random(f"{seed}/genome")
    names = [f"chr{number}" for number in range(1, len(lengths) + 1)]
    if len(names) > 1:
        names[-1] = X_CHROMOSOME
    return Genome(
        name,
        tuple(
            Contig(called, _bases(source, length))
            for called, length in zip(names, lengths, strict=True)
        ),
    )


def _bases(source: Random, length: int) -> str:
    at, gc = (1 - GC_FRACTION) / 2, GC_FRACTION / 2
    drawn = source.choices(BASES, (at, gc, gc, at), k=length)
    run = 0
    for place in range(1, length):
        run = run + 1 if drawn[place] == drawn[place - 1] else 0
        if run >= SAME_BASE_MAX:
            drawn[place] = source.choice([base for base in BASES if base != drawn[place]])
            run = 0
    return "".join(drawn)


def reverse_complement(bases: str) -> str:
    """The other strand, read in its own direction."""
    return bases.translate(COMPLEMENT)[::-1]


def fasta(genome: Genome) -> bytes:
    """The genome as a FASTA file."""
    lines: list[str] = []
    for contig in genome.contigs:
        lines.append(f">{contig.name}")
        lines += [
            contig.bases[start : start + LINE_BASES]
            for start in range(0, len(contig.bases), LINE_BASES)
        ]
    return ("\n".join(lines) + "\n").encode()


def targets(genome: Genome) -> bytes:
    """Targets all over the genome, as BED: they count from 0, and their end is not part of them."""
    lines = [
        f"{contig.name}\t{start}\t{start + TARGET_BASES}\t{contig.name}-{start}"
        for contig in genome.contigs
        for start in range(
            TARGET_EVERY_BASES // 2, len(contig.bases) - TARGET_BASES, TARGET_EVERY_BASES
        )
    ]
    return ("\n".join(lines) + "\n").encode()
