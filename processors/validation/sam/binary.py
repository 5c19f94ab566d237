"""A record of BAM: every length is a claim until the bytes are there."""

from __future__ import annotations

import struct
import sys
from array import array

from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import rules_bam as rules
from genoflow.processors.validation.sam.header import quoted
from genoflow.processors.validation.sam.lines import check_name
from genoflow.processors.validation.sam.record import (
    SKIPPED,
    SOFT,
    UNMAPPED,
    Judge,
    Record,
    Tag,
    spans,
)
from genoflow.processors.validation.sam.values import READERS
from genoflow.processors.validation.sam.values import check_name as check_tag

FIXED = struct.Struct("<iiBBHHHIiii")
CODES = bytes.maketrans(b"0123456789abcdef", b"=ACMGRSVTWYHKDBN")
PRINTED = bytes((quality + 33) & 255 for quality in range(256))
QUALITIES = bytes(range(94))
SIZES = {"c": 1, "C": 1, "s": 2, "S": 2, "i": 4, "I": 4, "f": 4}
NUMBERS = {
    kind: struct.Struct("<" + code)
    for kind, code in (
        ("c", "b"), ("C", "B"), ("s", "h"), ("S", "H"), ("i", "i"), ("I", "I"), ("f", "f"),
    )
}  # fmt: skip
BIN_END_MAX = 2**29  # what the bins of BAI can hold
BINS = ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1))


class Wrong(Exception):
    """A record that cannot be read; its finding is added already."""


def read_binary(data: bytes, judge: Judge) -> Record | None:
    """The record of these bytes, without its block_size; None where it cannot be read."""
    try:
        return _record(data, judge)
    except Wrong:
        return None


def _wrong(rule: Rule, said: str, judge: Judge) -> Wrong:
    judge.add(rule, said)
    return Wrong()


