"""Pairs of reads of a random genome, sorted by place: as SAM, BAM and CRAM, and the genome."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path

import pysam

CONTIGS = ("chr1", "chr2")
CONTIG_BASES = 2_000_000  # of 300 bases a pair, 700,000 pairs cover them 50 times
BASES = 150
FRAGMENT_BASES = (320, 60)  # mean and deviation
# How often of a thousand pairs: a duplicate; a read with soft-clipped ends, or with an insertion.
DUPLICATE, CLIPPED, INSERTED = 80, 40, 10
MISREAD = 300  # of a thousand reads, one base
QUALITY_LEAST, QUALITY_MOST = 2, 41  # what instruments wrote before they wrote four grades alone
QUALITY_BASES = 600_000
FASTA_LINE_BASES = 60


@dataclass(frozen=True, slots=True)
class Files:
    """The same alignments three times, and what they are aligned to."""

    sam: Path
    bam: Path
    cram: Path
    fasta: Path


class _Lines:
    """Makes the two lines of a pair; all by one source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.contigs = {
            name: "".join(self.chance.choices("ACGT", k=CONTIG_BASES)) for name in CONTIGS
        }
        self._qualities = self._walk()

    def _walk(self) -> str:
        """Qualities that rise and fall by little."""
        steps = self.chance.choices((-3, -1, 0, 0, 0, 1, 1, 2), k=QUALITY_BASES)
        found, now = bytearray(), QUALITY_MOST
        for step in steps:
            now = min(max(now + step, QUALITY_LEAST), QUALITY_MOST)
            found.append(now + 33)
        return found.decode()

    def pair(self, contig: str, start: int, number: int) -> tuple[tuple[int, str], tuple[int, str]]:
        """Both lines with their places, the left one first."""
        chance = self.chance
        length = max(BASES, int(chance.gauss(*FRAGMENT_BASES)))
        end = min(start + length, CONTIG_BASES)
        mate = end - BASES
        extra = 0x400 if chance.randrange(1_000) < DUPLICATE else 0
        name = f"A00123:45:HXXYZDSXX:{1 + number % 4}:{1101 + number % 78}:{number}:{start}"
        left = self._line(name, 99 | extra, contig, start, mate, end - start)
        right = self._line(name, 147 | extra, contig, mate, start, start - end)
        return (start, left), (mate, right)

    def _line(self, name: str, flag: int, contig: str, at: int, mate: int, length: int) -> str:
        chance, bases = self.chance, self.contigs[contig][at : at + BASES]
        cigar, what = f"{BASES}M", chance.randrange(1_000)
        if what < CLIPPED and flag & 0x10:  # at its right end, so that the place stays
            cut = chance.randrange(5, 40)
            cigar = f"{BASES - cut}M{cut}S"
        elif what < CLIPPED + INSERTED:
            bases = f"{bases[:70]}GATTACA{bases[70:-7]}"
            cigar = f"70M7I{BASES - 77}M"
        elif what > 1_000 - MISREAD:
            place = chance.randrange(BASES)
            bases = f"{bases[:place]}{chance.choice('ACGT')}{bases[place + 1 :]}"
        grade = chance.randrange(QUALITY_BASES - BASES)
        return (
            f"{name}\t{flag}\t{contig}\t{at + 1}\t60\t{cigar}\t=\t{mate + 1}\t{length}\t{bases}\t"
            f"{self._qualities[grade : grade + BASES]}\tMC:Z:{BASES}M\tAS:i:{BASES}\tXS:i:"
            f"{chance.randrange(20, 120)}\tRG:Z:L1\n"
        )


def _text(pairs: int, lines: _Lines) -> Iterator[str]:
    yield "@HD\tVN:1.6\tSO:coordinate\n"
    for contig in CONTIGS:
        yield f"@SQ\tSN:{contig}\tLN:{CONTIG_BASES}\n"
    yield "@RG\tID:L1\tSM:S1\tLB:lib1\tPL:ILLUMINA\tPU:HXXYZDSXX.1\n"
    yield "@PG\tID:material\tPN:material\n"
    number = 0
    for contig in CONTIGS:
        places = (lines.chance.randrange(CONTIG_BASES - BASES) for _ in range(pairs // 2))
        waiting: list[tuple[int, int, str]] = []
        for start in sorted(places):
            while waiting and waiting[0][0] <= start:
                yield heappop(waiting)[2]
            (_, left), (mate, right) = lines.pair(contig, start, number)
            number += 1
            yield left
            heappush(waiting, (mate, number, right))
        while waiting:
            yield heappop(waiting)[2]


def write(folder: Path, pairs: int, seed: int = 7) -> Files:
    """The four files of so many pairs."""
    found = Files(*(folder / f"aligned.{end}" for end in ("sam", "bam", "cram", "fa")))
    lines = _Lines(seed)
    with found.fasta.open("w") as file:
        for name, bases in lines.contigs.items():
            file.write(f">{name}\n")
            for at in range(0, CONTIG_BASES, FASTA_LINE_BASES):
                file.write(f"{bases[at : at + FASTA_LINE_BASES]}\n")
    pysam.faidx(str(found.fasta))
    with found.sam.open("w") as file:
        file.writelines(_text(pairs, lines))
    fasta = str(found.fasta)
    pysam.view("-b", "--no-PG", "-o", str(found.bam), str(found.sam), catch_stdout=False)
    pysam.view(
        "-C", "--no-PG", "-T", fasta, "-o", str(found.cram), str(found.bam), catch_stdout=False
    )
    return found
