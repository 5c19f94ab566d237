"""What VCF 4.5 adds to samples: local alleles, and modifications of bases."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genoflow.processors.validation.vcf import rules_sample as rules
from genoflow.processors.validation.vcf.genotype import genotype_of
from genoflow.processors.validation.vcf.header import Teller, quoted
from genoflow.processors.validation.vcf.record import Site
from genoflow.processors.validation.vcf.reserved import FORMAT_LOCAL, modification
from genoflow.processors.validation.vcf.values import float_of, genotypes

LOCAL = frozenset(key for key in FORMAT_LOCAL if key not in ("LEN", "LAA"))
INDEX = re.compile(r"[1-9][0-9]{0,8}")
OPPOSITE = {"A": "T", "C": "G", "G": "C", "T": "A"}


def tell_local(keys: list[str], tell: Teller) -> None:
    """Whether LAA stands before all that need it."""
    if not LOCAL.isdisjoint(keys):
        before = keys[: keys.index("LAA")] if "LAA" in keys else keys
        if "LAA" not in keys or before not in ([], ["GT"]):
            tell(rules.LOCAL_ALLELES, f"FORMAT is {quoted(':'.join(keys))}")


def counts_of_local(number: str, laa: str | None, ploidies: Sequence[int]) -> set[int] | None:
    """How many values are right for LA, LR and LG; None where the local alleles are unknown."""
    if laa is None:
        return None
    count = 0 if laa in ("", ".") else laa.count(",") + 1
    if number == "LA":
        return {count}
    if number == "LR":
        return {count + 1}
    return {genotypes(count, ploidy) for ploidy in ploidies} or None


def tell_modified(name: str, found: dict[str, str], site: Site, tell: Teller) -> None:
    """Whether local alleles are alleles, and base modifications fractions of known genotypes."""
    laa = found.get("LAA", "")
    if laa not in ("", "."):
        local = laa.split(",")
        fits = all(INDEX.fullmatch(one) and int(one) <= max(site.alt_counts) for one in local)
        if not fits or len({*local}) < len(local):
            tell(rules.LOCAL_ALLELES, f"sample {quoted(name)} has the LAA {quoted(laa)}")
    for key, text in found.items():
        known = modification(key) if "M" in key else None
        if known is None or text in ("", "."):
            continue
        if found.get("GT", ".") == ".":
            tell(rules.MODIFICATION, f"sample {quoted(name)} has {key} and no genotype")
            continue
        values = text.split(",")
        due = modified_bases(key, found["GT"], [site.ref, *site.alts])
        if len(values) != due:
            said = f"sample {quoted(name)} has {len(values)} values for {key}, and {due} are due"
            tell(rules.SAMPLE_NUMBER, said)
        numbers = [float_of(value) for value in values if known.type == "Float"]
        if any(number is not None and not 0 <= number <= 1 for number in numbers):
            tell(rules.MODIFICATION, f"sample {quoted(name)} has the {key} {quoted(text)}")


def modified_bases(key: str, genotype: str, alleles: Sequence[str]) -> int:
    """How many bases of these alleles, on either strand, the modification may be on.

    Unphased copies of an allele are counted once, where the first of them stands.
    """
    base = key[-1].replace("U", "T")
    unphased: set[str] = set()
    count = 0
    for allele, is_phased in zip(*genotype_of(genotype), strict=True):
        if not allele.isdigit() or int(allele) >= len(alleles):
            continue
        if not is_phased:
            if allele in unphased:
                continue
            unphased.add(allele)
        bases = alleles[int(allele)].upper()
        if not set(bases) <= set("ACGTN"):
            continue
        if base == "N":
            count += 2 * len(bases)
        else:
            count += bases.count(base) + bases.count(OPPOSITE[base])
    return count
