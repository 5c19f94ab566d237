"""The containers and blocks of a CRAM file, each with its checksum, to the one that ends it.

Whoever decodes records skips blocks that it has no use for, and does not see that they are
damaged. This reads all of them, decodes none, and holds no more than a piece in memory.
"""

from __future__ import annotations

import struct
import zlib

from genoflow.processors.validation.port import Fault
from genoflow.processors.validation.source import Source

DEFINITION_BYTES = 26  # magic, version, id of the file
# Where the container without content stands that ends a file: "EOF" as a position.
EOF_POSITION = 0x454F46
VERSION = 3  # the first with checksums; 4 is a draft, and what wrote 2 is ten years old
BLOCK_HEADER_BYTES_MAX = 17  # method, type and three numbers of at most 5 bytes


class _Cursor:
    """Bytes one after another, with a running CRC-32 and the place."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._piece = memoryview(b"")
        self.at = 0
        self.crc = 0

    def at_end(self) -> bool:
        if not self._piece:
            self._piece = memoryview(self._source.piece())
        return not self._piece

    def take(self, size: int) -> bytes:
        """So many bytes, which are few."""
        taken = b""
        while len(taken) < size:
            if self.at_end():
                raise Fault("truncated", f"it ends in the middle, at byte {self.at}", self.at)
            part = bytes(self._piece[: size - len(taken)])
            self._moved(len(part))
            taken += part
        return taken

    def skip(self, size: int) -> None:
        """So many bytes, however many, for their checksum alone."""
        while size > 0:
            if self.at_end():
                raise Fault("truncated", f"it ends in the middle, at byte {self.at}", self.at)
            count = min(size, len(self._piece))
            self._moved(count)
            size -= count

    def number(self) -> int:
        """An ITF-8 integer: the leading ones of its first byte say how long it is."""
        first = self.take(1)[0]
        if first < 0x80:
            return first
        if first < 0xC0:
            return (first & 0x3F) << 8 | self.take(1)[0]
        if first < 0xE0:
            return (first & 0x1F) << 16 | int.from_bytes(self.take(2))
        if first < 0xF0:
            return (first & 0x0F) << 24 | int.from_bytes(self.take(3))
        rest = self.take(4)
        return (first & 0x0F) << 28 | int.from_bytes(rest[:3]) << 4 | rest[3] & 0x0F

    def long_number(self) -> None:
        """An LTF-8 integer, passed over."""
        first = self.take(1)[0]
        self.skip(8 - (first ^ 0xFF).bit_length())

    def check(self, what: str, begun_at: int) -> None:
        """The checksum that stands here is that of all since it was last set to 0."""
        found = self.crc
        (said,) = struct.unpack("<I", self.take(4))
        if said != found:
            raise Fault(
                "unreadable", f"its {what} at byte {begun_at} contradicts its checksum", begun_at
            )

    def _moved(self, count: int) -> None:
        self.crc = zlib.crc32(self._piece[:count], self.crc)
        self._piece = self._piece[count:]
        self.at += count


def walk_cram(source: Source) -> None:
    """Every container and every block to the end; Fault where one is cut or damaged."""
    cursor = _Cursor(source)
    definition = cursor.take(DEFINITION_BYTES)
    if definition[4] != VERSION:
        said = f"it is CRAM {definition[4]}.{definition[5]}, and CRAM {VERSION} is read"
        raise Fault("not this format", said, at_byte=4)
    ended = False
    while not cursor.at_end():
        ended = _container(cursor)
    if not ended:
        raise Fault("truncated", "the container that ends every CRAM file is missing", cursor.at)


def _container(cursor: _Cursor) -> bool:
    """Whether it is the one that ends a file."""
    begun_at, cursor.crc = cursor.at, 0
    (length,) = struct.unpack("<i", cursor.take(4))
    _sequence, position, _span, records = (cursor.number() for _ in range(4))
    cursor.long_number()
    cursor.long_number()
    blocks = cursor.number()
    for _ in range(cursor.number()):
        cursor.number()
    cursor.check("container", begun_at)
    end = cursor.at + length
    for _ in range(blocks):
        _block(cursor, end)
    if cursor.at > end:
        raise Fault("unreadable", f"its container at byte {begun_at} is too short", begun_at)
    cursor.skip(end - cursor.at)  # room that a writer left for a longer header
    return position == EOF_POSITION and records == 0


def _block(cursor: _Cursor, end: int) -> None:
    begun_at, cursor.crc = cursor.at, 0
    cursor.take(2)
    cursor.number()
    stored, _ = cursor.number(), cursor.number()
    if cursor.at + stored > end:
        raise Fault("unreadable", f"its block at byte {begun_at} is longer than what holds it")
    cursor.skip(stored)
    cursor.check("block", begun_at)
