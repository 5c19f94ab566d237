"""qc.py SAMPLE BAM TEXT JSON: what samtools counts of the reads of a sample, and what is judged."""

import json
import sys
from pathlib import Path

from pysam import samtools

SUMMARY = "SN\t"
# Ours, and what samtools calls it.
NAMES = {
    "quality_mean": "average quality",
    "mismatch_fraction": "error rate",
    "insert_size_mean": "insert size average",
}


def values_of(text: str) -> dict[str, float]:
    """The numbers of the summary that are judged."""
    lines = (one.split("\t") for one in text.splitlines() if one.startswith(SUMMARY))
    said = {name.rstrip(":"): value for _, name, value, *_ in lines}
    return {ours: float(said[theirs]) for ours, theirs in NAMES.items()}


def main(sample: str, bam: str, text: str, values: str) -> None:
    """Write both; MultiQC reads the text."""
    said = str(samtools.stats(bam))
    Path(text).write_text(said, encoding="utf-8")
    found = {"sample_id": sample, **values_of(said)}
    Path(values).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
