"""gather.py NAMES OUT BED VARIANTS...: the variants of each sample of a case in one file.

NAMES are the samples of the files, in their order, with commas between them. Nothing is called
anew: a sample of which a file does not speak is unknown there, and not the reference.
"""

import sys
from pathlib import Path

import pysam
from pysam import bcftools


def _of_sample(name: str, source: str, target: str, bed: str) -> None:
    """What a file says of one sample, in order of place, over the regions where there are some."""
    with pysam.VariantFile(source) as variants:
        samples = list(variants.header.samples)
    # Of a file of several samples, what none of the copies of this one shows is not its variant.
    only = ["-s", name, *(["-c", "1"] if len(samples) > 1 else [])] if samples else []
    regions = ["-T", bed] if bed else []
    cut, plain = f"{target}.bcf", ("--no-version", "-Ob")
    bcftools.view(*plain, *only, *regions, "-o", cut, source, catch_stdout=False)
    bcftools.sort("-Oz", "-o", target, cut, catch_stdout=False)
    bcftools.index("-t", target, catch_stdout=False)


def main(names: str, out: str, bed: str, *variants: str) -> None:
    """Files of one sample one after the other, samples beside each other."""
    by_sample: dict[str, list[str]] = {}
    for number, (name, source) in enumerate(zip(names.split(","), variants, strict=True)):
        target = f"part{number}.vcf.gz"
        _of_sample(name, source, target, bed)
        by_sample.setdefault(name, []).append(target)
    merged: list[str] = []
    for number, parts in enumerate(by_sample.values()):
        whole = parts[0]
        if len(parts) > 1:
            whole = f"sample{number}.vcf.gz"
            bcftools.concat("-a", "-D", "-Oz", "-o", whole, *parts, catch_stdout=False)
            bcftools.index("-t", whole, catch_stdout=False)
        merged.append(whole)
    if len(merged) > 1:
        bcftools.merge("--no-version", "-Oz", "-o", out, *merged, catch_stdout=False)
    else:
        Path(merged[0]).rename(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
