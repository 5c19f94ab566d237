"""Values of INFO and samples: whether they are of their Type, and as many as their Number says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

INTEGER = re.compile(r"[-+]?[0-9]+")
FLOAT = re.compile(
    r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?(?:inf|infinity|nan)", re.IGNORECASE
)
# Up to 4.2 no form is prescribed, and some writers end a number with its point.
FLOAT_OLD = re.compile(r"[-+]?[0-9]+\.(?:[eE][-+]?[0-9]+)?|" + FLOAT.pattern, re.IGNORECASE)
CHARACTER = re.compile(r".|%[0-9A-F]{2}", re.DOTALL)
PERCENT = re.compile(r"%(?![0-9A-F]{2})")
INTEGER_MAX = 2**31 - 1
INTEGER_MIN = -(2**31)
INTEGER_RESERVED_MAX = INTEGER_MIN + 7  # BCF keeps missing values and ends of vectors there
PARTS_MAX = 100_000  # of one field: with 60 bytes each 6 MB; what is more stays in the last part
GENOTYPES_MAX = 10**11  # of 20 alleles and 20 copies; no line has as many values
DIGITS_MAX = 18  # more are no 32 bits, and need not be computed with


def integer_of(value: str) -> int | None:
    """The number; one beyond 32 bits where it has too many digits, None where it is none."""
    if not INTEGER.fullmatch(value):
        return None
    if len(value) > DIGITS_MAX:
        return INTEGER_MIN - 1 if value.startswith("-") else INTEGER_MAX + 1
    return int(value)


def float_of(value: str) -> float | None:
    """The number; None where it is none."""
    return float(value) if FLOAT_OLD.fullmatch(value) else None


def wrong_type(kind: str, values: Iterable[str], minor: int) -> str | None:
    """The first value that is not of its Type; None where all are."""
    for value in values:
        if value == ".":
            continue
        if kind == "Integer":
            fits = INTEGER.fullmatch(value)
        elif kind == "Float":
            fits = (FLOAT if minor >= 3 else FLOAT_OLD).fullmatch(value)
        elif kind == "Character":
            fits = CHARACTER.fullmatch(value)
        else:
            return None
        if not fits:
            return value
    return None


def out_of_range(values: Iterable[str]) -> tuple[str | None, str | None]:
    """The first Integer that has no 32 bits, and the first that BCF reserves."""
    beyond = reserved = None
    for value in values:
        if len(value) < 10:  # nine digits are below 2^31
            continue
        number = integer_of(value)
        if number is None:
            continue
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            beyond = beyond or value
        elif number <= INTEGER_RESERVED_MAX:
            reserved = reserved or value
    return beyond, reserved


def counts_due(number: str, alts: Sequence[int], ploidies: Sequence[int]) -> set[int] | None:
    """How many values are right for a Number; None where any are.

    Both are given as what they may be: a record without ALT is read as of none and of one
    allele, a genotype that is missing as of one and of two.
    """
    if number.isdigit():
        return {int(number[:9])}
    if number == "A":
        return {*alts}
    if number == "R":
        return {count + 1 for count in alts}
    if number == "G" and ploidies:
        return {genotypes(count, ploidy) for count in alts for ploidy in ploidies}
    return None


def genotypes(alts: int, ploidy: int) -> int:
    """How many genotypes there are of so many alternative alleles."""
    return math.comb(alts + ploidy, ploidy) if min(alts, ploidy) < 20 else GENOTYPES_MAX
