"""Anchors that are libraries, each in a process of its own.

samtools ARGUMENT...       samtools as pysam brings it; bcftools likewise
pysam PATH [FASTA]         every record looked at, as a script would
dnaio PATH                 every read of a FASTQ; in `.venv-anchors`
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def alignments(path: str, reference: str | None) -> None:
    """How many reads are mapped, how many bases there are, and how good they are."""
    import pysam

    mapped = bases = qualities = 0
    with pysam.AlignmentFile(path, check_sq=False, reference_filename=reference) as file:
        for one in file.fetch(until_eof=True):
            mapped += not one.is_unmapped
            bases += len(one.query_sequence or "")
            qualities += sum(one.query_qualities or ())
    print(mapped, bases, qualities)


def variants(path: str) -> None:
    """How many records pass, their alleles, and the genotypes with another than the reference."""
    import pysam

    passed = alleles = others = 0
    with pysam.VariantFile(path) as file:
        for one in file:
            passed += "PASS" in one.filter
            alleles += len(one.alleles or ())
            others += sum(any(call["GT"]) for call in one.samples.values())
    print(passed, alleles, others)


def reads(path: str) -> None:
    """How many reads and bases there are, and how many of them are G or C."""
    import dnaio  # type: ignore[import-not-found,unused-ignore]

    count = bases = gc = 0
    with dnaio.open(path, open_threads=0) as file:
        for one in file:
            count += 1
            bases += len(one.sequence)
            gc += one.sequence.count("G") + one.sequence.count("C")
    print(count, bases, gc)


def main(what: str, path: str, *others: str) -> None:
    """Run one of them."""
    if what == "dnaio":
        reads(path)
    elif what == "pysam" and ".vcf" in Path(path).suffixes:
        variants(path)
    elif what == "pysam":
        alignments(path, *others or (None,))
    else:
        library = import_module(f"pysam.{what}")
        getattr(library, path)(*others, catch_stdout=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
