"""INFO: its entries, and the values of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genoflow.processors.validation.vcf import rules_record as rules
from genoflow.processors.validation.vcf.header import Header, Teller, quoted
from genoflow.processors.validation.vcf.meta import KEY_NAME
from genoflow.processors.validation.vcf.reserved import Key
from genoflow.processors.validation.vcf.values import (
    PARTS_MAX,
    PERCENT,
    counts_due,
    float_of,
    integer_of,
    out_of_range,
    wrong_type,
)

NOT_NEGATIVE = frozenset(("AC", "AF", "AN", "DP", "END", "MQ0", "NS"))
SPANS_ZERO = frozenset(("CIPOS", "CIEND", "CILEN", "CICN", "CIRUC", "CIRB"))
CIGAR = re.compile(r"(?:[0-9]+[MIDNSHP=X])+")


def read_info(
    info: str, position: int | None, alts: Sequence[int], header: Header, tell: Teller
) -> dict[str, list[str]]:
    """The entries with their values, of a flag none; what is wrong with them is told."""
    entries: dict[str, list[str]] = {}
    if info == ".":
        return entries
    for part in info.split(";", PARTS_MAX):
        if not part:
            tell(rules.INFO, f"INFO has an empty entry: {quoted(info)}")
            continue
        key, equals, text = part.partition("=")
        if key in entries:
            tell(rules.INFO_REPEATED, f"INFO has {quoted(key)} twice")
            continue
        entries[key] = values_of(text) if equals else []
        _entry(key, text if equals else None, alts, header, tell)
    if "END" in entries and position is not None:
        _end(entries["END"], position, tell)
    return entries


def values_of(text: str) -> list[str]:
    """The values of an entry; what stands in quotes is one."""
    return [text] if len(text) > 1 and text[0] == text[-1] == '"' else text.split(",", PARTS_MAX)


def _entry(key: str, text: str | None, alts: Sequence[int], header: Header, tell: Teller) -> None:
    is_key = KEY_NAME.fullmatch(key) or key == "1000G" if header.minor >= 3 else key.strip()
    if not is_key or re.search(r"\s", key):
        tell(rules.INFO_KEY, f"INFO has the key {quoted(key)}")
        return
    known = header.info(key)
    if key not in header.infos:
        tell.once(rules.INFO_UNDECLARED, key, f"{quoted(key)} of INFO is not declared")
    if text is None:
        if known is not None and known.type not in ("Flag", "") and known.number != "0":
            tell(rules.INFO_VALUE_MISSING, f"INFO has {quoted(key)} without a value")
        return
    if known is not None and known.type == "Flag":
        rule = rules.FLAG_ZERO_OR_ONE if text in ("0", "1") else rules.FLAG_VALUE
        tell(rule, f"the flag {quoted(key)} has the value {quoted(text)}")
        return
    _text(key, text, header, tell)
    if not text:
        if header.minor < 5 or known is None or known.type != "String":
            tell(rules.INFO_VALUE_MISSING, f"INFO has {quoted(key)} with an empty value")
    elif known is not None:
        _values(key, known, values_of(text), alts, header, tell)


def _text(key: str, text: str, header: Header, tell: Teller) -> None:
    """What holds for a value of any type."""
    if len(text) > 1 and text[0] == text[-1] == '"' and ("," in text or "=" in text):
        tell(rules.INFO_QUOTED, f"the value of {quoted(key)} is {quoted(text)}")
    elif "=" in text:
        tell(rules.INFO_EQUALS, f"the value of {quoted(key)} has an equals sign: {quoted(text)}")
    if header.minor < 3:
        if re.search(r"\s", text):
            tell(rules.INFO_SPACE, f"the value of {quoted(key)} has white space: {quoted(text)}")
    elif "%" in text and PERCENT.search(text):
        tell(rules.PERCENT, f"the value of {quoted(key)} has a bare percent sign: {quoted(text)}")


def _values(
    key: str, known: Key, values: list[str], alts: Sequence[int], header: Header, tell: Teller
) -> None:
    # The specification leaves open whose ploidy G means where there is no sample.
    due = None if known.number == "G" else counts_due(known.number, alts, ())
    if due is not None and len(values) not in due and values != ["."]:
        said = f"{quoted(key)} has {len(values)} values, and {_numbers(due)} are due"
        tell(rules.INFO_NUMBER, said)
    if (value := wrong_type(known.type, values, header.minor)) is not None:
        tell(rules.INFO_TYPE, f"{quoted(key)} has {quoted(value)}, which is no {known.type}")
        return
    if known.type == "Integer":
        tell_integers(key, values, header, tell)
    if key in NOT_NEGATIVE and (bad := _first_negative(values)) is not None:
        tell(rules.INFO_NEGATIVE, f"{key} is {quoted(bad)}")
    if key == "CIGAR":
        for value in values:
            if value != "." and not CIGAR.fullmatch(value):
                tell(rules.CIGAR, f"CIGAR is {quoted(value)}")
    if key in SPANS_ZERO:
        tell_intervals(key, values, tell)


def _numbers(due: set[int]) -> str:
    return " or ".join(map(str, sorted(due)))


def _first_negative(values: list[str]) -> str | None:
    for value in values:
        if value.startswith("-") and (float_of(value) or 0) < 0:
            return value
    return None


def tell_integers(key: str, values: list[str], header: Header, tell: Teller) -> None:
    """Those that do not fit into 32 bits, or that BCF reserves."""
    beyond, reserved = out_of_range(values)
    if beyond is not None:
        tell(rules.INTEGER_RANGE, f"{quoted(key)} is {quoted(beyond)}")
    if reserved is not None and header.minor >= 3:
        tell(rules.INTEGER_RESERVED, f"{quoted(key)} is {quoted(reserved)}")


def tell_intervals(key: str, values: list[str], tell: Teller) -> None:
    """Those of successive pairs that do not reach from below 0 to above it."""
    for low, high in zip(values[::2], values[1::2], strict=False):
        below, above = float_of(low), float_of(high)
        if (below is not None and below > 0) or (above is not None and above < 0):
            tell(rules.INTERVAL, f"{key} is {quoted(f'{low},{high}')}")


def _end(values: list[str], position: int, tell: Teller) -> None:
    end = integer_of(values[0]) if len(values) == 1 else None
    if end is None or end >= position or end < 0:
        return
    rule = rules.END_EMPTY if end in (0, position - 1) else rules.END_BEFORE
    tell(rule, f"END is {end}, and POS {position}")
