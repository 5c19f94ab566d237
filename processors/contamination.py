"""How much of a sample's reads are somebody else's, from an indexed BAM and common variants.

At each variant the sample has one of three genotypes, and so has the other person; how often each
occurs follows from the frequency in the population. Of all shares of foreign reads that one is told
under which the reads that were counted are the most likely, as verifyBamID does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoflow.events.errors import Refused

AUTOSOME = re.compile(r"(chr)?\d+")
SITES_MAX = 100_000  # 1 ms each to count: two minutes; panels of common variants have 10,000
FREQUENCY_MIN = 0.01  # rarer ones tell nothing, and their frequency is not known well
QUALITY_MIN = 20  # of bases and of places, as panels are counted: one of a hundred is wrong
LEFT_OUT = 1796
DEPTH_MAX = 1_000  # reads of a place; beyond that it is a repeat
ERROR_MIN = 1e-4  # a base as another one; below that nothing is learned of a million bases
SHARE_MAX = 0.5  # beyond half of them it is the other's sample
STEP = 0.005  # of the first look: a hundred shares; then as close as the next line says
CLOSE = 1e-5
DROP = 1.92  # of the logarithm, to where 95 of 100 intervals hold the true share
# Wider than that says nothing about a limit of 3 %.
WIDTH_MAX = 0.05
GOLDEN = (math.sqrt(5) - 1) / 2
COPIES = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Site:
    """A common variant of one base; its place is counted from 0."""

    sequence: str
    place: int
    reference: str
    alternate: str
    frequency: float  # of the alternate base in the population


@dataclass(frozen=True, slots=True)
class Counted:
    """The reads of one site."""

    frequency: float
    reference: int
    alternate: int
    other: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of foreign reads; None where it cannot be known, and why."""

    share: float | None
    low: float | None
    high: float | None
    sites: int
    reads: int
    unknown: str | None = None


def read_sites(path: Path) -> list[Site]:
    """Variants of one base on the autosomes, with AF; Refused where the file holds none."""
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and only who reads bytes needs it

    try:
        with pysam.VariantFile(str(path)) as file:
            if "AF" not in file.header.info:
                raise Refused(f"{path}: has no AF in INFO, the frequency in the population")
            sites = list(_sites(file, path))
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: cannot be read as VCF or BCF: {error}") from error
    if not sites:
        raise Refused(f"{path}: holds no common variant of one base on an autosome")
    return sites


def _sites(file: Any, path: Path) -> Iterator[Site]:
    count = 0
    for one in file:
        alternates: tuple[str, ...] = one.alts or ()
        if len(alternates) != 1 or len(one.ref) != 1 or len(alternates[0]) != 1:
            continue
        found = one.info.get("AF")
        frequency = found[0] if isinstance(found, tuple) else found
        if frequency is None or not FREQUENCY_MIN <= frequency <= 1 - FREQUENCY_MIN:
            continue
        if AUTOSOME.fullmatch(one.chrom) is None or alternates[0] not in "ACGT":
            continue
        count += 1
        if count > SITES_MAX:
            said = f"{path}: holds more than {SITES_MAX} common variants; take some of them"
            raise Refused(said)
        yield Site(one.chrom, one.pos - 1, one.ref, alternates[0], frequency)


def count_sites(bam: Path, sites: Sequence[Site], index: Path | None = None) -> list[Counted]:
    """The reads of each site, mates that overlap once; none where its sequence is not known.

    Refused where there is no index.
    """
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and only who reads bytes needs it

    try:
        with pysam.AlignmentFile(str(bam), index_filename=str(index) if index else None) as file:
            if not file.has_index():
                raise Refused(f"{bam}: has no index beside it; make one: samtools index {bam}")
            known = set(file.references)
            return [
                _counted(file, site) if site.sequence in known else Counted(site.frequency, 0, 0)
                for site in sites
            ]
    except (OSError, ValueError) as error:
        raise Refused(f"{bam}: cannot be read as an indexed BAM: {error}") from error


