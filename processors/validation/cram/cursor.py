"""Bytes of CRAM one after another, with the numbers that are written in them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from genoflow.processors.validation.cram.rules import TRUNCATED
from genoflow.processors.validation.findings import Broken, Where
from genoflow.processors.validation.source import Source

LITTLE = struct.Struct("<i")
PART_BYTES = 256 * 1024  # of a block at once: what is decompressed of it streams


def signed(number: int, bits: int = 32) -> int:
    """A number as its two's complement says it."""
    half = 1 << (bits - 1)
    return (number & (2 * half - 1) ^ half) - half


class Short(Exception):
    """What is looked at has fewer bytes than it says."""


class Fields:
    """The fields of something that is in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been taken."""
        return len(self._data) - self.at

    def take(self, size: int) -> bytes:
        """So many bytes; Short where there are fewer."""
        if size < 0 or size > self.left:
            raise Short(f"{size} bytes are needed at byte {self.at}, and {self.left} are left")
        self.at += size
        return self._data[self.at - size : self.at]

    def part(self, size: int) -> Fields:
        """So many bytes as fields of their own; Short where there are fewer."""
        return Fields(self.take(size))

    def number(self) -> int:
        """An ITF-8 integer of 32 bits, with its sign."""
        return read_itf8(self)

    def long_number(self) -> int:
        """An LTF-8 integer of 64 bits, with its sign."""
        return read_ltf8(self)


class Cursor:
    """The bytes of a file, with a running CRC-32 and the place; Broken where it ends too soon."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._piece = memoryview(b"")
        self.copy: Callable[[bytes], object] | None = None  # is given all that is taken
        self.at = 0
        self.crc = 0

    def at_end(self) -> bool:
        """Whether no byte is left."""
        if not self._piece:
            self._piece = memoryview(self._source.piece())
        return not self._piece

    def peek(self, size: int) -> bytes:
        """The next bytes without taking them; fewer only where the file ends."""
        held = bytes(self._piece)
        while len(held) < size and (more := self._source.piece()):
            held += more
        self._piece = memoryview(held)
        return held[:size]

    def take(self, size: int) -> bytes:
        """So many bytes, which are few."""
        if size <= len(self._piece):
            return self._moved(size)
        return b"".join(self.parts(size))

    def parts(self, size: int) -> Iterator[bytes]:
        """So many bytes, however many, as they come."""
        while size > 0:
            if self.at_end():
                raise Broken(TRUNCATED, "it ends in the middle", Where(byte=self.at))
            part = self._moved(min(size, len(self._piece), PART_BYTES))
            size -= len(part)
            yield part

    def skip(self, size: int) -> None:
        """So many bytes, for their checksum alone."""
        for _ in self.parts(size):
            pass

    def number(self) -> int:
        """An ITF-8 integer of 32 bits, with its sign."""
        return read_itf8(self)

    def long_number(self) -> int:
        """An LTF-8 integer of 64 bits, with its sign."""
        return read_ltf8(self)

    def _moved(self, count: int) -> bytes:
        part = bytes(self._piece[:count])
        self.crc = zlib.crc32(part, self.crc)
        if self.copy is not None:
            self.copy(part)
        self._piece = self._piece[count:]
        self.at += count
        return part


def read_itf8(of: Fields | Cursor) -> int:
    """The leading ones of the first byte say how many follow; of a fifth four bits count."""
    first = of.take(1)[0]
    if first < 0x80:
        return first
    if first < 0xC0:
        return (first & 0x3F) << 8 | of.take(1)[0]
    if first < 0xE0:
        return (first & 0x1F) << 16 | int.from_bytes(of.take(2))
    if first < 0xF0:
        return (first & 0x0F) << 24 | int.from_bytes(of.take(3))
    rest = of.take(4)
    return signed((first & 0x0F) << 28 | int.from_bytes(rest[:3]) << 4 | rest[3] & 0x0F)


def read_ltf8(of: Fields | Cursor) -> int:
    """The leading ones of the first byte say how many follow, up to eight."""
    first = of.take(1)[0]
    count = 8 - (first ^ 0xFF).bit_length()
    rest = int.from_bytes(of.take(count))
    kept = first & (0x7F >> count) if count < 7 else 0
    return signed(kept << (8 * count) | rest, 64)
