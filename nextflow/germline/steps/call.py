"""call.py INDEX KIND ROLES OUT BED BAM...: variants of all members of a case in one file.

For tumour and normal a place is SOMATIC where many reads of the tumour and next to none of the
normal show it. It is a demonstration: no model of errors, no panel of normals.
"""

import csv
import sys
from pathlib import Path

import pysam
from pysam import bcftools

TUMOUR_READS_MIN = 4  # that show the variant: three can be errors at the depth of a panel
TUMOUR_FRACTION_MIN = 0.05
NORMAL_FRACTION_MAX = 0.02
NORMAL_DEPTH_MIN = 8  # below it, that the normal does not show it says nothing
DEPTH_MAX = 2_000


def _mark(source: str, target: str, tumour: str, normal: str) -> None:
    """Copy the variants, those of the tumour alone marked."""
    with pysam.VariantFile(source) as variants:
        variants.header.info.add("SOMATIC", 0, "Flag", "In the tumour and not in its normal")
        with pysam.VariantFile(target, "wz", header=variants.header) as marked:
            for one in variants:
                if _is_somatic(one.samples[tumour]["AD"], one.samples[normal]["AD"]):
                    one.info["SOMATIC"] = True
                elif all(set(s["GT"]) <= {0, None} for s in one.samples.values()):
                    continue
                marked.write(one)


def _is_somatic(tumour: tuple[int | None, ...], normal: tuple[int | None, ...]) -> bool:
    in_tumour, in_normal = [n or 0 for n in tumour], [n or 0 for n in normal]
    shown, deep = sum(in_tumour[1:]), sum(in_normal)
    return (
        shown >= TUMOUR_READS_MIN
        and shown >= TUMOUR_FRACTION_MIN * sum(in_tumour)
        and deep >= NORMAL_DEPTH_MIN
        and sum(in_normal[1:]) <= NORMAL_FRACTION_MAX * deep
    )


def main(index: str, kind: str, roles: str, out: str, bed: str, *bams: str) -> None:
    """Call all members together, over the regions where there are some."""
    reference = str(Path(index) / "reference.fa")
    regions = ["-T", bed] if bed else []
    bcftools.mpileup(
        "-f", reference, "-a", "AD,DP", "-d", str(DEPTH_MAX), *regions, "-Ou", "-o", "piles.bcf",
        *bams, catch_stdout=False,
    )  # fmt: skip
    paired = kind == "tumour-normal"
    # For tumours every place with another base is kept: few cells have it, and a caller that
    # expects halves and wholes would drop it.
    wanted = ["-A", "-m"] if paired else ["-v", "-m"]
    bcftools.call(*wanted, "-Oz", "-o", "called.vcf.gz", "piles.bcf", catch_stdout=False)
    if paired:
        bcftools.view(
            "-i", 'ALT!="."', "-Oz", "-o", "other.vcf.gz", "called.vcf.gz", catch_stdout=False
        )
        with Path(roles).open(encoding="utf-8") as table:
            members = {row["role"]: row["sample"] for row in csv.DictReader(table, delimiter="\t")}
        _mark("other.vcf.gz", out, members["tumour"], members["normal"])
    else:
        Path("called.vcf.gz").rename(out)
    bcftools.index("-t", out, catch_stdout=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