def _counted(file: Any, site: Site) -> Counted:
    bases = ""
    for column in file.pileup(
        site.sequence, site.place, site.place + 1, truncate=True, stepper="all",
        flag_filter=LEFT_OUT, ignore_overlaps=True, min_base_quality=QUALITY_MIN,
        min_mapping_quality=QUALITY_MIN, max_depth=DEPTH_MAX,
    ):  # fmt: skip
        bases = "".join(column.get_query_sequences()).upper()
    reference, alternate = bases.count(site.reference), bases.count(site.alternate)
    others = sum(bases.count(base) for base in "ACGT") - reference - alternate
    return Counted(site.frequency, reference, alternate, others)


def added(several: Sequence[Sequence[Counted]]) -> list[Counted]:
    """The reads of each site in all files together, which were counted over the same sites."""
    return [
        Counted(
            ones[0].frequency,
            sum(one.reference for one in ones),
            sum(one.alternate for one in ones),
            sum(one.other for one in ones),
        )
        for ones in zip(*several, strict=True)
    ]


def estimate(counted: Iterable[Counted]) -> Estimate:
    """The most likely share of foreign reads, with what else it may be."""
    sites = [one for one in counted if one.reference + one.alternate]
    reads = sum(one.reference + one.alternate for one in sites)
    if not sites:
        return Estimate(None, None, None, 0, 0, "no read lies over any of the variants")
    # Of three wrong bases two show neither: half of those are what shows the wrong one of two.
    error = max(sum(one.other for one in sites) / (2 * reads), ERROR_MIN)
    tried = [STEP * number for number in range(round(SHARE_MAX / STEP) + 1)]
    likely = [_likelihood(share, sites, error) for share in tried]
    near = tried[likely.index(max(likely))]
    share = _highest(max(near - STEP, 0.0), min(near + STEP, SHARE_MAX), sites, error)
    least = _likelihood(share, sites, error) - DROP
    within = [one for one, value in zip(tried, likely, strict=True) if value >= least]
    low = _edge(min([*within, share]), -STEP, least, sites, error)
    high = _edge(max([*within, share]), STEP, least, sites, error)
    if high - low > WIDTH_MAX:
        said = (
            f"{len(sites)} variants with {reads} reads leave it open from {low:.3f} to {high:.3f}"
        )
        return Estimate(None, low, high, len(sites), reads, said)
    return Estimate(share, low, high, len(sites), reads)


def _likelihood(share: float, sites: Sequence[Counted], error: float) -> float:
    """The logarithm of how likely these reads are under this share."""
    shown = []
    for own in COPIES:
        for other in COPIES:
            alternate = (1 - share) * own / 2 + share * other / 2
            alternate = alternate * (1 - error) + (1 - alternate) * error
            shown.append((own, other, math.log(alternate), math.log(1 - alternate)))
    total = 0.0
    for one in sites:
        p = one.frequency
        often = ((1 - p) ** 2, 2 * p * (1 - p), p * p)
        logs = [
            math.log(often[own] * often[other]) + one.alternate * yes + one.reference * no
            for own, other, yes, no in shown
        ]
        most = max(logs)
        total += most + math.log(sum(math.exp(value - most) for value in logs))
    return total


def _highest(low: float, high: float, sites: Sequence[Counted], error: float) -> float:
    """Where the likelihood is highest between the two, of which one of many tries was."""
    while high - low > CLOSE:
        first, second = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if _likelihood(first, sites, error) >= _likelihood(second, sites, error):
            high = second
        else:
            low = first
    # At an end the search comes close and never there: nothing foreign is 0.
    return 0.0 if low == 0.0 else (low + high) / 2


def _edge(
    inside: float, step: float, least: float, sites: Sequence[Counted], error: float
) -> float:
    """Where the likelihood falls below the least, one step from a share at which it does not."""
    outside = min(max(inside + step, 0.0), SHARE_MAX)
    if _likelihood(outside, sites, error) >= least:
        return outside
    while abs(outside - inside) > CLOSE:
        middle = (inside + outside) / 2
        if _likelihood(middle, sites, error) >= least:
            inside = middle
        else:
            outside = middle
    return inside
