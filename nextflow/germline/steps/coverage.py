"""coverage.py SAMPLE BAM OUT [BED]: how deep and how wide the reads of a sample lie."""

import json
import sys
from pathlib import Path

from pysam import samtools

WIDE_DEPTH_MIN = 10  # reads at a place, from which a variant there can be told


def main(sample: str, bam: str, out: str, *bed: str) -> None:
    """Count over the regions, or over every base of the reference."""
    regions = ["-b", bed[0]] if bed else []
    samtools.depth("-a", *regions, "-o", "depth.tsv", bam, catch_stdout=False)
    places = depth = wide = 0
    with Path("depth.tsv").open(encoding="ascii") as lines:
        for line in lines:
            here = int(line.rsplit("\t", 1)[1])
            places, depth, wide = places + 1, depth + here, wide + (here >= WIDE_DEPTH_MIN)
    counts = dict(
        line.split("\t")[2::-2] for line in samtools.flagstat("-O", "tsv", bam).splitlines()
    )
    reads = int(counts["primary"])
    found = {
        "sample_id": sample,
        "mean_coverage": depth / places if places else 0.0,
        "breadth_10x": wide / places if places else 0.0,
        "mapped_fraction": int(counts["primary mapped"]) / reads if reads else 0.0,
        "duplicate_fraction": int(counts["primary duplicates"]) / reads if reads else 0.0,
    }
    Path(out).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
