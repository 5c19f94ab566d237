"""The content of an index as it comes: numbers and arrays of them, in bounded memory."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator

from genoflow.processors.validation.findings import Broken, Where
from genoflow.processors.validation.indexes.rules import TRUNCATED
from genoflow.processors.validation.inflate import Block

PART_NUMBERS = 8_192  # of an array at once


class Stream:
    """Little-endian numbers one after another; Broken where it ends within one."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._text = memoryview(b"")
        self.where = Where(byte=0)  # as stored: the block of what was taken last

    def left(self, size: int) -> int:
        """How many bytes are there, of so many that are asked about."""
        held = len(self._text)
        while held < size and (more := next(self._blocks, None)) is not None:
            self._text = memoryview(bytes(self._text) + more.text)
            self.where = Where(byte=more.stored_at)
            held = len(self._text)
        return min(held, size)

    def take(self, size: int) -> bytes:
        """So many bytes, which are few."""
        if self.left(size) < size:
            raise Broken(TRUNCATED, "it ends before all that it says was there", self.where)
        taken, self._text = bytes(self._text[:size]), self._text[size:]
        return taken

    def integer(self) -> int:
        """Of 32 bits, with its sign."""
        return int(struct.unpack("<i", self.take(4))[0])

    def longs(self, count: int) -> Iterator[array[int]]:
        """So many of 64 bits without a sign, in parts with an even number of them."""
        while count > 0:
            part = array("Q")
            part.frombytes(self.take(8 * min(count, PART_NUMBERS)))
            count -= len(part)
            yield part
