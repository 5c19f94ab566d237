"""coverage.py SAMPLE BAM OUT [BED]: how deep and how wide the reads of a sample lie.

sex = the mean depth of chrX over that of the autosomes: 1 with two copies of it, a half with one.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from pysam import samtools

WIDE_DEPTH_MIN = 10  # reads at a place, from which a variant there can be told
AUTOSOME, X_CHROMOSOME = re.compile(r"(chr)?\d+"), re.compile(r"(chr)?X")
FEMALE_RATIO_MIN, MALE_RATIO_MAX = 0.8, 0.65
# Two copies of chrX would give 200 reads of 100 bases, one copy half of them: the ratio of a male
# sample then wanders by 0.05, a third of its way to what is no longer male.
X_BASES_MIN = 20_000


def sex_of(places: Counter[str], depth: Counter[str]) -> tuple[float, str]:
    """The ratio and what it says, from the places and the bases read on each contig."""
    autosomes = [name for name in places if AUTOSOME.fullmatch(name)]
    x = [name for name in places if X_CHROMOSOME.fullmatch(name)]
    wide = sum(places[name] for name in autosomes)
    mean = sum(depth[name] for name in autosomes) / wide if wide else 0.0
    expected = mean * sum(places[name] for name in x)
    ratio = sum(depth[name] for name in x) / expected if expected else 0.0
    if expected < X_BASES_MIN or MALE_RATIO_MAX < ratio < FEMALE_RATIO_MIN:
        return ratio, "unknown"
    return ratio, "female" if ratio >= FEMALE_RATIO_MIN else "male"


def main(sample: str, bam: str, out: str, *bed: str) -> None:
    """Count over the regions, or over every base of the reference."""
    regions = ["-b", bed[0]] if bed else []
    samtools.depth("-a", *regions, "-o", "depth.tsv", bam, catch_stdout=False)
    places: Counter[str] = Counter()
    depth: Counter[str] = Counter()
    wide = 0
    with Path("depth.tsv").open(encoding="ascii") as lines:
        for line in lines:
            contig, _, here = line.split("\t")
            places[contig] += 1
            depth[contig] += int(here)
            wide += int(here) >= WIDE_DEPTH_MIN
    lines_of_counts = str(samtools.flagstat("-O", "tsv", bam)).splitlines()
    counts = {what: number for number, _, what in (one.split("\t") for one in lines_of_counts)}
    reads, every = int(counts["primary"]), places.total()
    ratio, sex = sex_of(places, depth)
    found = {
        "sample_id": sample,
        "mean_coverage": depth.total() / every if every else 0.0,
        "breadth_10x": wide / every if every else 0.0,
        "mapped_fraction": int(counts["primary mapped"]) / reads if reads else 0.0,
        "duplicate_fraction": int(counts["primary duplicates"]) / reads if reads else 0.0,
        "sex": round(ratio, 6),
        "sex_found": sex,
    }
    Path(out).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
