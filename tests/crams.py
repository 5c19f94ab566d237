"""CRAM files taken apart, changed and put together again, with checksums that agree."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from genoflow.processors.validation.cram import blocks, containers, slices
from genoflow.processors.validation.cram.cursor import Cursor, Fields
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.source import Source


def itf8(number: int) -> bytes:
    """An integer of 32 bits as CRAM writes it."""
    number &= 0xFFFFFFFF
    if number < 0x80:
        return bytes([number])
    if number < 0x4000:
        return (number | 0x8000).to_bytes(2)
    if number < 0x200000:
        return (number | 0xC00000).to_bytes(3)
    if number < 0x10000000:
        return (number | 0xE0000000).to_bytes(4)
    return (
        bytes([0xF0 | number >> 28]) + (number >> 4 & 0xFFFFFF).to_bytes(3) + bytes([number & 15])
    )


@dataclass
class Part:
    """A block, with its data as they are stored."""

    method: int
    kind: int
    content_id: int
    data: bytes
    raw: int | None = None  # where it says another size than it has
    stored: int | None = None

    def written(self, version: tuple[int, int]) -> bytes:
        """With its checksum, where the version has them."""
        stored = len(self.data) if self.stored is None else self.stored
        raw = len(self.data) if self.raw is None else self.raw
        head = bytes([self.method, self.kind]) + itf8(self.content_id) + itf8(stored) + itf8(raw)
        return summed(head + self.data, version)


@dataclass
class Made:
    """A container; what is None is computed."""

    reference: int
    start: int
    span: int
    records: int
    counter: int
    bases: int
    parts: list[Part] = field(default_factory=list)
    landmarks: tuple[int, ...] | None = None
    count: int | None = None
    length: int | None = None
    spare: bytes = b""

    def written(self, version: tuple[int, int]) -> bytes:
        """With its checksum, where the version has them."""
        body, starts = b"", []
        for part in self.parts:
            if part.kind == blocks.SLICE_HEADER:
                starts.append(len(body))
            body += part.written(version)
        body += self.spare
        marks = tuple(starts) if self.landmarks is None else self.landmarks
        count = len(self.parts) if self.count is None else self.count
        length = len(body) if self.length is None else self.length
        numbers = (self.reference, self.start, self.span, self.records, self.counter, self.bases)
        head = struct.pack("<i", length) + b"".join(itf8(number) for number in numbers)
        head += itf8(count) + itf8(len(marks)) + b"".join(itf8(mark) for mark in marks)
        return summed(head, version) + body


@dataclass
class Cram:
    """A file: its definition, its header's container, and others to the end."""

    definition: bytes
    made: list[Made]

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor."""
        return self.definition[4], self.definition[5]

    def written(self) -> bytes:
        """All of it."""
        return self.definition + b"".join(one.written(self.version) for one in self.made)

    @property
    def data(self) -> Made:
        """The first container of data."""
        return self.made[1]

    @property
    def slice(self) -> slices.Slice:
        """The header of its first slice."""
        return slices.read_slice(self.data.parts[1].data, self.version, 0)

    def change_slice(self, tail: bytes = b"", **changes: object) -> None:
        """Write the header of its first slice with these fields changed."""
        self.data.parts[1].data = slice_bytes(replace(self.slice, **changes), tail)  # type: ignore[arg-type]

    def change_maps(self, change: Callable[[Maps], None]) -> None:
        """Write its compression header after this function had it."""
        maps = read_maps(self.data.parts[0].data)
        change(maps)
        self.data.parts[0].data = maps.written()


def summed(data: bytes, version: tuple[int, int]) -> bytes:
    """With its CRC-32, from version 3.0 on."""
    return data + struct.pack("<I", zlib.crc32(data)) if version >= (3, 0) else data


def taken_apart(data: bytes) -> Cram:
    """A sound file."""
    cursor = Cursor(Source([data]))
    made: list[Made] = []
    definition = cursor.take(26)
    version = (definition[4], definition[5])
    while not cursor.at_end():
        found = containers.read_container(cursor, version)
        end, parts = cursor.at + found.length, []
        for _ in range(found.blocks):
            block = blocks.read_block_header(cursor, end, version, Findings())
            stored = cursor.take(block.stored)
            raw = block.raw if block.raw != block.stored else None
            parts.append(Part(block.method, block.kind, block.content_id, stored, raw))
            cursor.take(4 if version >= (3, 0) else 0)
        spare = cursor.take(end - cursor.at)
        marks = found.landmarks if not made else None
        numbers = (found.reference, found.start, found.span, found.records, found.counter)
        made.append(Made(*numbers, found.bases, parts, marks, spare=spare))
    return Cram(definition, made)


def slice_bytes(found: slices.Slice, tail: bytes = b"") -> bytes:
    """The header of a slice as it stands in its block."""
    numbers = (found.reference, found.start, found.span, found.records, found.counter, found.blocks)
    ids = (len(found.content_ids), *found.content_ids, found.embedded)
    return b"".join(itf8(number) for number in (*numbers, *ids)) + found.md5 + found.tags + tail


@dataclass
class Maps:
    """A compression header: keys and values as they stand there."""

    preservation: list[tuple[bytes, bytes]]
    series: list[tuple[bytes, bytes]]
    tags: list[tuple[bytes, bytes]]
    more: int = 0  # how many entries more the data series map says than it has

    def set(self, key: bytes, value: bytes) -> None:
        """A data series with this encoding, in place of the one that was there."""
        self.series = [pair for pair in self.series if pair[0] != key] + [(key, value)]

    def keep(self, key: bytes, value: bytes) -> None:
        """A preserved value, in place of the one that was there."""
        self.preservation = [pair for pair in self.preservation if pair[0] != key]
        self.preservation.append((key, value))

    def written(self) -> bytes:
        """All three, with their sizes."""
        data = b""
        for pairs, more in ((self.preservation, 0), (self.series, self.more), (self.tags, 0)):
            body = itf8(len(pairs) + more) + b"".join(key + value for key, value in pairs)
            data += itf8(len(body)) + body
        return data


def read_maps(data: bytes) -> Maps:
    """Of a sound compression header."""
    fields = Fields(data)
    first = fields.part(fields.number())
    preservation = []
    for _ in range(first.number()):
        key = first.take(2)
        if key == b"TD":
            size = first.number()
            preservation.append((key, itf8(size) + first.take(size)))
        else:
            preservation.append((key, first.take(5 if key == b"SM" else 1)))
    found: list[list[tuple[bytes, bytes]]] = []
    for of_tags in (False, True):
        part, pairs = fields.part(fields.number()), []
        for _ in range(part.number()):
            key = itf8(part.number()) if of_tags else part.take(2)
            codec, size = part.number(), part.number()
            pairs.append((key, itf8(codec) + itf8(size) + part.take(size)))
        found.append(pairs)
    return Maps(preservation, found[0], found[1])
