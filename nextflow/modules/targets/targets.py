"""targets.py SAMPLE BAM BED TABLE JSON: how well each target of a panel is covered.

on_target_fraction      = bases of reads within the targets / bases of reads that lie anywhere
targets_covered_fraction = targets of which every base has DEPTH_MIN reads / all targets

Duplicates and what is not the first alignment of a read count nowhere, as in the depths.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pysam import samtools

DEPTH_MIN = 20  # reads: a heterozygous variant then shows in five of them but once in a hundred


class Target(NamedTuple):
    """A line of the BED file; its start counts from 0, and its end is no part of it."""

    contig: str
    start: int
    end: int
    name: str


def targets_of(bed: str) -> Iterator[Target]:
    """The targets in the order of their file, named by their place where they have no name."""
    with Path(bed).open(encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            if fields and not line.startswith(("#", "track", "browser")):
                contig, start, end, *names = fields
                yield Target(contig, int(start), int(end), names[0] if names else f"{start}-{end}")


def _depths(path: str) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    with Path(path).open(encoding="ascii") as lines:
        for line in lines:
            contig, place, depth = line.split("\t")
            found.setdefault(contig, {})[int(place) - 1] = int(depth)
    return found


def main(sample: str, bam: str, bed: str, table: str, values: str) -> None:
    """Write a row for each target, and what is judged of all."""
    samtools.depth("-a", "-b", bed, "-o", "depth.tsv", bam, catch_stdout=False)
    samtools.depth("-o", "anywhere.tsv", bam, catch_stdout=False)
    depths = _depths("depth.tsv")
    with Path("anywhere.tsv").open(encoding="ascii") as lines:
        anywhere = sum(int(line.rpartition("\t")[2]) for line in lines)
    within = sum(sum(one.values()) for one in depths.values())
    rows = ["contig\tstart\tend\ttarget\tdepth_mean\tdepth_min\tbreadth_20x"]
    covered = count = 0
    for target in targets_of(bed):
        here = [depths[target.contig][place] for place in range(target.start, target.end)]
        wide = sum(depth >= DEPTH_MIN for depth in here)
        rows.append(
            "\t".join(map(str, target))
            + f"\t{sum(here) / len(here):.2f}\t{min(here)}\t{wide / len(here):.4f}"
        )
        covered, count = covered + (wide == len(here)), count + 1
    Path(table).write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = {
        "sample_id": sample,
        "on_target_fraction": within / anywhere if anywhere else 0.0,
        "targets_covered_fraction": covered / count if count else 0.0,
    }
    Path(values).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
