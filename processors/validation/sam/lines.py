"""A line of SAM as a record: every field by its own grammar."""

from __future__ import annotations

import re
from array import array

from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import rules_alignment as rules
from genoflow.processors.validation.sam.header import LENGTH_MAX, NAME, quoted
from genoflow.processors.validation.sam.record import (
    NONE,
    OPERATIONS,
    UNKNOWN,
    Judge,
    Record,
)
from genoflow.processors.validation.sam.values import read_tags

COLUMNS = 11
FIELDS_MAX = 5_000  # there are some 3,200 tags, each of which may stand there once
NAME_CHARACTERS = bytes(range(33, 64)) + bytes(range(65, 127))
NAME_CHARACTERS_MAX = 254
PLAIN = re.compile(rb"0|[1-9][0-9]{0,17}")
SIGNED = re.compile(rb"[-+]?[0-9]{1,18}")
# Possessive: nothing is kept for going back.
CIGAR = re.compile(rb"(?:[0-9]{1,18}+[MIDNSHP=X])++")
OPERATION = re.compile(rb"([0-9]+)([MIDNSHP=X])")
OPERATION_MAX = 2**28 - 1
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=."
QUALITIES = bytes(range(33, 127))
FLAG_MAX = 2**16 - 1
CODES = {letter: code for code, letter in enumerate(OPERATIONS)}


def read_line(line: bytes, judge: Judge) -> Record | None:
    """The record; None where a field cannot be read, after all faults of the line are added."""
    if line.count(b"\t") >= FIELDS_MAX:
        judge.add(rules.COLUMNS, f"it has more than {FIELDS_MAX} fields")
        return None
    fields = line.split(b"\t")
    if len(fields) < COLUMNS or not all(fields[:COLUMNS]):
        said = f"it has {len(fields)} fields"
        if len(fields) >= COLUMNS:
            said = f"field {fields.index(b'') + 1} is empty"
        judge.add(rules.COLUMNS, said)
        return None
    check_name(fields[0], judge)
    flag = _plain(fields[1], FLAG_MAX, rules.FLAG, "FLAG", judge)
    pos, next_pos = _place(fields[3], "POS", judge), _place(fields[7], "PNEXT", judge)
    mapq = _plain(fields[4], 255, rules.MAPQ, "MAPQ", judge)
    cigar = _cigar(fields[5], judge)
    length = _length(fields[8], judge)
    ref = _reference(fields[2], "RNAME", judge)
    is_same = fields[6] == b"="
    next_ref = ref if is_same else _reference(fields[6], "RNEXT", judge)
    letters = _letters(fields[9], fields[10], judge)
    tags = read_tags(fields[COLUMNS:], judge)
    numbers = (flag, pos, next_pos, mapq, length)
    if None in numbers or cigar is None or letters is None or tags is None:
        return None
    return Record(
        fields[0],
        flag or 0,
        ref,
        pos or 0,
        mapq or 0,
        cigar,
        next_ref,
        next_pos or 0,
        length or 0,
        *letters,
        tags=tags,
        next_is_same=is_same,
    )


def check_name(name: bytes, judge: Judge) -> None:
    """A read name is of 1 to 254 printable characters, none of them @."""
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        judge.add(rules.NAME_LENGTH, f"a read name has {len(name)} characters: {quoted(name)}")
    if name.translate(None, NAME_CHARACTERS):
        judge.add(rules.NAME, f"a read name is {quoted(name)}")


def _plain(text: bytes, most: int, rule: Rule, name: str, judge: Judge) -> int | None:
    if PLAIN.fullmatch(text) and int(text) <= most:
        return int(text)
    judge.add(rule, f"{name} is {quoted(text)}")
    return None


def _place(text: bytes, name: str, judge: Judge) -> int | None:
    if not PLAIN.fullmatch(text):
        judge.add(rules.POSITION, f"{name} is {quoted(text)}")
        return None
    if int(text) > LENGTH_MAX:
        judge.add(rules.POSITION_RANGE, f"{name} is {quoted(text)}")
    return int(text)


def _length(text: bytes, judge: Judge) -> int | None:
    if not SIGNED.fullmatch(text):
        judge.add(rules.LENGTH, f"TLEN is {quoted(text)}")
        return None
    if abs(int(text)) > LENGTH_MAX:
        judge.add(rules.POSITION_RANGE, f"TLEN is {quoted(text)}")
    return int(text)


def _cigar(text: bytes, judge: Judge) -> array[int] | None:
    cigar = array("I")
    if text == b"*":
        return cigar
    if not CIGAR.fullmatch(text):
        judge.add(rules.CIGAR, f"CIGAR is {quoted(text)}")
        return None
    for found in OPERATION.finditer(text):
        size = int(found[1])
        if size > OPERATION_MAX:
            judge.add(rules.CIGAR_LONG, f"CIGAR has the operation {quoted(found[0])}")
            return None
        cigar.append(size << 4 | CODES[found[2][0]])
    return cigar


def _reference(name: bytes, field: str, judge: Judge) -> int:
    if name == b"*":
        return NONE
    at = judge.header.index.get(name, UNKNOWN)
    if at == UNKNOWN:
        if not NAME.fullmatch(name):
            judge.add(rules.REF_NAME, f"{field} is {quoted(name)}")
        elif judge.header.names:
            judge.add(rules.REF_UNKNOWN, f"{field} is {quoted(name)}, which no @SQ names")
    return at


def _letters(seq: bytes, qual: bytes, judge: Judge) -> tuple[bytes, bytes | None] | None:
    if seq == b"*":
        if qual != b"*":
            judge.add(rules.QUAL_LENGTH, "there are qualities, and SEQ is *")
            return None
        return b"", None
    if strange := seq.translate(None, LETTERS):
        judge.add(rules.SEQ, f"SEQ has {quoted(strange[:1])} in it")
    if qual == b"*":
        if len(seq) == 1:
            judge.add(rules.QUAL_LONELY, "SEQ has one base, and QUAL is *")
        return seq, None
    if strange := qual.translate(None, QUALITIES):
        judge.add(rules.QUAL, f"QUAL has {quoted(strange[:1])} in it")
        return None
    if len(qual) != len(seq):
        judge.add(rules.QUAL_LENGTH, f"SEQ has {len(seq)} bases and QUAL {len(qual)}")
        return None
    return seq, qual
