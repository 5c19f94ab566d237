"""FORMAT and the samples behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genoflow.processors.validation.vcf import rules_sample as rules
from genoflow.processors.validation.vcf.genotype import (
    GENOTYPE,
    GENOTYPE_CHARACTERS_MAX,
    GENOTYPE_NEW,
    Genotype,
    genotype_of,
)
from genoflow.processors.validation.vcf.header import Header, Teller, quoted
from genoflow.processors.validation.vcf.info import tell_integers, tell_intervals
from genoflow.processors.validation.vcf.local import counts_of_local, tell_local, tell_modified
from genoflow.processors.validation.vcf.meta import KEY_NAME
from genoflow.processors.validation.vcf.record import Site
from genoflow.processors.validation.vcf.values import PARTS_MAX, counts_due, wrong_type

KEY_OLD = re.compile(r"[A-Za-z][0-9A-Za-z]*")
PHASES = ("PSL", "PSO", "PSQ")


def read_samples(
    columns: list[str], site: Site, header: Header, tell: Teller
) -> list[Genotype | None]:
    """FORMAT and all samples; the genotype of each, None where there is none to be read."""
    keys = columns[8].split(":", PARTS_MAX)
    if columns[8] != ".":
        _format(columns[8], keys, header, tell)
    return [
        _sample(name, text, keys, site, header, tell)
        for name, text in zip(header.samples, columns[9:], strict=True)
    ]


def _format(text: str, keys: list[str], header: Header, tell: Teller) -> None:
    for key in keys:
        is_key = KEY_NAME.fullmatch(key) if header.minor >= 3 else KEY_OLD.fullmatch(key)
        if not is_key and not (KEY_NAME.fullmatch(key) and key in header.formats):
            tell(rules.FORMAT, f"FORMAT has the key {quoted(key)}")
        elif key not in header.formats:
            tell.once(rules.FORMAT_UNDECLARED, key, f"{quoted(key)} of FORMAT is not declared")
    if len({*keys}) < len(keys):
        tell(rules.FORMAT_REPEATED, f"FORMAT is {quoted(text)}")
    if "GT" in keys[1:]:
        tell(rules.GT_FIRST, f"FORMAT is {quoted(text)}")
    if header.minor >= 5:
        tell_local(keys, tell)
    if header.minor >= 4 and "CICN" in keys and "CN" not in keys:
        tell(rules.CICN_WITHOUT_CN, f"FORMAT is {quoted(text)}")


def _sample(
    name: str, text: str, keys: list[str], site: Site, header: Header, tell: Teller
) -> Genotype | None:
    fields = text.split(":", len(keys))
    if len(fields) > len(keys):
        said = f"sample {quoted(name)} has more fields than FORMAT, which has {len(keys)}"
        tell(rules.SAMPLE_FIELDS, said)
    found = dict(zip(keys, fields, strict=False))
    genotype = None
    if "GT" in keys[:1]:
        genotype = _genotype(name, found["GT"], site, header, tell)
    # Without GT two copies are meant; of a genotype that cannot be read nothing is known.
    ploidies: tuple[int, ...] = () if "GT" in keys[:1] else (2,)
    ploidies = genotype.ploidies if genotype else ploidies
    for key, value in found.items():
        if key != "GT":
            _field(name, key, value, ploidies, site, found, header, tell)
    if header.minor >= 4:
        if genotype is not None and "PSL" in found:
            _phases(name, genotype, found, tell)
        if found.get("PS", ".") != "." and found.get("PSL", ".").strip(".,"):
            tell(rules.PHASE_BOTH, f"sample {quoted(name)} has PS and PSL")
    if header.minor >= 5:
        tell_modified(name, found, site, tell)
    return genotype


def _genotype(name: str, text: str, site: Site, header: Header, tell: Teller) -> Genotype | None:
    form = GENOTYPE_NEW if header.minor >= 4 else GENOTYPE
    if len(text) > GENOTYPE_CHARACTERS_MAX or not form.fullmatch(text):
        tell(rules.GENOTYPE, f"sample {quoted(name)} has the genotype {quoted(text)}")
        return None
    genotype = genotype_of(text)
    highest = max(site.alt_counts)
    if any(allele != "." and int(allele) > highest for allele in genotype.alleles):
        said = f"sample {quoted(name)} has the genotype {quoted(text)} of {highest} alleles in ALT"
        tell(rules.GENOTYPE_ALLELE, said)
        return None
    return genotype


def _field(
    name: str,
    key: str,
    text: str,
    ploidies: Sequence[int],
    site: Site,
    found: dict[str, str],
    header: Header,
    tell: Teller,
) -> None:
    known = header.format(key)
    may_be_empty = header.minor >= 5 and known is not None and not known.number.isdigit()
    if not text and not may_be_empty:
        tell(rules.SAMPLE_EMPTY, f"sample {quoted(name)} has nothing for {quoted(key)}")
        return
    if known is None or text == ".":
        return
    values = text.split(",", PARTS_MAX) if text else []
    if known.number in ("LA", "LR", "LG"):
        due = counts_of_local(known.number, found.get("LAA"), ploidies)
    elif known.number == "P":
        due = {*ploidies} or None if "GT" in found else None
    else:
        due = counts_due(known.number, site.alt_counts, ploidies)
    if due is not None and len(values) not in due:
        wanted = " or ".join(map(str, sorted(due)))
        said = f"sample {quoted(name)} has {len(values)} values for {quoted(key)}"
        tell(rules.SAMPLE_NUMBER, f"{said}, and {wanted} are due")
    if (value := wrong_type(known.type, values, header.minor)) is not None:
        said = f"sample {quoted(name)} has {quoted(value)} for {quoted(key)}"
        tell(rules.SAMPLE_TYPE, f"{said}, which is no {known.type}")
        return
    if known.type == "Integer":
        tell_integers(key, values, header, tell)
    if key == "FT" and re.search(r"\s", text):
        tell(rules.FT_SPACE, f"sample {quoted(name)} has the filter {quoted(text)}")
    if key == "PS" and text.startswith("-"):
        tell(rules.PS_NEGATIVE, f"sample {quoted(name)} has the phase set {quoted(text)}")
    if key == "CICN" and header.minor >= 4:
        tell_intervals(key, values, tell)


def _phases(name: str, genotype: Genotype, found: dict[str, str], tell: Teller) -> None:
    lists = {key: found[key].split(",") for key in PHASES if found.get(key, ".") != "."}
    sets = lists.get("PSL", ["."] * len(genotype.alleles))
    for is_phased, value in zip(genotype.phased, sets, strict=False):
        if not is_phased and value != ".":
            said = f"sample {quoted(name)} has the phase set {quoted(value)} of an unphased allele"
            tell(rules.PHASE_LIST, said)
    for key in ("PSO", "PSQ"):
        for of, value in zip(sets, lists.get(key, ()), strict=False):
            if of == "." and value != ".":
                said = f"sample {quoted(name)} has {key} {quoted(value)} without a phase set"
                tell(rules.PHASE_VALUE, said)
