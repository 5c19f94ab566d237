"""The optional fields of a line of SAM: their grammar, and their values."""

from __future__ import annotations

import re

from genoflow.processors.validation.sam import rules_tags as rules
from genoflow.processors.validation.sam.header import quoted
from genoflow.processors.validation.sam.record import Judge, Tag, Value

TAG = re.compile(rb"[A-Za-z][A-Za-z0-9]")
INTEGER = re.compile(rb"[-+]?(?=[0-9])0*+([0-9]{0,18}+)")
DIGITS = re.compile(rb"[-+]?[0-9]++")
# Repetitions are possessive: what is not kept for going back takes no memory.
_REAL = rb"[-+]?(?:[0-9]++(?:\.[0-9]++)?|\.[0-9]++)(?:[eE][-+]?[0-9]{1,9}+)?"
FLOAT = re.compile(_REAL)
ZERO = re.compile(rb"[-+]?[0.]++(?:[eE].*)?")
HEX = re.compile(rb"(?:[0-9A-F]{2})*+")
PRINTABLE = bytes(range(32, 127))
WHOLE_NUMBERS = re.compile(rb"(?:,[-+]?[0-9]{1,18}+)*+")
REAL_NUMBERS = re.compile(rb"(?:," + _REAL + rb")*+")
INTEGER_MIN, INTEGER_MAX = -(2**31), 2**32 - 1
# Beyond the first a number rounds to infinity in single precision, below the second to 0.
FLOAT_MAX = 2.0**128 - 2.0**103
FLOAT_MIN = 2.0**-150
RANGES = {
    "c": (-(2**7), 2**7 - 1),
    "C": (0, 2**8 - 1),
    "s": (-(2**15), 2**15 - 1),
    "S": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "I": (0, 2**32 - 1),
}
# Of an array at once: numbers of it take some ten times as much memory as its text.
ARRAY_BYTES = 256 * 1024


def read_tags(fields: list[bytes], judge: Judge) -> dict[bytes, Tag] | None:
    """The fields by their tags; None where one of them cannot be read."""
    tags: dict[bytes, Tag] = {}
    whole = True
    for text in fields:
        if len(text) < 5 or text[2:5:2] != b"::":
            judge.add(rules.FORM, f"{quoted(text)} is no optional field")
            whole = False
            continue
        name = text[:2]
        tag = read_tag(name, chr(text[3]), text[5:], judge)
        if tag is None:
            whole = False
            continue
        check_name(name, tags, judge)
        tags.setdefault(name, tag)
    return tags if whole else None


def check_name(name: bytes, tags: dict[bytes, Tag], judge: Judge) -> None:
    """A tag is of a letter and a letter or digit, and stands there once."""
    if not TAG.fullmatch(name):
        judge.add(rules.NAME, f"{quoted(name)} is no tag")
    if name in tags:
        judge.add(rules.REPEATED, f"{quoted(name)} stands twice")


def read_tag(name: bytes, kind: str, value: bytes, judge: Judge) -> Tag | None:
    """The value in its type; None where it is none of that type."""
    if kind in "cCsSI":
        judge.add(rules.TYPE_OF_BAM, f"{quoted(name)} has the type {kind}")
        kind = "i"
    if kind not in READERS:
        judge.add(rules.TYPE, f"{quoted(name)} has the type {kind!r}")
        return None
    read = READERS[kind](name, value, judge)
    return None if read is None else Tag(kind, read)


def _character(name: bytes, value: bytes, judge: Judge) -> Value | None:
    if len(value) == 1 and 33 <= value[0] <= 126:
        return value
    judge.add(rules.CHARACTER, f"{quoted(name)} is {quoted(value)}")
    return None


def _integer(name: bytes, value: bytes, judge: Judge) -> Value | None:
    found = INTEGER.fullmatch(value)
    if found is None:
        if not DIGITS.fullmatch(value):
            judge.add(rules.INTEGER, f"{quoted(name)} is {quoted(value)}")
            return None
        number = INTEGER_MAX + 1
    else:
        size = int(found[1] or 0)
        number = -size if value[:1] == b"-" else size
    if not INTEGER_MIN <= number <= INTEGER_MAX:
        judge.add(rules.RANGE, f"{quoted(name)} is {quoted(value)}")
    return number


def _float(name: bytes, value: bytes, judge: Judge) -> Value | None:
    if not FLOAT.fullmatch(value):
        judge.add(rules.FLOAT, f"{quoted(name)} is {quoted(value)}")
        return 0.0
    if not fits_single(value):
        judge.add(rules.FLOAT_RANGE, f"{quoted(name)} is {quoted(value)}")
    return float(value)


def fits_single(text: bytes) -> bool:
    """Whether a decimal number becomes neither infinite nor nothing in single precision."""
    size = abs(float(text))
    return FLOAT_MIN < size < FLOAT_MAX or (size <= FLOAT_MIN and bool(ZERO.fullmatch(text)))


def _text(name: bytes, value: bytes, judge: Judge) -> Value | None:
    if value.translate(None, PRINTABLE):
        judge.add(rules.TEXT, f"{quoted(name)} is {quoted(value)}")
    return value


def _hex(name: bytes, value: bytes, judge: Judge) -> Value | None:
    if not HEX.fullmatch(value):
        judge.add(rules.HEX, f"{quoted(name)} is {quoted(value)}")
    return value


def _array(name: bytes, value: bytes, judge: Judge) -> Value | None:
    kind, numbers = value[:1].decode("latin-1"), value[1:]
    pattern = REAL_NUMBERS if kind == "f" else WHOLE_NUMBERS
    if (kind != "f" and kind not in RANGES) or not pattern.fullmatch(numbers):
        judge.add(rules.ARRAY, f"{quoted(name)} is {quoted(value)}")
        return None
    if not _in_range(kind, numbers):
        judge.add(rules.ARRAY_RANGE, f"a number in {quoted(name)} does not fit the type {kind}")
        return None
    return kind, numbers.count(b",")


def _in_range(kind: str, numbers: bytes) -> bool:
    at = 1
    while at < len(numbers):
        end = numbers.find(b",", at + ARRAY_BYTES)
        end = len(numbers) if end < 0 else end
        part = numbers[at:end].split(b",")
        if kind == "f":
            if not all(map(fits_single, part)):
                return False
        else:
            whole = [*map(int, part)]
            least, most = RANGES[kind]
            if min(whole) < least or max(whole) > most:
                return False
        at = end + 1
    return True


READERS = {
    "A": _character,
    "i": _integer,
    "f": _float,
    "Z": _text,
    "H": _hex,
    "B": _array,
}
