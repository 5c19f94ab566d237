"""compare.py VCF KIND ROLES OUT: foreign reads in each sample, and whether members belong together.

All of it is counted from the reads at single-base variants (AD of the case's VCF), not from the
caller's genotypes: a caller takes the reads of somebody else for a second copy.

contamination, of a sample = C / (H * STRANGER_REFERENCE_SHARE)
    H  reads at places where the sample has the variant alone: homozygous, or its only copy
    C  those of them that show the reference: the sample itself has no such copy
    A place is of that kind or heterozygous with a probability. The probabilities and C / H are
    found together, by expectation and maximisation, so that the few places of a small genome are
    enough. Variants of some cells of a tumour do not count: none of them is homozygous. A sample
    that has nothing alone is half somebody else's: 1.

relatedness, of two samples = the share of places of the autosomes where both are homozygous, at
    least one of them for the variant, at which they agree. One subject is near 1, and so are parent
    and child.
concordance, of tumour and normal = the share of places of the autosomes where one is homozygous
    for the variant at which the other is, too. One subject is near 1; relatives are far below.
"""

import csv
import itertools
import json
import math
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pysam

AUTOSOME = re.compile(r"(chr)?\d+")
# How often the copy of a stranger shows the reference where a sample has the variant alone: half of
# the time for common variants. A panel of a population would say it for each place.
STRANGER_REFERENCE_SHARE = 0.5
HOM_READS_MIN = 300  # four contradict at 3 %: fewer say nothing about a limit there
ROUNDS = 50  # of expectation and maximisation; ten settle it where the depth is 30
ERROR_FRACTION = 0.001  # of bases: what contradicts by chance; below it contamination is not told
LOG_ODDS_MAX = 50.0  # as good as certain, and far from what a float cannot hold
ALTERNATE_SHARE_MIN = 0.25  # less is an error or a foreign read, and no copy of the sample
NAME_CHARACTERS_MAX = 100  # as the log takes them; two long ids do not fit
DEPTH_MIN = 8  # reads of one sample, from which its genotype at one place can be told
HOMOZYGOUS_SHARE_MIN = 0.85  # of the reads: one in ten may be foreign
HETEROZYGOUS_SHARE_MIN = 0.25
PLACES_MIN = 10  # that two samples are compared at; by chance strangers agree at one of five
# Places with opposite homozygotes, of all where one is homozygous for the variant. A parent and its
# child have none but errors, strangers one of three, and what lies between is not told.
OPPOSITE_FRACTION_MAX, STRANGERS_FRACTION_MIN = 0.05, 0.12
SAME_CONCORDANCE_MIN, RELATIVES_CONCORDANCE_MAX = 0.85, 0.65


class Reads(NamedTuple):
    """How many reads of a sample show the one and the other at a place."""

    reference: int
    alternate: int
    on_autosome: bool


Row = dict[str, object]


def reads_of(vcf: str) -> dict[str, list[Reads]]:
    """The reads of each sample at every single-base variant."""
    with pysam.VariantFile(vcf) as variants:
        found: dict[str, list[Reads]] = {name: [] for name in variants.header.samples}
        for one in variants:
            alternates = [base for base in one.alts or () if len(base) == 1 and base in "ACGT"]
            if len(one.ref or "") == 1 and alternates:
                on_autosome = AUTOSOME.fullmatch(one.chrom) is not None
                for name, reads in found.items():
                    depths = [depth or 0 for depth in one.samples[name]["AD"]]
                    reads.append(Reads(depths[0], max(depths[1:], default=0), on_autosome))
    return found


