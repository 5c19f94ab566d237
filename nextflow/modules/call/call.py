"""call.py INDEX OUT BED BAM...: inherited variants of all members of a case in one file."""

import argparse
from pathlib import Path

from pysam import bcftools

DEPTH_MAX = 2_000  # reads of a file at a place
CALLERS = ("bcftools",)


def main() -> None:
    """Call all members together, over the regions where there are some."""
    given = _given()
    reference = str(Path(given.index) / "reference.fa")
    regions = ["-T", given.bed] if given.bed else []
    bcftools.mpileup(
        "--no-version", "-f", reference, "-a", "AD,DP", "-d", str(DEPTH_MAX),
        "-q", str(given.mapping_quality_min), "-Q", str(given.base_quality_min), *regions,
        "-Ou", "-o", "piles.bcf", *given.bams, catch_stdout=False,
    )  # fmt: skip
    bcftools.call(
        "--no-version", "-v", "-m", "-Ou", "-o", "all.bcf", "piles.bcf", catch_stdout=False
    )
    bcftools.view(
        "--no-version", "-i", f"QUAL>={given.quality_threshold}", "-Oz", "-o", given.out,
        "all.bcf", catch_stdout=False,
    )  # fmt: skip


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--caller", choices=CALLERS, default=CALLERS[0])
    # A read that lies as well elsewhere, or a base that was poorly read, is no witness.
    parser.add_argument("--mapping-quality-min", type=int, default=20)
    parser.add_argument("--base-quality-min", type=int, default=20)
    # Of a record (Phred): one of a thousand is none; two reads alone do not reach it.
    parser.add_argument("--quality-threshold", type=int, default=30)
    for name in ("index", "out", "bed"):
        parser.add_argument(name)
    parser.add_argument("bams", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    main()
