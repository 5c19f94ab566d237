"""sort.py OUT ALIGNED...: the read sets of a sample in one file, by place, duplicates marked."""

import sys

from pysam import samtools


def main(out: str, *aligned: str) -> None:
    """Merge them; mates are told of each other first, so that duplicates are found as pairs.

    What is read once is not packed (-u): packing it takes half of the time.
    """
    samtools.merge("-u", "-n", "-o", "merged.bam", *aligned, catch_stdout=False)
    samtools.sort("-u", "-n", "-o", "named.bam", "merged.bam", catch_stdout=False)
    samtools.fixmate("-u", "-m", "named.bam", "mated.bam", catch_stdout=False)
    samtools.sort("-u", "-o", "sorted.bam", "mated.bam", catch_stdout=False)
    samtools.markdup("sorted.bam", out, catch_stdout=False)
    samtools.index(out, catch_stdout=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
