"""quantify.py SAMPLE GENES BY_GENE BY_TRANSCRIPT JSON BAM...: fragments of transcripts and genes.

A fragment belongs to the transcripts to which both of its mates lie equally well (the best place,
and XA). Most fragments fit several: exons are shared. Each is parted between them by expectation
and maximisation:

part of a fragment in t = abundance(t) / sum over its transcripts
abundance(t)            = sum of the parts in t / effective length of t
effective length        = length - mean size of the fragments + 1: the places where one can begin

TPM is the abundance, scaled to a million of all.
"""

import csv
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pysam

ROUNDS_MAX = 1_000
SETTLED = 1e-4  # fragments: no count moves by more in a round
EFFECTIVE_BASES_MIN = 1.0
FRAGMENT_BASES_DEFAULT = 200.0  # of single reads, where nothing says it
MILLION = 1_000_000
Class = frozenset[str]


def places_of(one: pysam.AlignedSegment) -> Class:
    """The transcripts to which a read lies as well as to its best place."""
    found = {str(one.reference_name)}
    best = int(one.get_tag("NM")) if one.has_tag("NM") else 0
    others = str(one.get_tag("XA")) if one.has_tag("XA") else ""
    for other in others.split(";"):
        if other:
            name, _, cigar, edits = other.rsplit(",", 3)
            if int(edits) <= best and cigar == one.cigarstring:
                found.add(name)
    return frozenset(found)


def fragments_of(bam: str) -> Iterator[tuple[Class, int]]:
    """Each fragment with its transcripts, none where it lies nowhere, and its size where known."""
    with pysam.AlignmentFile(bam, "rb") as records:
        first = (one for one in records if not one.is_secondary and not one.is_supplementary)
        for _, mates in itertools.groupby(first, key=lambda one: one.query_name):
            both = list(mates)
            sets = [places_of(one) for one in both if not one.is_unmapped]
            if not sets:
                yield frozenset(), 0
                continue
            shared = frozenset.intersection(*sets)
            size = abs(both[0].template_length) if both[0].is_proper_pair else 0
            yield shared, size


def parted(
    classes: Counter[Class], lengths: dict[str, int], fragment_bases: float
) -> dict[str, float]:
    """How many fragments each transcript gave, by expectation and maximisation."""
    effective = {
        name: max(length - fragment_bases + 1, EFFECTIVE_BASES_MIN)
        for name, length in lengths.items()
    }
    counts = dict.fromkeys(lengths, sum(classes.values()) / len(lengths))
    for _ in range(ROUNDS_MAX):
        weights = {name: count / effective[name] for name, count in counts.items()}
        after = dict.fromkeys(lengths, 0.0)
        for names, number in classes.items():
            whole = sum(weights[name] for name in names)
            for name in names:
                share = weights[name] / whole if whole else 1 / len(names)
                after[name] += number * share
        moved = max(abs(after[name] - counts[name]) for name in counts)
        counts = after
        if moved < SETTLED:
            break
    return counts


def tpm_of(
    counts: dict[str, float], lengths: dict[str, int], fragment_bases: float
) -> dict[str, float]:
    """Transcripts of a million."""
    rates = {
        name: count / max(lengths[name] - fragment_bases + 1, EFFECTIVE_BASES_MIN)
        for name, count in counts.items()
    }
    whole = sum(rates.values())
    return {name: MILLION * rate / whole if whole else 0.0 for name, rate in rates.items()}


def _write(path: str, head: str, rows: Iterator[tuple[str, float, float]]) -> None:
    lines = [f"{name}\t{count:.2f}\t{tpm:.2f}" for name, count, tpm in rows]
    Path(path).write_text("\n".join([f"{head}\tfragments\ttpm", *lines]) + "\n", encoding="utf-8")


def main(
    sample: str, genes: str, by_gene: str, by_transcript: str, values: str, *bams: str
) -> None:
    """Count the fragments of all read sets of a sample together."""
    with Path(genes).open(encoding="utf-8") as table:
        rows = [*csv.DictReader(table, delimiter="\t")]
    lengths = {row["transcript"]: int(row["length"]) for row in rows}
    gene_of = {row["transcript"]: row["gene"] for row in rows}
    found = [one for bam in bams for one in fragments_of(bam)]
    classes = Counter(names for names, _ in found if names)
    sizes = [size for _, size in found if size]
    fragment_bases = sum(sizes) / len(sizes) if sizes else FRAGMENT_BASES_DEFAULT
    counts = parted(classes, lengths, fragment_bases)
    tpm = tpm_of(counts, lengths, fragment_bases)
    of_genes: dict[str, list[float]] = {gene: [0.0, 0.0] for gene in gene_of.values()}
    for name, gene in gene_of.items():
        of_genes[gene][0] += counts[name]
        of_genes[gene][1] += tpm[name]
    _write(by_transcript, "transcript", ((name, counts[name], tpm[name]) for name in lengths))
    _write(by_gene, "gene", ((gene, both[0], both[1]) for gene, both in of_genes.items()))
    told = {
        "sample_id": sample,
        "assigned_fraction": classes.total() / len(found) if found else 0.0,
        "genes_detected": sum(count >= 1 for count, _ in of_genes.values()),
    }
    Path(values).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
