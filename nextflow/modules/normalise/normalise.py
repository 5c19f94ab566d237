"""normalise.py VARIANTS FASTA OUT TEXT JSON: variants as everybody spells them, and their counts.

A place of several alternates becomes a record for each, an indel stands as far left as it goes,
and what is then said twice is said once. A record whose bases are not those of the reference ends
the step.
"""

import json
import sys
from pathlib import Path

import pysam
from pysam import bcftools

TRANSITIONS = {("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")}
# What pipelines mark, and the metric that counts it where it can be marked.
MARKS = {"SOMATIC": "somatic_variants", "DENOVO": "de_novo_variants", "MENDEL": "mendelian_errors"}


def counts_of(path: str) -> dict[str, float]:
    """Counts over the whole case."""
    transitions = transversions = 0
    with pysam.VariantFile(path) as records:
        marks = {mark: name for mark, name in MARKS.items() if mark in records.header.info}
        found: dict[str, float] = {"variants": 0, **dict.fromkeys(marks.values(), 0)}
        for one in records:
            found["variants"] += 1
            for mark, name in marks.items():
                found[name] += mark in one.info
            for other in one.alts or ():
                if len(one.ref or "") == len(other) == 1:
                    is_transition = (one.ref, other) in TRANSITIONS
                    transitions += is_transition
                    transversions += not is_transition
    if transversions:
        found["ti_tv"] = transitions / transversions
    return found


def main(variants: str, fasta: str, out: str, text: str, values: str) -> None:
    """Write the variants packed and indexed, what bcftools counts of them, and what is judged."""
    bcftools.norm(
        "--no-version", "-f", fasta, "-m", "-any", "-d", "exact", "-Oz", "-o", out, variants,
        catch_stdout=False,
    )  # fmt: skip
    bcftools.index("-t", out, catch_stdout=False)
    with pysam.VariantFile(out) as records:
        each = ["-s", "-"] if list(records.header.samples) else []  # a file may have none
    Path(text).write_text(str(bcftools.stats(*each, out)), encoding="utf-8")
    rows = [{"metric": name, "value": value} for name, value in counts_of(out).items()]
    Path(values).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
