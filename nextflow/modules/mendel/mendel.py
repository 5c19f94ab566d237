"""mendel.py VCF ROLES OUT JSON COVERAGE...: what a child does not have of its parents.

MENDEL  a variant whose genotype in the child cannot come from one copy of each parent; on chrX of
        a male child, from one of the mother's. All three are deep enough to be told.
DENOVO  such a variant that a good share of the child's reads shows and next to none of its parents'
        (one of twenty and more can be an error; a copy would show in half of them). What is
        MENDEL and not DENOVO is an error of one of the three, or they are no family.

The sex of the child is what the coverage found; where that is unknown, chrX is left out.
"""

import csv
import itertools
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pysam

X_CHROMOSOME, Y_CHROMOSOME = re.compile(r"(chr)?X"), re.compile(r"(chr)?(Y|M|MT)")
DEPTH_MIN = 10  # reads: a heterozygous parent shows no copy of it once in a thousand
CHILD_FRACTION_MIN = 0.25  # of a half: what fewer reads show is of some cells, or an error
PARENT_FRACTION_MAX = 0.05
QUALITY_MIN = 30.0  # Phred: one record in a thousand is none
ROLES = ("proband", "mother", "father")


class Member(NamedTuple):
    """What one of the three has at a place."""

    genotype: tuple[int, ...]
    depths: tuple[int, ...]

    @property
    def depth(self) -> int:
        """Reads of all alleles."""
        return sum(self.depths)


def is_possible(child: Member, mother: Member, father: Member, *, has_father: bool) -> bool:
    """Whether one copy of each parent gives this child; of the mother's alone without a father."""
    if not has_father:
        return set(child.genotype) <= set(mother.genotype)
    pairs = itertools.product(mother.genotype, father.genotype)
    return any(sorted(pair) == sorted(child.genotype) for pair in pairs)


def is_new(child: Member, parents: tuple[Member, ...]) -> bool:
    """Whether the child shows an allele well that its parents do not have."""
    inherited = {allele for parent in parents for allele in parent.genotype}
    fresh = [one for one in set(child.genotype) - inherited if one]
    return bool(fresh) and all(
        child.depths[one] >= CHILD_FRACTION_MIN * child.depth
        and all(parent.depths[one] <= PARENT_FRACTION_MAX * parent.depth for parent in parents)
        for one in fresh
    )


def _member(sample: pysam.VariantRecordSample) -> Member | None:
    genotype = sample["GT"]
    if None in genotype:
        return None
    found = Member(tuple(n for n in genotype if n is not None), tuple(n or 0 for n in sample["AD"]))
    return found if found.depth >= DEPTH_MIN else None


def judge(one: pysam.VariantRecord, members: dict[str, str], sex: str) -> set[str]:
    """The marks of a variant."""
    on_x = X_CHROMOSOME.fullmatch(one.chrom) is not None
    if Y_CHROMOSOME.fullmatch(one.chrom) or (on_x and sex == "unknown"):
        return set()
    child, mother, father = (_member(one.samples[members[role]]) for role in ROLES)
    if child is None or mother is None or father is None or (one.qual or 0.0) < QUALITY_MIN:
        return set()
    has_father = not (on_x and sex == "male")
    if is_possible(child, mother, father, has_father=has_father):
        return set()
    return {"MENDEL", "DENOVO"} if is_new(child, (mother, father)) else {"MENDEL"}


def main(vcf: str, roles: str, out: str, values: str, *coverages: str) -> None:
    """Mark the variants, and count those that can be compared at all."""
    with Path(roles).open(encoding="utf-8") as table:
        members = {row["role"]: row["sample"] for row in csv.DictReader(table, delimiter="\t")}
    missing = [role for role in ROLES if role not in members]
    if missing:
        sys.exit(f"{roles}: names no {' and no '.join(missing)}; give each its sample")
    told = [json.loads(Path(path).read_text(encoding="utf-8")) for path in coverages]
    sexes = {one["sample_id"]: one["sex_found"] for one in told}
    sex, errors, variants = sexes.get(members["proband"], "unknown"), 0, 0
    with pysam.VariantFile(vcf) as given:
        given.header.info.add("MENDEL", 0, "Flag", "Not of one copy of each parent")
        given.header.info.add("DENOVO", 0, "Flag", "In the child, and in neither of its parents")
        with pysam.VariantFile(out, "wz", header=given.header) as marked:
            for one in given:
                marks = judge(one, members, sex)
                for mark in marks:
                    one.info[mark] = True
                errors, variants = errors + bool(marks), variants + 1
                marked.write(one)
    share = errors / variants if variants else 0.0
    rows = [{"metric": "mendelian_error_fraction", "value": share}]
    Path(values).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
