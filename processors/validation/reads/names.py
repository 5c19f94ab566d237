"""Where reads come from, as their names say it in Illumina's way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.reads import rules
from genoflow.processors.validation.rules import Rule

# @instrument:run:flow cell:lane:tile:x:y, and since 2019 a molecular barcode behind it.
NEW = re.compile(rb"@([^:\s]+):[^:\s]*:([^:\s]+):(\d{1,9}):\d+:\d+:\d+(?::[^:\s]*)?(?=[\s/#]|$)")
# @instrument:lane:tile:x:y, before 2010.
OLD = re.compile(rb"@([^:\s]+):(\d{1,9}):\d+:\d+:\d+(?=[\s/#]|$)")
MATE = re.compile(rb"@\S*\s([12]):[YN]:\d+:|@\S*/([12])(?:\s|$)")
OTHER = {"R1": "2", "R2": "1"}
ANY = b"@"  # the beginning of every name


class Origin(NamedTuple):
    """What a name says, and the beginning that it shares with all names that say the same."""

    prefix: bytes
    instrument: str | None = None
    flow_cell: str | None = None
    lane: int | None = None


def origin_of(title: bytes) -> Origin:
    """What the line of a name says; a prefix that all names have where it is not Illumina's."""
    if found := NEW.match(title):
        instrument, flow_cell = found[1].decode("latin-1"), found[2].decode("latin-1")
        return Origin(title[: found.end(3) + 1], instrument, flow_cell, int(found[3]))
    if found := OLD.match(title):
        return Origin(title[: found.end(2) + 1], found[1].decode("latin-1"), None, int(found[2]))
    return Origin(ANY)


def contradictions(title: bytes, origin: Origin, expected: Expected) -> Iterator[tuple[Rule, str]]:
    """What the name says against what was registered; where one of them is silent, nothing."""
    pairs = (
        (rules.INSTRUMENT, "instrument", origin.instrument, expected.instrument),
        (rules.FLOW_CELL, "flow cell", origin.flow_cell, expected.flow_cell),
        (rules.LANE, "lane", origin.lane, expected.lane),
    )
    for rule, what, found, due in pairs:
        if None not in (found, due) and found != due:
            yield rule, f"its reads are of {what} {found}, and {what} {due} is due"
    mate = MATE.match(title)
    other = OTHER.get(expected.role)
    if mate is not None and (mate[1] or mate[2]).decode() == other:
        yield rules.MATE, f"its reads are those of mate {other}, and its role {expected.role}"