def _record(data: bytes, judge: Judge) -> Record:
    ref, pos, name_bytes, mapq, found_bin, operations, flag, bases, next_ref, next_pos, length = (
        FIXED.unpack_from(data)
    )
    at = FIXED.size + name_bytes
    if at + 4 * operations + (bases + 1) // 2 + bases > len(data):
        said = f"{name_bytes} bytes of name, {operations} operations and {bases} bases do not fit"
        raise _wrong(rules.FIELD_LENGTHS, f"{said} into {len(data)} bytes", judge)
    name = data[FIXED.size : at]
    if name.find(0) != name_bytes - 1 or not name:
        raise _wrong(rules.NAME, f"read_name is {quoted(name)}", judge)
    check_name(name[:-1], judge)
    for field, value in (("refID", ref), ("next_refID", next_ref)):
        if not -1 <= value < len(judge.header.names):
            raise _wrong(rules.REFERENCE_ID, f"{field} is {value}", judge)
    for field, value in (("pos", pos), ("next_pos", next_pos)):
        if value < -1:
            judge.add(rules.POSITION, f"{field} is {value}")
    cigar = _cigar(data[at : at + 4 * operations], judge)
    at += 4 * operations
    seq = data[at : at + (bases + 1) // 2].hex().encode().translate(CODES)[:bases]
    at += (bases + 1) // 2
    qual = _qualities(data[at : at + bases], judge)
    tags, real = _tags(data, at + bases, judge)
    record = Record(
        name[:-1], flag, ref, pos + 1, mapq, cigar, next_ref, next_pos + 1, length, seq, qual, tags,
        next_is_same=next_ref == ref,
    )  # fmt: skip
    if b"CG" in tags:
        _unpack(record, real, judge)
    _bin(record, found_bin, judge)
    return record


def _cigar(raw: bytes, judge: Judge) -> array[int]:
    cigar = array("I")
    cigar.frombytes(raw)
    if sys.byteorder == "big":
        cigar.byteswap()
    for packed in cigar:
        if packed & 15 > 8:
            raise _wrong(rules.CIGAR_CODE, f"CIGAR has the operation {packed & 15}", judge)
    return cigar


def _qualities(raw: bytes, judge: Judge) -> bytes | None:
    if not raw.translate(None, QUALITIES):
        return raw.translate(PRINTED) if raw else None
    if raw.strip(b"\xff"):
        worst = max(raw.translate(None, b"\xff"), default=0)
        judge.add(rules.QUALITY, f"a quality is {worst if worst > 93 else 255}")
    return None


def _tags(data: bytes, at: int, judge: Judge) -> tuple[dict[bytes, Tag], bytes]:
    """The optional fields, and what CG packs."""
    tags: dict[bytes, Tag] = {}
    real = b""
    while at < len(data):
        name, kind = data[at : at + 2], data[at + 2 : at + 3].decode("latin-1")
        start = at + 3
        if start >= len(data):
            raise _wrong(rules.TAG_LENGTH, f"{len(data) - at} bytes are left over", judge)
        check_tag(name, tags, judge)
        if kind in "ZH":
            end = data.find(0, start)
            if end < 0:
                raise _wrong(rules.TAG_LENGTH, f"{quoted(name)} has no NUL at its end", judge)
            tag = Tag(kind, READERS[kind](name, data[start:end], judge) or b"")
            end += 1
        elif kind == "B":
            tag, end = _array(data, start, name, judge)
            if name == b"CG" and tag.value == ("I", (end - start - 5) // 4):
                real = data[start + 5 : end]
        elif kind == "A":
            end = start + 1
            if (value := READERS["A"](name, data[start:end], judge)) is None:
                raise Wrong
            tag = Tag(kind, value)
        elif kind in SIZES:
            end = start + SIZES[kind]
            if end > len(data):
                raise _wrong(rules.TAG_LENGTH, f"{quoted(name)} ends behind its record", judge)
            number = NUMBERS[kind].unpack_from(data, start)[0]
            tag = Tag("f" if kind == "f" else "i", number)
        else:
            raise _wrong(rules.TAG_TYPE, f"{quoted(name)} has the type {kind!r}", judge)
        tags.setdefault(name, tag)
        at = end
    return tags, real


def _array(data: bytes, start: int, name: bytes, judge: Judge) -> tuple[Tag, int]:
    kind = data[start : start + 1].decode("latin-1")
    if kind not in SIZES:
        raise _wrong(rules.TAG_TYPE, f"{quoted(name)} is an array of the type {kind!r}", judge)
    if start + 5 > len(data):
        raise _wrong(rules.TAG_LENGTH, f"{quoted(name)} ends behind its record", judge)
    count = int.from_bytes(data[start + 1 : start + 5], "little")
    end = start + 5 + count * SIZES[kind]
    if end > len(data):
        said = f"{quoted(name)} is said to have {count} numbers, and ends behind its record"
        raise _wrong(rules.TAG_LENGTH, said, judge)
    return Tag("B", (kind, count)), end


def _unpack(record: Record, real: bytes, judge: Judge) -> None:
    """Put the real CIGAR where the placeholder is."""
    cigar = _cigar(real, judge)
    query, reference = spans(cigar)
    bases = len(record.seq)
    placeholder = [bases << 4 | SOFT, reference << 4 | SKIPPED]
    if not real or record.cigar.tolist() != placeholder or (bases and query != bases):
        said = f"CG has {len(cigar)} operations for {query} and {reference} bases"
        judge.add(rules.CIGAR_PLACEHOLDER, said)
        return
    record.cigar, record.placeholder = cigar, True
    record.query_bases, record.reference_bases = query, reference


def _bin(record: Record, found: int, judge: Judge) -> None:
    size = 0 if record.flag & UNMAPPED else record.reference_bases
    start, end = record.pos - 1, record.pos - 1 + max(size, 1)
    if end > BIN_END_MAX:
        return
    if (due := region_bin(start, end)) != found:
        judge.add(rules.BIN, f"bin is {found}, and {due} is that of its interval")


def region_bin(start: int, end: int) -> int:
    """The smallest bin that holds the interval, counted from 0 and without its end."""
    last = end - 1
    for shift, offset in BINS:
        if start >> shift == last >> shift:
            return (offset + (start >> shift)) & 0xFFFF
    return 0
