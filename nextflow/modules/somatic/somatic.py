"""somatic.py INDEX ROLES OUT BED BAM...: variants of tumour and normal, those of the tumour marked.

A variant is SOMATIC where the tumour has it and the normal has not, by two odds (logarithms to 10):

TLOD = log10 (likelihood of the tumour's reads if the variant has the share that they show /
              likelihood if each of them is an error)
NLOD = log10 (likelihood of the normal's reads if each that shows it is an error /
              likelihood if the normal had it on one of two copies)

The rest of the file is what either of them inherited. There is no panel of normals: an error that
always strikes the same place is known by such a panel alone.
"""

import csv
import math
import sys
from pathlib import Path
from typing import NamedTuple

import pysam
from pysam import bcftools

ERROR = 0.001  # of a base: quality 30, which most of them have
TUMOUR_ODDS_MIN = 6.3  # one place of two million has it by chance, at one mutation a megabase
NORMAL_ODDS_MIN = 2.3  # from eight reads on, none of which shows it
TUMOUR_READS_MIN = 4  # that show the variant: three can be errors at the depth of a panel
TUMOUR_FRACTION_MIN = 0.05
NORMAL_FRACTION_MAX = 0.02
STRAND_CHANCE_MIN = 1e-4  # less, and the reads that show it come from one strand for a reason
DEPTH_MAX = 5_000
MAPPING_QUALITY_MIN, BASE_QUALITY_MIN = "20", "20"
# An indel is looked for from so many reads on, and from this share of them.
INDEL_READS_MIN, INDEL_FRACTION_MIN = "3", "0.02"


class Shown(NamedTuple):
    """How many reads of a sample show the reference and the variant, by their strand."""

    reference: tuple[int, int]
    variant: tuple[int, int]

    @property
    def depth(self) -> int:
        """Of both."""
        return sum(self.reference) + sum(self.variant)

    @property
    def fraction(self) -> float:
        """Of reads with the variant."""
        return sum(self.variant) / self.depth if self.depth else 0.0


def log_likelihood(shown: Shown, fraction: float) -> float:
    """Of the reads, where this share of the copies has the variant."""
    with_it = fraction * (1 - ERROR) + (1 - fraction) * ERROR / 3
    without = (1 - fraction) * (1 - ERROR) + fraction * ERROR / 3
    shows, others = sum(shown.variant), sum(shown.reference)
    return shows * math.log10(with_it) + others * math.log10(without)


def odds(tumour: Shown, normal: Shown) -> tuple[float, float]:
    """TLOD and NLOD."""
    tumour_odds = log_likelihood(tumour, tumour.fraction) - log_likelihood(tumour, 0.0)
    normal_odds = log_likelihood(normal, 0.0) - log_likelihood(normal, 0.5)
    return tumour_odds, normal_odds


def strand_chance(shown: Shown) -> float:
    """How likely the reads with the variant lie on the strands by chance (Fisher, both sides)."""
    rows = (*shown.reference, *shown.variant)
    forward, depth, variant = shown.reference[0] + shown.variant[0], sum(rows), sum(shown.variant)

    def of(count: int) -> float:
        return (
            math.comb(variant, count) * math.comb(depth - variant, forward - count)
        ) / math.comb(depth, forward)

    possible = range(max(0, forward - (depth - variant)), min(variant, forward) + 1)
    here = of(shown.variant[0])
    return sum(one for one in map(of, possible) if one <= here * (1 + 1e-9))


def is_somatic(tumour: Shown, normal: Shown) -> bool:
    """Whether the tumour has it and the normal has not."""
    tumour_odds, normal_odds = odds(tumour, normal)
    return (
        sum(tumour.variant) >= TUMOUR_READS_MIN
        and tumour.fraction >= TUMOUR_FRACTION_MIN
        and tumour_odds >= TUMOUR_ODDS_MIN
        and normal_odds >= NORMAL_ODDS_MIN
        and normal.fraction <= NORMAL_FRACTION_MAX
        and strand_chance(tumour) >= STRAND_CHANCE_MIN
    )


def _shown(sample: pysam.VariantRecordSample) -> Shown:
    forward, reverse = ([n or 0 for n in sample[field]] for field in ("ADF", "ADR"))
    return Shown((forward[0], reverse[0]), (sum(forward[1:]), sum(reverse[1:])))


def _mark(source: str, target: str, tumour: str, normal: str) -> None:
    """Copy the variants, those of the tumour alone marked."""
    with pysam.VariantFile(source) as variants:
        info = variants.header.info
        info.add("SOMATIC", 0, "Flag", "In the tumour and not in its normal")
        info.add("TLOD", 1, "Float", "Odds that the tumour has it, as a logarithm to 10")
        info.add("NLOD", 1, "Float", "Odds that the normal has it not, as a logarithm to 10")
        with pysam.VariantFile(target, "wz", header=variants.header) as marked:
            for one in variants:
                in_tumour, in_normal = _shown(one.samples[tumour]), _shown(one.samples[normal])
                if is_somatic(in_tumour, in_normal):
                    one.info["SOMATIC"] = True
                    one.info["TLOD"], one.info["NLOD"] = odds(in_tumour, in_normal)
                elif all(set(s["GT"]) <= {0, None} for s in one.samples.values()):
                    continue
                marked.write(one)


def main(index: str, roles: str, out: str, bed: str, *bams: str) -> None:
    """Count both together, over the regions where there are some, and mark."""
    reference = str(Path(index) / "reference.fa")
    regions = ["-T", bed] if bed else []
    bcftools.mpileup(
        "--no-version", "-f", reference, "-a", "AD,ADF,ADR,DP", "-d", str(DEPTH_MAX),
        "-L", str(DEPTH_MAX), "-m", INDEL_READS_MIN, "-F", INDEL_FRACTION_MIN,
        "-q", MAPPING_QUALITY_MIN, "-Q", BASE_QUALITY_MIN, *regions, "-Ou", "-o", "piles.bcf",
        *bams, catch_stdout=False,
    )  # fmt: skip
    # Every place with another base is kept (-A): few cells have it, and a caller that expects
    # halves and wholes would drop it.
    bcftools.call("--no-version", "-A", "-m", "-Ou", "-o", "all.bcf", "piles.bcf",
                  catch_stdout=False)  # fmt: skip
    bcftools.view("--no-version", "-i", 'ALT!="."', "-Ou", "-o", "other.bcf", "all.bcf",
                  catch_stdout=False)  # fmt: skip
    # Each alternate is judged by itself.
    bcftools.norm("--no-version", "-f", reference, "-m", "-any", "-Ou", "-o", "each.bcf",
                  "other.bcf", catch_stdout=False)  # fmt: skip
    with Path(roles).open(encoding="utf-8") as table:
        members = {row["role"]: row["sample"] for row in csv.DictReader(table, delimiter="\t")}
    missing = {"tumour", "normal"} - members.keys()
    if missing:
        sys.exit(f"{roles}: names no {' and no '.join(sorted(missing))}; give each its sample")
    _mark("each.bcf", out, members["tumour"], members["normal"])


if __name__ == "__main__":
    main(*sys.argv[1:])
