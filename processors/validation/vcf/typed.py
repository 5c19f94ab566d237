"""Typed values of BCF: a cursor over the bytes of a record that believes no length."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import NamedTuple

from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.vcf import rules_bcf as rules

MISSING, INT8, INT16, INT32, FLOAT, TEXT = 0, 1, 2, 3, 5, 7
SIZES = {MISSING: 0, INT8: 1, INT16: 2, INT32: 4, FLOAT: 4, TEXT: 1}
FORMATS = {INT8: "b", INT16: "h", INT32: "i"}
# The lowest number of each width is a missing value, the next one the end of a vector.
MISSING_OF = {INT8: -(2**7), INT16: -(2**15), INT32: -(2**31)}
FLOAT_MISSING = 0x7F800001
FLOAT_END = 0x7F800002
SHORT_BYTES_MAX = 8  # of a value that is worth to be remembered
VALUES_MAX = 1_000_000  # in one vector: 60 MB as text; a genotype has no thousand
LONG = 15  # so many values or more: their number follows as a value of its own


class Odd(Exception):
    """The record breaks a rule in such a way that what follows in it cannot be found."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class Typed(NamedTuple):
    """Values as they are stored."""

    kind: int
    size: int  # values, of one sample
    data: bytes


class Cursor:
    """Reads a part of a record from its beginning to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size_bytes: int) -> bytes:
        """So many bytes."""
        end = self._at + size_bytes
        if end > len(self._data):
            said = f"{size_bytes} bytes are due at byte {self._at} of a part of {len(self._data)}"
            raise Odd(rules.RECORD_LENGTH, said)
        part = self._data[self._at : end]
        self._at = end
        return part

    def descriptor(self) -> tuple[int, int]:
        """The type of what follows, and how many of it."""
        byte = self.take(1)[0]
        kind, count = byte & 15, byte >> 4
        if kind not in SIZES:
            raise Odd(rules.VALUE_TYPE, f"a value has the type {kind}")
        if count == LONG:
            count = self.integer()
        if count > VALUES_MAX and kind != TEXT:
            raise Odd(rules.RECORD_LENGTH, f"a vector has {count} values")
        return kind, count

    def typed(self, samples: int = 1) -> Typed:
        """A value, of one or of many samples."""
        kind, count = self.descriptor()
        return Typed(kind, count, self.take(count * SIZES[kind] * samples))

    def integer(self) -> int:
        """A single number, 0 or more."""
        kind, count = self.descriptor()
        if kind not in FORMATS or count != 1:
            raise Odd(rules.VALUE_TYPE, f"{count} values of type {kind} stand for one number")
        number = int(struct.unpack("<" + FORMATS[kind], self.take(SIZES[kind]))[0])
        if number < 0:
            raise Odd(rules.VALUE_TYPE, f"{number} stands for a number of 0 or more")
        return number

    @property
    def is_at_end(self) -> bool:
        """Whether all was taken."""
        return self._at == len(self._data)


# Most numbers of a file are few: depths, qualities, genotypes. 300 bytes each: 3 MB.
@functools.lru_cache(maxsize=10_000)
def short_text_of(kind: int, count: int, data: bytes, is_genotype: bool) -> tuple[str, bool]:
    """As `text_of`, for values that are likely to come again."""
    return text_of(Typed(kind, count, data), is_genotype=is_genotype)


def text_of(value: Typed, *, is_genotype: bool) -> tuple[str, bool]:
    """What a sample has as VCF writes it, and whether something stood behind its end."""
    if is_genotype and value.kind in FORMATS:
        return genotype_of(value)
    texts, is_odd = texts_of(value)
    return "." if {*texts} <= {"."} else ",".join(texts), is_odd


def texts_of(value: Typed) -> tuple[list[str], bool]:
    """The values as VCF writes them, and whether something stood behind their end."""
    if value.kind in FORMATS:
        numbers = struct.unpack(f"<{value.size}{FORMATS[value.kind]}", value.data)
        missing = MISSING_OF[value.kind]
        kept, is_odd = _before_end(numbers, missing + 1)
        return ["." if number == missing else str(number) for number in kept], is_odd
    bits = struct.unpack(f"<{value.size}I", value.data)
    kept, is_odd = _before_end(bits, FLOAT_END)
    numbers_of = struct.unpack(f"<{len(kept)}f", value.data[: 4 * len(kept)])
    return [
        "." if bit == FLOAT_MISSING else f"{number:g}"
        for bit, number in zip(kept, numbers_of, strict=True)
    ], is_odd


def genotype_of(value: Typed) -> tuple[str, bool]:
    """The alleles of a sample with / and |, and whether something stood behind their end."""
    numbers = struct.unpack(f"<{value.size}{FORMATS[value.kind]}", value.data)
    kept, is_odd = _before_end(numbers, MISSING_OF[value.kind] + 1)
    text = ""
    for index, number in enumerate(kept):
        if number < 0:
            return ".", True
        mark = "|" if number & 1 else "/"
        allele = "." if number < 2 else str((number >> 1) - 1)
        text += mark + allele if index else allele
    return text or ".", is_odd


def _before_end(values: Sequence[int], end: int) -> tuple[Sequence[int], bool]:
    if end not in values:
        return values, False
    at = values.index(end)
    return values[:at], any(value != end for value in values[at:])
