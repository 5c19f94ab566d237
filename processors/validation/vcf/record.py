"""The fixed columns of a data line."""

from __future__ import annotations

import re
from typing import NamedTuple

from genoflow.processors.validation.vcf import rules_record as rules
from genoflow.processors.validation.vcf.header import Header, Teller, quoted
from genoflow.processors.validation.vcf.info import read_info
from genoflow.processors.validation.vcf.meta import CONTIG, STRUCTURAL
from genoflow.processors.validation.vcf.order import Order
from genoflow.processors.validation.vcf.values import PARTS_MAX, float_of

POSITION = re.compile(r"[0-9]{1,18}")
BASES = re.compile(r"[ACGTNacgtn]+")
CHROM_OLD = re.compile(r"[^\s,<>\[\]]+")
SYMBOL = re.compile(r"<[^\s,<>]+>")
_PLACE = r"(?:<[^\s,<>]+>|[^\s,<>\[\]]+):[0-9]+"
BREAKEND = re.compile(
    rf"(?:[ACGTNacgtn.]+(?:\[{_PLACE}\[|\]{_PLACE}\])|(?:\[{_PLACE}\[|\]{_PLACE}\])[ACGTNacgtn.]+"
    r"|\.[ACGTNacgtn]+|[ACGTNacgtn]+\.|[ACGTNacgtn]+<[^\s,<>]+>|<[^\s,<>]+>[ACGTNacgtn]+"
    r"|\[<[^\s,<>]+>\[|[ACGTNacgtn]+\[<[^\s,<>]+>\[)"
)
ID = re.compile(r"[^\s;]+(?:;[^\s;]+)*")
UNSPECIFIED = ("<*>", "<NON_REF>")


class Site(NamedTuple):
    """The record, as far as what comes behind the fixed columns has to know it."""

    position: int | None
    ref: str
    alts: list[str]
    info: dict[str, list[str]]

    @property
    def alt_counts(self) -> tuple[int, ...]:
        """How many alternative alleles there may be: none is written as one that is missing."""
        return (0, 1) if self.alts == ["."] else (len(self.alts),)


def read_site(columns: list[str], header: Header, order: Order, tell: Teller) -> Site:
    """The first eight columns."""
    chrom, pos, ids, ref, alt, qual, filters, info = columns[:8]
    alts = alt.split(",", PARTS_MAX)
    position = int(pos) if POSITION.fullmatch(pos) else None
    _chrom(chrom, header, order, tell)
    if position is None:
        tell(rules.POS, f"POS is {quoted(pos)}")
    else:
        _position(chrom, position, ref, alts, header, order, tell)
    _id(ids, header, tell)
    if not BASES.fullmatch(ref):
        tell(rules.REF, f"REF is {quoted(ref)}")
    _alts(ref, alts, header, tell)
    _qual(qual, tell)
    _filter(filters, header, tell)
    site = Site(position, ref, alts, {})
    return site._replace(info=read_info(info, position, site.alt_counts, header, tell))


def _chrom(chrom: str, header: Header, order: Order, tell: Teller) -> None:
    name = contig_of(chrom)
    if not CHROM_OLD.fullmatch(name):
        tell(rules.CHROM, f"CHROM is {quoted(chrom)}")
    elif chrom[0] != "<" and name not in header.contigs:
        doubtful = "*" in name if header.minor >= 4 else "*" in name or ":" in name
        if doubtful or (header.minor >= 3 and not CONTIG.fullmatch(name)):
            tell(rules.CHROM, f"CHROM is {quoted(chrom)}, which no ##contig declares")
        elif header.contigs and header.has_all_contigs:
            tell.once(rules.CONTIG_UNDECLARED, name, f"contig {quoted(name)} is not declared")
    if order.enter(name):
        tell(rules.CONTIG_SPLIT, f"contig {quoted(chrom)} comes again behind another")


def contig_of(chrom: str) -> str:
    """The name of the contig, without the brackets of one of the assembly file."""
    return chrom[1:-1] if chrom[:1] == "<" and chrom[-1:] == ">" else chrom


def _position(
    chrom: str,
    position: int,
    ref: str,
    alts: list[str],
    header: Header,
    order: Order,
    tell: Teller,
) -> None:
    length = header.contigs.get(chrom)
    if length is not None and position > length + 1:
        said = f"POS is {position}, and contig {quoted(chrom)} ends at {length}"
        tell(rules.POS_BEYOND, said)
    before = order.position
    if order.move(position):
        rule = rules.POS_ORDER_FREE if header.minor >= 5 else rules.POS_ORDER
        tell(rule, f"POS is {position}, and the record before has {before}")
    if again := order.note(position, ref, alts):
        said = f"{again.ref or '-'}>{again.alt or '-'} at {again.position} stood there before"
        tell(rules.DUPLICATE, said)


def _id(ids: str, header: Header, tell: Teller) -> None:
    if not ID.fullmatch(ids):
        tell(rules.ID, f"ID is {quoted(ids)}")
    elif header.minor >= 3 and ";" in ids:
        names = ids.split(";", PARTS_MAX)
        if len({*names}) < len(names):
            tell(rules.ID_REPEATED, f"ID is {quoted(ids)}")


def _alts(ref: str, alts: list[str], header: Header, tell: Teller) -> None:
    for alt in alts:
        if BASES.fullmatch(alt) or alt in (".", "*"):
            continue
        if SYMBOL.fullmatch(alt):
            _symbol(alt, header, tell)
        elif not BREAKEND.fullmatch(alt):
            tell(rules.ALT, f"ALT has {quoted(alt)}")
    bases = [alt.upper() for alt in alts if BASES.fullmatch(alt)]
    if len({*bases, ref.upper()}) <= len(bases):
        tell(rules.ALT_REPEATED, f"REF is {quoted(ref)} and ALT {quoted(','.join(alts))}")


def _symbol(alt: str, header: Header, tell: Teller) -> None:
    name = alt[1:-1]
    first, levels, _ = name.partition(":")
    if levels and first not in STRUCTURAL:
        tell(rules.ALT_SYMBOL, f"ALT has {quoted(alt)}")
    elif name not in header.alts and alt not in UNSPECIFIED:
        tell.once(rules.ALT_UNDECLARED, name, f"the allele {quoted(alt)} is not declared")


def _qual(qual: str, tell: Teller) -> None:
    if qual == ".":
        return
    number = float_of(qual)
    if number is None:
        tell(rules.QUAL, f"QUAL is {quoted(qual)}")
    elif number < 0:
        tell(rules.QUAL_NEGATIVE, f"QUAL is {quoted(qual)}")


def _filter(filters: str, header: Header, tell: Teller) -> None:
    if filters in ("PASS", "."):
        return
    names = filters.split(";", PARTS_MAX)
    if any(not name or name == "." or re.search(r"\s", name) for name in names):
        tell(rules.FILTER, f"FILTER is {quoted(filters)}")
        return
    if "0" in names:
        tell(rules.FILTER_ZERO, f"FILTER is {quoted(filters)}")
    if len({*names}) < len(names):
        tell(rules.FILTER_REPEATED, f"FILTER is {quoted(filters)}")
    if "PASS" in names:
        tell(rules.FILTER_PASS_AND, f"FILTER is {quoted(filters)}")
    for name in names:
        if name not in header.filters and name not in ("PASS", "0"):
            tell.once(rules.FILTER_UNDECLARED, name, f"the filter {quoted(name)} is not declared")
