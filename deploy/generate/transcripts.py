"""Genes on a small genome, their transcripts, and reads of RNA of which the numbers are known."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from genoflow.deploy.generate.genome import Contig, Genome, reverse_complement
from genoflow.deploy.generate.reads import Pair, Recipe, make_pairs
from genoflow.deploy.generate.variants import EDGE_BASES, Subject

EXONS, EXON_BASES = (3, 5), (150, 300)  # from, to: a transcript is longer than most fragments
INTRON_BASES, BETWEEN_BASES = (60, 200), (100, 300)
SILENT_EVERY = 6  # one gene of six gives no fragment
# Few and many: the strongest transcript of a tissue gives thousands of times the weakest.
FRAGMENTS = (20, 400)
# No fragment is read twice, so that a count is what was drawn.
RECIPE = Recipe(duplicate_fraction=0.0)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The exons of a transcript in the order of the genome: from 0, the end is no part of it."""

    name: str
    gene: str
    contig: str
    strand: str
    exons: tuple[tuple[int, int], ...]

    def bases(self, genome: Genome) -> str:
        """Its sequence, introns cut out, in the direction in which it is written."""
        [contig] = [one for one in genome.contigs if one.name == self.contig]
        text = "".join(contig.bases[start:end] for start, end in self.exons)
        return reverse_complement(text) if self.strand == "-" else text


def transcripts_of(genome: Genome, seed: int) -> tuple[Transcript, ...]:
    """Genes all over the genome, each with a whole transcript and one that lacks an exon."""
    source = Random(f"{seed}/genes")
    found: list[Transcript] = []
    for contig in genome.contigs:
        place = EDGE_BASES
        while True:
            exons: list[tuple[int, int]] = []
            for _ in range(source.randint(*EXONS)):
                end = place + source.randint(*EXON_BASES)
                exons.append((place, end))
                place = end + source.randint(*INTRON_BASES)
            if exons[-1][1] > len(contig.bases) - EDGE_BASES:
                break
            gene, strand = f"G{len(found) // 2 + 1:03d}", source.choice("+-")
            skipped = source.randrange(1, len(exons) - 1)
            short = (*exons[:skipped], *exons[skipped + 1 :])
            found.append(Transcript(f"{gene}.1", gene, contig.name, strand, tuple(exons)))
            found.append(Transcript(f"{gene}.2", gene, contig.name, strand, short))
            place += source.randint(*BETWEEN_BASES)
    return tuple(found)


def gtf(transcripts: tuple[Transcript, ...]) -> bytes:
    """The exons as GTF: places count from 1, and their end is part of them."""
    lines = [
        f"{one.contig}\tsimulated\texon\t{start + 1}\t{end}\t.\t{one.strand}\t.\t"
        f'gene_id "{one.gene}"; transcript_id "{one.name}";'
        for one in transcripts
        for start, end in one.exons
    ]
    return ("\n".join(lines) + "\n").encode()


def expressed(transcripts: tuple[Transcript, ...], seed: int, sample: str) -> dict[str, int]:
    """How many fragments each transcript gives in a sample; none where its gene is silent."""
    source = Random(f"{seed}/expression/{sample}")
    low, high = FRAGMENTS
    found: dict[str, int] = {}
    for number, one in enumerate(transcripts):
        drawn = round(low * (high / low) ** source.random())
        found[one.name] = 0 if number // 2 % SILENT_EVERY == SILENT_EVERY - 1 else drawn
    return found


def rna_pairs(
    genome: Genome, transcripts: tuple[Transcript, ...], fragments: dict[str, int], seed: str
) -> tuple[Pair, ...]:
    """So many pairs of each transcript, in an order that tells nothing."""
    pairs: list[Pair] = []
    for one in transcripts:
        template = Genome(one.name, (Contig(one.name, one.bases(genome)),))
        subject, count = Subject(one.name, ()), fragments[one.name]
        pairs += make_pairs(template, subject, f"{seed}/{one.name}", count, RECIPE)
    Random(f"{seed}/order").shuffle(pairs)
    return tuple(pairs)
