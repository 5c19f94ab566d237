"""A position vector as a short word: what a reader hands back to go on where it was."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.events.topics import TOPICS

EDITION = 1  # the first byte: another one where the topics, or their order, become others
WORD_CHARACTERS_MAX = 8_192  # 9 topics of 64 partitions with offsets of 10 bytes, in base64
PARTITIONS_MAX = 64
OFFSET_MAX = 2**63 - 1  # of Kafka, and of a column that is compared with it


def to_word(vector: Vector) -> str:
    """The vector as text for headers and addresses; the same vector is the same word."""
    number = 1 + max((partition for _, partition in vector), default=0)
    values = [number]
    for topic in TOPICS:
        values += [vector.get((topic.name, partition), 0) for partition in range(number)]
    while len(values) > 1 and values[-1] == 0:
        values.pop()
    packed = bytes([EDITION]) + b"".join(map(_varint, values))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_word(word: str) -> Vector:
    """The vector of such a word; Refused where it is none of ours."""
    try:
        number, offsets = _parts(word)
    except (ValueError, IndexError, binascii.Error) as error:
        raise Refused(
            f"position {word[:40]!r}: is none that was given out here ({error}); hand back a "
            f"position as it came, or leave it out"
        ) from error
    return {
        (TOPICS[place // number].name, place % number): offset
        for place, offset in enumerate(offsets)
        if offset
    }


def _parts(word: str) -> tuple[int, list[int]]:
    if len(word) > WORD_CHARACTERS_MAX:
        raise ValueError("it is too long")
    packed = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    if packed[:1] != bytes([EDITION]):
        raise ValueError("it begins otherwise")
    number, *offsets = _numbers(packed[1:])
    if not 1 <= number <= PARTITIONS_MAX or len(offsets) > number * len(TOPICS):
        raise ValueError("it counts other partitions")
    if max(offsets, default=0) > OFFSET_MAX:
        raise ValueError("a log is never that long")
    return number, offsets


def covers(vector: Vector, other: Vector) -> bool:
    """Whether a reader at this vector has seen all that one at the other has."""
    return all(vector.get(place, 0) >= offset for place, offset in other.items())


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _numbers(packed: Sequence[int]) -> Iterator[int]:
    value = shift = 0
    for byte in packed:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield value
            value = shift = 0
        elif shift > 63:
            raise ValueError("a number in it has no end")
    if shift:
        raise ValueError("it is cut short")
