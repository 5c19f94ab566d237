"""Variants of three samples as a caller writes them: VCF, compressed as bgzip does it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pysam

CONTIGS = ("chr1", "chr2", "chr3", "chr4")
STEP_BASES = 100  # between two records, on average
SAMPLES = ("S1", "S2", "S3")
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
HEADER = """##fileformat=VCFv4.3
##FILTER=<ID=PASS,Description="All filters passed">
##FILTER=<ID=LowQual,Description="Low quality">
##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count in genotypes">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles in called genotypes">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=FS,Number=1,Type=Float,Description="Strand bias, Phred-scaled">
##INFO=<ID=MQ,Number=1,Type=Float,Description="Mapping quality">
##INFO=<ID=QD,Number=1,Type=Float,Description="Quality by depth">
##INFO=<ID=SOR,Number=1,Type=Float,Description="Strand bias">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depth by allele">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Phred-scaled likelihoods">
"""
GENOTYPES = ("0/0", "0/1", "0/1", "1/1")
BASES = "ACGT"


def lines(records: int, seed: int) -> Iterator[str]:
    """The header, and so many records."""
    chance = random.Random(seed)
    each = records // len(CONTIGS) + 1
    yield HEADER
    for name in CONTIGS:
        yield f"##contig=<ID={name},length={(each + 2) * STEP_BASES * 2}>\n"
    yield (
        "\t".join(
            ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *SAMPLES]
        )
        + "\n"
    )
    for contig in CONTIGS:
        at = 0
        for _ in range(each):
            at += 1 + chance.randrange(2 * STEP_BASES - 2)
            yield _record(chance, contig, at)


def _record(chance: random.Random, contig: str, at: int) -> str:
    what = chance.random()
    ref, alt = chance.sample(BASES, 2)
    if what < 0.06:
        ref += "".join(chance.choices(BASES, k=chance.randrange(1, 6)))
        alt = ref[0]
    elif what < 0.12:
        alt = ref + "".join(chance.choices(BASES, k=chance.randrange(1, 6)))
    samples, count = [], 0
    for _ in SAMPLES:
        genotype = chance.choice(GENOTYPES)
        count += genotype.count("1")
        depth = chance.randrange(10, 60)
        seen = depth * genotype.count("1") // 2
        quality = chance.randrange(20, 99)
        samples.append(
            f"{genotype}:{depth - seen},{seen}:{depth}:{quality}:"
            f"{seen * 37},0,{(depth - seen) * 41}"
        )
    number = chance.randrange(10**8)
    known = f"rs{number}" if number % 2 else "."
    info = (
        f"AC={count};AF={count / 6:.3f};AN=6;DP={50 + number % 120};FS={number % 9_973 / 1000:.3f};"
        f"MQ={40 + number % 2_000 / 100:.2f};QD={number % 3_571 / 100:.2f};"
        f"SOR={number % 1_999 / 500:.3f}"
    )
    passed = "PASS" if number % 20 else "LowQual"
    head = f"{contig}\t{at}\t{known}\t{ref}\t{alt}\t{number % 99_991 / 10:.1f}\t{passed}\t{info}"
    return f"{head}\tGT:AD:DP:GQ:PL\t" + "\t".join(samples) + "\n"


def write(folder: Path, records: int, seed: int = 9) -> Path:
    """The file of so many records."""
    path = folder / "variants.vcf.gz"
    with pysam.BGZFile(str(path), "w", None) as file:
        for line in lines(records, seed):
            file.write(line.encode())
    return path
