"""The lines of a block that have to be read one by one: all, or what the extension hands over.

The extension knows no rule. It is told which keys, filters, alleles and contigs need no second
look, accepts a line only where the reader in Python would find nothing in it, and hands over every
other, with what the reader has to know of the lines before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from genoflow.native.batch import extension
from genoflow.processors.validation.vcf.counts import GENOTYPES, SITES
from genoflow.processors.validation.vcf.header import Header, Teller
from genoflow.processors.validation.vcf.info import NOT_NEGATIVE, SPANS_ZERO
from genoflow.processors.validation.vcf.meta import KEY_NAME, STRUCTURAL
from genoflow.processors.validation.vcf.record import SYMBOL
from genoflow.processors.validation.vcf.reserved import FORMAT_LOCAL, Key, modification
from genoflow.processors.validation.vcf.rules_record import (
    ALT_UNDECLARED,
    CONTIG_UNDECLARED,
    FILTER_UNDECLARED,
    INFO_UNDECLARED,
)
from genoflow.processors.validation.vcf.rules_sample import FORMAT_UNDECLARED
from genoflow.processors.validation.vcf.structural import PER_ALLELE

# What has rules of its own is always read in Python.
INFO_READ = SPANS_ZERO | {"CIGAR"}
INFO_READ_NEW = frozenset((*PER_ALLELE, "SVCLAIM"))
FORMAT_READ = frozenset(("FT", "CICN"))
FORMAT_READ_NEW = frozenset(("CN", "PS", "PSL", "PSO", "PSQ"))
NUMBERS = {".": -1, "A": -2, "R": -3, "G": -4}
KINDS = {"String": 0, "Integer": 1, "Float": 2, "Character": 3, "Flag": 4}
FREE = 5
LEARN_BYTES = 256 * 1024  # of text between two lessons, each of which takes some milliseconds
COUNT_MAX = 1_000_000  # no Number of a header is as large; more is read in Python


class Handed(NamedTuple):
    """A line that was not accepted, and what stood before it."""

    start: int  # in the block
    end: int
    line: int  # lines of the block before it
    record: int  # records of the block before it
    context: int  # where the first record begins whose variants may come again; -1: all are known
    position: int  # of the record before it
    highest: int  # of all records of its contig before it


class Looked(NamedTuple):
    """A block: what was handed over, and the sums over what was accepted."""

    handed: list[Handed]
    lines: int
    records: int
    accepted: int
    tail: int  # as `context`, for the block that follows
    position: int
    highest: int
    sites: Sequence[int]
    genotypes: Sequence[int]


class Acceptor:
    """Looks at blocks of whole data lines."""

    def __init__(self, header: Header, tell: Teller, *, is_fast: bool) -> None:
        self._header = header
        self._tell = tell
        self._told = -1
        self._looked_bytes = 0  # since it learnt
        compiled = extension() if is_fast else None
        self._lines: Any = None
        if compiled is not None:
            samples = len(header.samples)
            self._lines = compiled.VcfLines(header.minor, samples, header.columns)
            self.learn()

    def look(self, text: bytes) -> Looked:
        """What of this block has to be read."""
        self._looked_bytes += len(text)
        if self._lines is not None:
            handed, *rest = self._lines.look(text)
            return Looked([Handed(*one) for one in handed], *rest)
        every, start, records = [], 0, 0
        for number, line in enumerate(text.split(b"\n")):
            end = start + len(line)
            if end == len(text) and not line:
                break
            every.append(Handed(start, end, number, records, -1, 0, 0))
            records += line[:1] not in (b"", b"#", b"\r")
            start = end + 1
        genotypes = [0] * (len(self._header.samples) * len(GENOTYPES))
        return Looked(every, len(every), records, 0, -1, 0, 0, [0] * len(SITES), genotypes)

    def learn(self) -> None:
        """Take for clean from now on what was told once and is told no more."""
        told = self._tell.told_count
        is_due = self._told < 0 or self._looked_bytes >= LEARN_BYTES
        if self._lines is None or told == self._told or not is_due:
            return
        self._told, self._looked_bytes = told, 0
        header, tell = self._header, self._tell
        filters = (header.filters | tell.names(FILTER_UNDECLARED)) - {"0", "PASS", ".", ""}
        contigs = {**header.contigs, **dict.fromkeys(tell.names(CONTIG_UNDECLARED))}
        self._lines.configure(
            [*_keys(header, tell, "INFO")],
            [*_keys(header, tell, "FORMAT")],
            [name.encode() for name in filters if not {*name} & {*" \t;"}],
            [*self._symbols()],
            [(name.encode(), length or -1) for name, length in contigs.items()],
            not (header.contigs and header.has_all_contigs),
        )

    def _symbols(self) -> Iterator[bytes]:
        for name in self._header.alts | self._tell.names(ALT_UNDECLARED):
            first, levels, _ = name.partition(":")
            is_structural = first in STRUCTURAL
            if not SYMBOL.fullmatch(f"<{name}>") or (levels and not is_structural):
                continue
            if not (is_structural and self._header.minor >= 4):
                yield f"<{name}>".encode()


def _keys(header: Header, tell: Teller, kind: str) -> Iterator[tuple[bytes, int, int, bool]]:
    """The keys that may be accepted, with what they hold and whether they are below 0 never."""
    is_info = kind == "INFO"
    declared = header.infos if is_info else header.formats
    told = tell.names(INFO_UNDECLARED if is_info else FORMAT_UNDECLARED)
    for name in [*declared, *(told - declared.keys())]:
        if not KEY_NAME.fullmatch(name) and (name != "1000G" or not is_info):
            continue
        if name in _read(header.minor, is_info=is_info) or (
            header.minor >= 5 and not is_info and modification(name)
        ):
            continue
        known = header.info(name) if is_info else header.format(name)
        if (held := _held(known, is_info=is_info)) is not None:
            is_counted = name in NOT_NEGATIVE if is_info else name == "PS"
            yield name.encode(), *held, is_counted


def _read(minor: int, *, is_info: bool) -> frozenset[str]:
    keys = INFO_READ if is_info else FORMAT_READ
    if minor >= 4:
        keys |= INFO_READ_NEW if is_info else FORMAT_READ_NEW
    return keys | FORMAT_LOCAL.keys() if minor >= 5 and not is_info else keys


def _held(known: Key | None, *, is_info: bool) -> tuple[int, int] | None:
    """A Number and a Type as the extension has them; None where it has none for them."""
    if known is None:
        return -1, FREE
    number = NUMBERS.get(known.number or ".")
    if number is None:
        if not known.number.isdigit() or int(known.number[:9]) > COUNT_MAX:
            return None
        number = int(known.number)
    if number == 0 and known.type != "Flag":
        return None
    kind = KINDS.get(known.type or "String")
    return None if kind is None or (kind == KINDS["Flag"] and not is_info) else (number, kind)