def contamination(places: list[Reads]) -> float | None:
    """The share of foreign reads; None where too few reads can say it."""
    own = [
        one
        for one in places
        if one.alternate and one.alternate >= ALTERNATE_SHARE_MIN * (one.reference + one.alternate)
    ]
    contradicts, homozygous = 0.1, 0.5  # a begin that takes neither kind for the other
    reads = 0.0
    for _ in range(ROUNDS):
        weights = [_homozygous(one, contradicts, homozygous) for one in own]
        foreign = sum(w * one.reference for w, one in zip(weights, own, strict=True))
        reads = foreign + sum(w * one.alternate for w, one in zip(weights, own, strict=True))
        contradicts = max(foreign / reads, ERROR_FRACTION) if reads else ERROR_FRACTION
        homozygous = (sum(weights) + 1) / (len(own) + 2)  # never quite all or none
    if reads < HOM_READS_MIN:
        return None
    if contradicts <= ERROR_FRACTION:
        return 0.0
    return min(1.0, contradicts / STRANGER_REFERENCE_SHARE)


def _homozygous(reads: Reads, contradicts: float, before: float) -> float:
    """How likely a place is homozygous, by its reads and by how many places are."""
    log_odds = math.log(before / (1 - before))
    log_odds += reads.reference * math.log(2 * contradicts)
    log_odds += reads.alternate * math.log(2 * (1 - contradicts))
    return 1 / (1 + math.exp(-min(max(log_odds, -LOG_ODDS_MAX), LOG_ODDS_MAX)))


def copies(reads: Reads) -> int | None:
    """How many copies of the variant the reads show; None where they leave it open."""
    depth = reads.reference + reads.alternate
    if depth < DEPTH_MIN:
        return None
    share = reads.alternate / depth
    if share >= HOMOZYGOUS_SHARE_MIN:
        return 2
    if share <= 1 - HOMOZYGOUS_SHARE_MIN:
        return 0
    return 1 if HETEROZYGOUS_SHARE_MIN <= share <= 1 - HETEROZYGOUS_SHARE_MIN else None


def compared(one: list[Reads], other: list[Reads]) -> tuple[str, float, float | None]:
    """What two samples are to each other, their relatedness, and their concordance."""
    places = [(a, b) for a, b in zip(one, other, strict=True) if a.on_autosome]
    both = [(copies(a), copies(b)) for a, b in places]
    told = [pair for pair in both if None not in pair and 2 in pair]
    alike = sum(pair == (2, 2) for pair in told)
    opposite = sum(0 in pair for pair in told)
    if len(told) < PLACES_MIN:
        return "unknown", 0.0, None
    relatedness = alike / (alike + opposite) if alike + opposite else 0.0
    concordance = alike / len(told)
    found = "unknown"
    if opposite >= STRANGERS_FRACTION_MIN * len(told):
        found = "unrelated"
    elif opposite <= OPPOSITE_FRACTION_MAX * len(told):
        if concordance >= SAME_CONCORDANCE_MIN:
            found = "same"
        elif concordance <= RELATIVES_CONCORDANCE_MAX:
            found = "parent-child"
    return found, relatedness, concordance


def main(vcf: str, kind: str, roles: str, out: str) -> None:
    """Measure each sample, and each two of them in the order of the members."""
    reads = reads_of(vcf)
    with Path(roles).open(encoding="utf-8") as table:
        members = [row["sample"] for row in csv.DictReader(table, delimiter="\t")]
    rows: list[Row] = []
    for sample in members:
        share = contamination(reads[sample])
        if share is not None:
            rows.append(_row("contamination", share, sample))
    for one, other in itertools.combinations(members, 2):
        found, relatedness, concordance = compared(reads[one], reads[other])
        pair = f"{one}/{other}"[:NAME_CHARACTERS_MAX]
        rows.append(_row("relatedness", relatedness, pair) | {"found": found})
        if kind == "tumour-normal" and concordance is not None:
            rows.append(_row("concordance", concordance, pair))
    Path(out).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _row(metric: str, value: float, measured_on: str) -> Row:
    return {"metric": metric, "value": round(value, 6), "measured_on": measured_on}


if __name__ == "__main__":
    main(*sys.argv[1:])
