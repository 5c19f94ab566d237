"""Where and when an imported record was first recorded: two headers, put last, taken off again.

gf_recorded_at   milliseconds since 1970, UTC, as decimal digits
gf_position      topic[partition]@offset
"""

from __future__ import annotations

import re
from typing import NamedTuple

from genoflow.events.codec import Headers
from genoflow.events.log.container import LogRecord
from genoflow.events.log.recorded import (
    HEADER_POSITION,
    HEADER_RECORDED_AT,
    Position,
    Raw,
    Recorded,
)

_POSITION = re.compile(r"([A-Za-z0-9._-]{1,249})\[([0-9]{1,9})\]@([0-9]{1,18})")
_MILLISECONDS = re.compile(rb"[0-9]{1,15}")
NOW = 0  # a record that is appended with this time gets the log's own


class Origin(NamedTuple):
    """The first place and time of a record."""

    recorded_at_ms: int
    position: Position


def parse_position(text: str) -> Position | None:
    """The position that is written here, or None where there is none."""
    found = _POSITION.fullmatch(text)
    return Position(found[1], int(found[2]), int(found[3])) if found else None


def origin_in(headers: Headers) -> Origin | None:
    """The origin that an import left in these headers, or None."""
    if [name for name, _ in headers[-2:]] != [HEADER_RECORDED_AT, HEADER_POSITION]:
        return None
    time, place = headers[-2][1] or b"", headers[-1][1] or b""
    position = parse_position(place.decode("ascii", "replace"))
    if position is None or not _MILLISECONDS.fullmatch(time):
        return None
    return Origin(int(time), position)


def origin_of(record: Recorded | LogRecord) -> Origin:
    """Where a record was first recorded: before its import, else where it stands."""
    found = origin_in(record.headers)
    if found is not None:
        return found
    time = record.timestamp_ms if isinstance(record, Recorded) else record.recorded_at_ms
    return Origin(time, record.position)


def original(record: LogRecord) -> LogRecord:
    """The record as it was before its import; a record of this log as it is."""
    found = origin_in(record.headers)
    if found is None:
        return record
    return LogRecord(
        *found.position, found.recorded_at_ms, record.key, record.value, record.headers[:-2]
    )


def imported(record: LogRecord) -> Raw:
    """The bytes to append to another log, with the origin beside them."""
    headers = (
        *record.headers,
        (HEADER_RECORDED_AT, str(record.recorded_at_ms).encode()),
        (HEADER_POSITION, str(record.position).encode()),
    )
    return Raw(record.key, record.value, headers, NOW)
