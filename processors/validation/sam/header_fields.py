"""The values of header fields that are looked at by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time

from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import rules_header as rules

PLATFORMS = frozenset({
    b"CAPILLARY", b"DNBSEQ", b"ELEMENT", b"HELICOS", b"ILLUMINA", b"IONTORRENT", b"LS454", b"ONT",
    b"PACBIO", b"SINGULAR", b"SOLID", b"ULTIMA",
})  # fmt: skip
MD5 = re.compile(rb"[0-9a-f]{32}")
WHOLE = re.compile(rb"-?[0-9]+")
FLOWS = re.compile(rb"\*|[ACMGRSVTWYHKDBN]+")
BASES = re.compile(rb"[ACMGRSVTWYHKDBNacmgrsvtwyhkdbn]+")
BARCODE = re.compile(rb"[ACMGRSVTWYHKDBNacmgrsvtwyhkdbn]+(?:-[ACMGRSVTWYHKDBNacmgrsvtwyhkdbn]++)*+")
# ISO 8601: a calendar date, extended or basic, and a time with or without its zone.
DATE = re.compile(r"(\d{4})-?(\d{2})(?:-?(\d{2}))?")
CLOCK = re.compile(
    r"(\d{2})(?::?(\d{2})(?::?(\d{2}))?)?(?:[.,]\d+)?(?:Z|[+-](\d{2})(?::?(\d{2}))?)?"
)
WEEK_OR_DAY = re.compile(r"\d{4}-?(?:W[0-5]\d(?:-?[1-7])?|[0-3]\d\d)")

Check = Callable[[bytes], Rule | None]


def is_date(value: bytes) -> bool:
    """Whether it is a date, or a date and a time, as ISO 8601 writes them."""
    day, mark, clock = value.decode("ascii", "replace").strip(" ").partition("T")
    found_day = bool(WEEK_OR_DAY.fullmatch(day)) or _is_day(day)
    return found_day and (not mark or _is_clock(clock))


def _is_day(text: str) -> bool:
    found = DATE.fullmatch(text)
    if found is None:
        return False
    try:
        date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        return False
    return True


def _is_clock(text: str) -> bool:
    found = CLOCK.fullmatch(text)
    if found is None:
        return False
    hour, minute, second = (int(found[n] or 0) for n in (1, 2, 3))
    try:  # ISO 8601 has leap seconds and the end of a day at 24:00
        time(hour % 24 if minute == second == 0 and hour == 24 else hour, minute, min(second, 59))
    except ValueError:
        return False
    return second <= 60 and int(found[4] or 0) < 24 and int(found[5] or 0) < 60


def _platform(value: bytes) -> Rule | None:
    if value in PLATFORMS:
        return None
    return rules.RG_PLATFORM_CASE if value.upper() in PLATFORMS else rules.RG_PLATFORM


def _match(pattern: re.Pattern[bytes], rule: Rule) -> Check:
    return lambda value: None if pattern.fullmatch(value) else rule


CHECKS: dict[bytes, dict[bytes, Check]] = {
    b"SQ": {
        b"M5": _match(MD5, rules.SQ_MD5),
        b"TP": _match(re.compile(rb"linear|circular"), rules.SQ_TOPOLOGY),
    },
    b"RG": {
        b"DT": lambda value: None if is_date(value) else rules.RG_DATE,
        b"PL": _platform,
        b"PI": _match(WHOLE, rules.RG_INSERT),
        b"FO": _match(FLOWS, rules.RG_FLOW),
        b"KS": _match(BASES, rules.RG_KEY),
        b"BC": _match(BARCODE, rules.RG_BARCODE),
    },
}
