"""The standard tags of one record, against each other and against its fields."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable

from genoflow.processors.validation.sam import rules_tags as rules
from genoflow.processors.validation.sam.header import quoted
from genoflow.processors.validation.sam.modified import check_modified
from genoflow.processors.validation.sam.record import (
    ALIGNED,
    DELETED,
    DIFFERENT,
    INSERTED,
    Judge,
    Record,
    Tag,
)

_WHOLE = (
    b"AM AS CM CP FI H0 H1 H2 HI IH MN MQ NH NM OP PQ SM TC UQ",
    b"BC BQ BZ CB CC CO CQ CR CS CT CY E2 FS LB MC MD MI MM OA OC OQ OX PG PT PU Q2 QT QX R2 RG RX"
    b" SA U2",
)
TYPES: dict[bytes, str] = {
    **dict.fromkeys(_WHOLE[0].split(), "i"),
    **dict.fromkeys(_WHOLE[1].split(), "Z"),
    b"TS": "A",
    b"CG": "BI",
    b"FZ": "BS",
    b"ML": "BC",
}
# Files that the specification's own authors publish as valid have these with other types.
OLD = frozenset({b"BC", b"H0", b"H1", b"H2"})

# Possessive: nothing is kept for going back, however long a value is.
_NAME = rb"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*+"
_CIGAR = rb"(?:\*|(?:[0-9]++[MIDNSHP=X])++)"
_ALIGNMENT = _NAME + rb",[0-9]+,[+-]," + _CIGAR + rb",[0-9]+,"
_ATTRIBUTES = rb"[^;=|]++(?:;[^;=|]++(?:=[^;|]*+)?+)*+"
_PART = rb"[0-9]+;[0-9]+;[-+.?];" + _ATTRIBUTES
FORMS: dict[bytes, re.Pattern[bytes]] = {
    b"SA": re.compile(rb"(?:" + _ALIGNMENT + rb"[0-9]++;)++"),
    b"OA": re.compile(rb"(?:" + _ALIGNMENT + rb"[0-9]*+;)++"),
    b"MC": re.compile(_CIGAR),
    b"OC": re.compile(_CIGAR),
    b"TS": re.compile(rb"[+-]"),
    b"CT": re.compile(rb"[-+.?];" + _ATTRIBUTES),
    b"PT": re.compile(_PART + rb"(?:\|" + _PART + rb")*+"),
}
PART = re.compile(rb"(?:^|\|)([0-9]{1,18});([0-9]{1,18});")
PADDED = (0, 1, 2, 4, 6, 7, 8)  # MIDSP=X
MD = re.compile(rb"[0-9]++(?:(?:[A-Z]|\^[A-Z]++)[0-9]++)*+")
MD_PART = re.compile(rb"([0-9]+)|\^([A-Z]+)|([A-Z])")
MD_DIGITS_MAX = 18  # of a run: no sequence is longer
LIKE_SEQ = (b"BQ", b"E2", b"U2")
LIKE = ((b"CQ", b"CS"), (b"CY", b"CR"), (b"QX", b"RX"))
CERTAIN = b"ACGT"


def check_tags(record: Record, judge: Judge, *, as_text: bool) -> None:
    """Add what is wrong with the standard tags; those of the wrong type are not looked into."""
    if not record.tags:
        return
    tags = {tag: one for tag, one in record.tags.items() if _is_standard(tag, one, judge)}
    for name, form in FORMS.items():
        if name in tags and not form.fullmatch(_text(tags[name])):
            said = f"{name.decode()} is {quoted(_text(tags[name]))}"
            judge.add(rules.CONTENT, said)
    if b"PT" in tags and record.cigar:
        _parts(_text(tags[b"PT"]), record, judge)
    for name, check in CHECKS.items():
        if name in tags:
            check(_text(tags[name]), judge)
    _lengths(record, tags, judge)
    _differences(record, tags, judge)
    check_modified(record, tags, judge)
    if as_text and b"CG" in tags:
        judge.add(rules.CG, "it has the tag CG")


def _parts(text: bytes, record: Record, judge: Judge) -> None:
    """Whether the parts that are annotated lie within the read and its pads."""
    most = sum(packed >> 4 for packed in record.cigar if packed & 15 in PADDED)
    for part in PART.finditer(text):
        start, end = int(part[1]), int(part[2])
        if not 1 <= start <= end <= most:
            said = f"PT speaks of {start} to {end}, and the read with its pads has {most}"
            judge.add(rules.CONTENT, said)
            return


def _is_standard(name: bytes, tag: Tag, judge: Judge) -> bool:
    asked = TYPES.get(name)
    if asked is None:
        return False
    kind = tag.type + (tag.value[0] if isinstance(tag.value, tuple) else "")
    if kind == asked:
        return True
    rule = rules.STANDARD_OLD if name in OLD else rules.STANDARD
    judge.add(rule, f"{name.decode()} has the type {kind}, and not {asked}")
    return False


def _text(tag: Tag) -> bytes:
    return tag.value if isinstance(tag.value, bytes) else b""


def _of_group(tag: bytes, name: bytes) -> Callable[[bytes, Judge], None]:
    def check(value: bytes, judge: Judge) -> None:
        groups = judge.header.groups
        if not groups:
            if tag == b"RG":
                said = f"RG is {quoted(value)}, and there is no @RG"
                judge.add(rules.GROUP_UNDECLARED, said)
            return
        known = value in groups if tag == b"RG" else value in judge.header.named(tag)
        if not known:
            said = f"{tag.decode()} is {quoted(value)}, which no @RG has as {name.decode()}"
            judge.add(rules.GROUP, said)

    return check


def _program(value: bytes, judge: Judge) -> None:
    programs = judge.header.programs
    if not programs:
        judge.add(rules.GROUP_UNDECLARED, f"PG is {quoted(value)}, and there is no @PG")
    elif value not in programs:
        judge.add(rules.GROUP, f"PG is {quoted(value)}, which no @PG has as ID")


CHECKS: dict[bytes, Callable[[bytes, Judge], None]] = {
    b"RG": _of_group(b"RG", b"ID"),
    b"LB": _of_group(b"LB", b"LB"),
    b"PU": _of_group(b"PU", b"PU"),
    b"PG": _program,
}


def _lengths(record: Record, tags: dict[bytes, Tag], judge: Judge) -> None:
    for name in LIKE_SEQ:
        if record.seq and name in tags and len(_text(tags[name])) != len(record.seq):
            said = f"{name.decode()} has {len(_text(tags[name]))} characters"
            judge.add(rules.LENGTHS, f"{said}, and SEQ has {len(record.seq)}")
    for name, other in LIKE:
        if name in tags and other in tags:
            sizes = len(_text(tags[name])), len(_text(tags[other]))
            if sizes[0] != sizes[1]:
                said = f"{name.decode()} has {sizes[0]} characters, and {other.decode()} {sizes[1]}"
                judge.add(rules.LENGTHS, said)


def _differences(record: Record, tags: dict[bytes, Tag], judge: Judge) -> None:
    """MD against CIGAR and SEQ, and NM against both."""
    mismatches: int | None = None
    if b"MD" in tags:
        text = _text(tags[b"MD"])
        if not MD.fullmatch(text):
            judge.add(rules.MD, f"MD is {quoted(text)}")
        elif record.cigar:
            mismatches = _mismatches(text, record, judge)
    if b"NM" not in tags or not record.cigar:
        return
    edits = sum(packed >> 4 for packed in record.cigar if packed & 15 in (INSERTED, DELETED))
    declared = tags[b"NM"].value
    if mismatches is not None:
        if declared != edits + mismatches:
            judge.add(rules.NM, f"NM is {declared!r}, and MD and CIGAR say {edits + mismatches}")
        return
    least = edits + sum(packed >> 4 for packed in record.cigar if packed & 15 == DIFFERENT)
    if isinstance(declared, int) and declared < least:
        judge.add(rules.NM, f"NM is {declared}, and CIGAR alone says {least}")


def _mismatches(text: bytes, record: Record, judge: Judge) -> int | None:
    """How many bases MD says are mismatches; None where it does not fit CIGAR."""
    aligned = sum(packed >> 4 for packed in record.cigar if ALIGNED[packed & 15])
    deleted = sum(packed >> 4 for packed in record.cigar if packed & 15 == DELETED)
    places, letters = array("q"), bytearray()
    count = gone = 0
    for part in MD_PART.finditer(text):
        if part[1] is not None:
            count += int(part[1]) if len(part[1]) <= MD_DIGITS_MAX else aligned + 1
        elif part[2] is not None:
            gone += len(part[2])
        else:
            places.append(count)
            letters += part[3]
            count += 1
        if count > aligned or gone > deleted:
            break
    if (count, gone) != (aligned, deleted):
        more = " or more" if count > aligned or gone > deleted else ""
        said = f"MD speaks of {count} aligned and {gone} deleted bases{more}"
        judge.add(rules.MD_LENGTH, f"{said}, and CIGAR of {aligned} and {deleted}")
        return None
    if places and record.query_bases == len(record.seq):
        _named(places, letters, record, judge)
    return len(places)


def _named(places: array[int], letters: bytearray, record: Record, judge: Judge) -> None:
    """Whether the bases that MD names differ from those of SEQ at the same places."""
    query = aligned = 0
    named = zip(places, letters, strict=True)
    place = next(named, None)
    for packed in record.cigar:
        code, size = packed & 15, packed >> 4
        if ALIGNED[code]:
            while place is not None and place[0] < aligned + size:
                base = record.seq[query + place[0] - aligned]
                if base == place[1] and base in CERTAIN:
                    judge.add(rules.MD_BASE, f"MD names {chr(base)}, which SEQ has there, too")
                    return
                place = next(named, None)
            aligned += size
        if ALIGNED[code] or code in (INSERTED, 4):
            query += size
