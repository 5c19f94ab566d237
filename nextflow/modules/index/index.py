"""index.py FASTA DIRECTORY: the reference with everything that the other steps need of it."""

import shutil
import sys
from pathlib import Path

import pysam
from pybwa import BwaIndex


def main(fasta: str, out: str) -> None:
    """Copy it into a new directory and index it there."""
    directory = Path(out)
    directory.mkdir()
    copy = directory / "reference.fa"
    shutil.copyfile(fasta, copy)
    pysam.faidx(str(copy))
    BwaIndex.index(copy)


if __name__ == "__main__":
    main(*sys.argv[1:])
