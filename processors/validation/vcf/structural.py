"""Structural variants from VCF 4.4 on: what their keys of INFO owe each other."""

from __future__ import annotations

import re

from genoflow.processors.validation.vcf import rules_sample as rules
from genoflow.processors.validation.vcf.header import Teller, quoted
from genoflow.processors.validation.vcf.meta import STRUCTURAL
from genoflow.processors.validation.vcf.record import Site
from genoflow.processors.validation.vcf.values import INTEGER, float_of

CLAIMS = {
    "DEL": ("D", "J", "DJ"),
    "DUP": ("D", "J", "DJ"),
    "CNV": ("D", "."),
    "INS": ("J", "DJ", "."),
    "INV": ("J", "DJ", "."),
    "BND": ("J", "."),
}
CLAIMED = ("DEL", "DUP")
PER_ALLELE = {"CIPOS": 2, "CIEND": 2, "CILEN": 2, "CICN": 2, "MEINFO": 4, "METRANS": 4}
PER_REPEAT = {"RUS": 1, "RUL": 1, "RUC": 1, "RB": 1, "CIRUC": 2, "CIRB": 2}
IUPAC = re.compile(r"[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+")
REPEAT = "<CNV:TR>"
# RB is counted in bases and RUC rounded: what differs by one unit and a tenth is about the same.
SIZE_SHARE_MAX = 0.1


def kind_of(alt: str) -> str:
    """DEL, INS, DUP, INV, CNV or BND; nothing for other alleles."""
    if alt.startswith("<"):
        first = alt[1:-1].partition(":")[0]
        return first if first in STRUCTURAL else ""
    return "BND" if "[" in alt or "]" in alt else ""


def tell_structural(site: Site, format_keys: list[str], tell: Teller) -> None:
    """All that a record of VCF 4.4 or later says of structural variants."""
    kinds = [kind_of(alt) for alt in site.alts]
    symbolic = {*kinds} - {"", "BND"}
    if symbolic and "SVLEN" not in site.info:
        tell(rules.SVLEN_MISSING, f"ALT is {quoted(','.join(site.alts))}, and there is no SVLEN")
    _claims(site, kinds, tell)
    _per_allele(site, tell)
    if REPEAT in site.alts:
        _repeats(site, tell)
    if "CN" in format_keys:
        lengths = site.info.get("SVLEN", [])
        of_copies = {
            length.lstrip("-")
            for kind, length in zip(kinds, lengths, strict=False)
            if kind in ("CNV", "DEL", "DUP")
        }
        if len(of_copies) > 1:
            tell(
                rules.COPY_NUMBER_SVLEN, f"SVLEN is {quoted(','.join(lengths))}, and FORMAT has CN"
            )


def _claims(site: Site, kinds: list[str], tell: Teller) -> None:
    claims = site.info.get("SVCLAIM")
    if claims is None:
        if not {*kinds}.isdisjoint(CLAIMED):
            tell(rules.SVCLAIM_MISSING, "there is no SVCLAIM")
        return
    for alt, kind, claim in zip(site.alts, kinds, claims, strict=False):
        if kind and claim not in CLAIMS[kind]:
            tell(rules.SVCLAIM, f"SVCLAIM of {quoted(alt)} is {quoted(claim)}")


def _per_allele(site: Site, tell: Teller) -> None:
    for key, each in PER_ALLELE.items():
        values = site.info.get(key)
        if not values or values == ["."]:
            continue
        due = {each * count for count in site.alt_counts}
        if len(values) not in due:
            said = f"{key} has {len(values)} values, and {each * max(site.alt_counts)} are due"
            tell(rules.PAIRS, said)


def _repeats(site: Site, tell: Teller) -> None:
    info = site.info
    if "RUS" not in info and "RUL" not in info:
        tell(rules.REPEAT_UNIT_MISSING, f"ALT has {REPEAT}, and there is no RUS and no RUL")
    counts = info.get("RN", ["1" if alt == REPEAT else "." for alt in site.alts])
    if not all(count == "." or INTEGER.fullmatch(count) for count in counts):
        return  # told as a wrong Type
    sequences = sum(int(count[:9]) for count in counts if count != ".")
    for key, each in PER_REPEAT.items():
        values = info.get(key, ["."])
        if values != ["."] and len(values) != each * sequences:
            said = f"{key} has {len(values)} values, and {each * sequences} are due"
            tell(rules.REPEAT_NUMBER, said)
    _units(info, tell)
    _bases(info, tell)
    for key, of in (("CIRUC", "RUC"), ("CIRB", "RB")):
        values = info.get(of, ["."] * sequences)
        ranges = info.get(key, [])
        for index, value in enumerate(values):
            if value == "." and {*ranges[2 * index : 2 * index + 2]} - {"."}:
                tell(rules.REPEAT_INTERVAL, f"{key} has values where {of} has none")


def _units(info: dict[str, list[str]], tell: Teller) -> None:
    units, lengths = info.get("RUS", []), info.get("RUL", [])
    for unit in units:
        if unit != "." and not IUPAC.fullmatch(unit):
            tell(rules.REPEAT_UNIT, f"RUS is {quoted(unit)}")
    for unit, length in zip(units, lengths, strict=False):
        if "." not in (unit, length) and str(len(unit)) != length.lstrip("+"):
            tell(rules.REPEAT_UNIT, f"RUS is {quoted(unit)}, and RUL {quoted(length)}")
    sizes = [float(len(unit)) if unit != "." else None for unit in units]
    sizes = sizes or [float_of(length) for length in lengths]
    numbers = [float_of(count) for count in info.get("RUC", [])]
    bases = [float_of(count) for count in info.get("RB", [])]
    for size, number, total in zip(sizes, numbers, bases, strict=False):
        if size is None or number is None or total is None:
            continue
        if not abs(size * number - total) <= size + SIZE_SHARE_MAX * abs(total):
            said = f"RB is {total:g}, and RUC {number:g} times {size:g} bases"
            tell(rules.REPEAT_SIZE, said)


def _bases(info: dict[str, list[str]], tell: Teller) -> None:
    values = info.get("RUB", ["."])
    if values == ["."]:
        return
    counts = info.get("RUC")
    if counts is None or not all(count == "." or count.isdigit() for count in counts):
        tell(rules.REPEAT_BASES, "RUB stands without RUC in whole numbers")
        return
    due = sum(int(count[:9]) for count in counts if count != ".")
    if len(values) != due:
        tell(rules.REPEAT_BASES, f"RUB has {len(values)} values, and {due} are due")
