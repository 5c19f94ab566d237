"""One field of a row in COPY's binary format: the bytes that Postgres keeps of a value.

The JSON is that of our models (`model_dump_json`): an id is its text, a moment ISO 8601, a decimal
its text, bytes are base64 in the alphabet for addresses.
"""

from __future__ import annotations

import json
import math
import re
import struct
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from genoflow.native.program import Node

DOUBLE = struct.Struct("<d")
NETWORK_DOUBLE = struct.Struct(">d")
JSONB_VERSION = b"\x01"
ID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
OUR_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Avro counts microseconds from 1970, Postgres from 2000: 10,957 days of 86,400 seconds.
POSTGRES_EPOCH_MICROSECONDS = 10_957 * 86_400 * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
# The years 1 to 9999 are what a datetime has, and Postgres has them all.
DAYS = range(-719_162, 2_932_897)
MOMENTS = range(DAYS.start * 86_400 * 10**6, DAYS.stop * 86_400 * 10**6)
NOT_OUR_YEARS = "is outside of the years 1 to 9999"

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension of the header
END = b"\xff\xff"


class Broken(Exception):
    """What cannot be read or kept, at which byte and which place."""

    def __init__(self, at: int, place: str, fact: str) -> None:
        super().__init__(f"byte {at}: {place or 'the event'} {fact}")
        self.at, self.place, self.fact = at, place, fact


def copy_stream(bodies: Iterable[bytes]) -> bytes:
    """The rows of these bodies as one stream for COPY … WITH (FORMAT binary)."""
    return b"".join((SIGNATURE, *bodies, END))


def field(copy: str, node: Node, begin: int, value: Any) -> bytes:
    """The bytes of a value that is not null."""
    return _FIELDS[copy](node, begin, value)


def _without_nul(node: Node, begin: int, text: str) -> str:
    if "\0" in text:
        raise Broken(begin, node.place, "holds U+0000, which Postgres cannot keep")
    return text


def _text(node: Node, begin: int, value: str) -> bytes:
    return _without_nul(node, begin, value).encode()


def _int(node: Node, begin: int, value: int) -> bytes:
    if not -(2**31) <= value < 2**31:
        raise Broken(begin, node.place, "is a number of more than 32 bits")
    return value.to_bytes(4, "big", signed=True)


def _timestamptz(node: Node, begin: int, value: int) -> bytes:
    if value not in MOMENTS:
        raise Broken(begin, node.place, NOT_OUR_YEARS)
    return (value - POSTGRES_EPOCH_MICROSECONDS).to_bytes(8, "big", signed=True)


def _uuid(node: Node, begin: int, value: str) -> bytes:
    if not ID.fullmatch(value):
        raise Broken(begin, node.place, "is no id")
    return bytes.fromhex(value.replace("-", ""))


def _jsonb(node: Node, begin: int, value: Any) -> bytes:
    return _json(_plain(node, begin, value))


def _jsonb_rest(node: Node, begin: int, value: Any) -> bytes:
    record = node.parts[0] if node.kind == "nullable" else node
    return _json({part.name: _plain(part, begin, value[part.name]) for part in record.parts[1:]})


def _json(plain: Any) -> bytes:
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return JSONB_VERSION + text.encode()


_FIELDS: dict[str, Callable[[Node, int, Any], bytes]] = {
    "text": _text,
    "bigint": lambda _node, _begin, value: value.to_bytes(8, "big", signed=True),
    "int": _int,
    "double precision": lambda _node, _begin, value: NETWORK_DOUBLE.pack(value),
    "boolean": lambda _node, _begin, value: b"\x01" if value else b"\x00",
    "timestamptz": _timestamptz,
    "uuid": _uuid,
    "jsonb": _jsonb,
    "jsonb rest": _jsonb_rest,
}


def _plain(node: Node, begin: int, value: Any) -> Any:
    """A value as JSON has it."""
    made = None if value is None else _JSON.get(node.kind)
    return made(node, begin, value) if made else value


def _finite(node: Node, begin: int, value: float) -> float:
    if not math.isfinite(value):
        raise Broken(begin, node.place, "is not finite, and JSON has no such number")
    return value


def _id(node: Node, begin: int, value: str) -> str:
    if not OUR_ID.fullmatch(value):
        raise Broken(begin, node.place, "is no id in small letters")
    return value


def _moment(node: Node, begin: int, value: int) -> str:
    if value not in MOMENTS:
        raise Broken(begin, node.place, NOT_OUR_YEARS)
    return (EPOCH + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")


def _date(node: Node, begin: int, value: int) -> str:
    if value not in DAYS:
        raise Broken(begin, node.place, NOT_OUR_YEARS)
    return date.fromordinal(EPOCH_DAY + value).isoformat()


# Kinds that are not here stand in JSON as they are.
_JSON: dict[str, Callable[[Node, int, Any], Any]] = {
    "nullable": lambda node, begin, value: _plain(node.parts[0], begin, value),
    "record": lambda node, begin, value: {
        part.name: _plain(part, begin, value[part.name]) for part in node.parts
    },
    "array": lambda node, begin, value: [_plain(node.parts[0], begin, one) for one in value],
    "string": _without_nul,
    "uuid": _id,
    "double": _finite,
    "moment": _moment,
    "date": _date,
    "bytes": lambda _node, _begin, value: urlsafe_b64encode(value).decode(),
}
