"""The header of a slice, held against its container and its blocks."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from genoflow.processors.validation.cram.containers import Container
from genoflow.processors.validation.cram.cursor import Fields, Short
from genoflow.processors.validation.cram.rules import TOO_LARGE
from genoflow.processors.validation.cram.slice_rules import (
    RECORD_COUNTER,
    REFERENCE_ID,
    SLICE_CONTENT_IDS,
    SLICE_HEADER,
    SLICE_MD5,
    SLICE_RANGE,
    SLICE_REFERENCE,
    SLICE_TAGS,
)
from genoflow.processors.validation.findings import Broken, Findings, Where

MD5_BYTES = 16
NO_MD5 = bytes(MD5_BYTES)
UNMAPPED, SEVERAL = -1, -2  # what stands in place of a reference sequence
# Programs write 100,000 at most, and htslib holds 200 bytes of each beside its data.
RECORDS_MAX = 400_000
TAG = re.compile(rb"[A-Za-z][A-Za-z0-9]")
SIZES = {b"A": 1, b"c": 1, b"C": 1, b"s": 2, b"S": 2, b"i": 4, b"I": 4, b"f": 4}


@dataclass(frozen=True, slots=True)
class Slice:
    """What the header of a slice says."""

    at: int
    reference: int
    start: int
    span: int
    records: int
    counter: int
    blocks: int
    content_ids: tuple[int, ...]
    embedded: int  # the content id of the reference that it brings, or -1
    md5: bytes
    tags: bytes

    @property
    def where(self) -> Where:
        """Its place in the file."""
        return Where(byte=self.at)


def read_slice(data: bytes, version: tuple[int, int], at: int) -> Slice:
    """What the header says; Broken where it cannot be read."""
    fields, where = Fields(data), Where(byte=at)
    try:
        reference, start, span, records = (fields.number() for _ in range(4))
        counter = fields.long_number() if version >= (3, 0) else fields.number()
        blocks, count = fields.number(), fields.number()
        content_ids = tuple(fields.number() for _ in range(min(count, fields.left + 1)))
        embedded, md5 = fields.number(), fields.take(MD5_BYTES)
    except Short as error:
        said = f"its slice header cannot be read: {error}"
        raise Broken(SLICE_HEADER, said, where) from error
    if min(records, counter, blocks, count) < 0 or reference < SEVERAL:
        said = f"its slice says {records} records, {blocks} blocks and {count} content ids"
        raise Broken(SLICE_HEADER, said, where)
    if records > RECORDS_MAX:
        said = f"its slice has {records} records, and the limit is {RECORDS_MAX}"
        raise Broken(TOO_LARGE, said, where)
    tags = fields.take(fields.left)
    numbers = (reference, start, span, records, counter, blocks)
    return Slice(at, *numbers, content_ids, embedded, md5, tags)


def compare_slice(
    found: Slice, container: Container, sequences: int, before: int | None, findings: Findings
) -> None:
    """The fields of a slice against those of its container; `before` it there are records."""
    where = found.where
    if found.reference != container.reference:
        said = f"its slice is of sequence {found.reference}, its container {container.reference}"
        findings.add(SLICE_REFERENCE, said, where)
    if found.reference >= sequences:
        said = f"its slice is of sequence {found.reference}, and its header has {sequences}"
        findings.add(REFERENCE_ID, said, where)
    if found.reference >= 0 and found.reference == container.reference:
        _compare_range(found, container, findings)
    if found.reference < 0 and found.md5 != NO_MD5:
        said = "its slice has no sequence of its own, and an MD5 of one"
        findings.add(SLICE_MD5, said, where)
    if before is not None and found.counter != before:
        said = f"its slice says that {found.counter} records come before it, and there are {before}"
        findings.add(RECORD_COUNTER, said, where)
    if said := tags_fault(found.tags):
        findings.add(SLICE_TAGS, f"its slice header has tags that cannot be read: {said}", where)


def _compare_range(found: Slice, container: Container, findings: Findings) -> None:
    begin, end = container.start, container.start + container.span
    if found.records and not begin <= found.start <= found.start + found.span <= end:
        said = (
            f"its slice is of {found.span} bases from {found.start}, and its container of "
            f"{container.span} from {container.start}"
        )
        findings.add(SLICE_RANGE, said, found.where)


def compare_blocks(found: Slice, content_ids: Sequence[int], findings: Findings) -> None:
    """The content ids that a slice header lists against those of the external blocks."""
    # The core block has 0 and is listed by some programs, and left out by others.
    listed = sorted(number for number in found.content_ids if number)
    there = sorted(number for number in content_ids if number)
    if listed != there:
        odd = sorted(set(listed) ^ set(there))[:5]
        said = f"its slice header lists other content ids than its blocks have: {odd or listed[:5]}"
        findings.add(SLICE_CONTENT_IDS, said, found.where)


def tags_fault(data: bytes) -> str:
    """What is wrong with tags as BAM writes them; nothing where they are whole."""
    fields = Fields(data)
    try:
        while fields.left:
            name, kind = fields.take(2), fields.take(1)
            if not TAG.fullmatch(name):
                return f"{name.decode('latin-1')!r} is no tag"
            if not _skip_value(fields, kind, data):
                return f"the type of {name.decode()} is {kind.decode('latin-1')!r}"
    except Short as error:
        return str(error)
    return ""


def _skip_value(fields: Fields, kind: bytes, data: bytes) -> bool:
    """Whether it is a type that there is."""
    if kind in (b"Z", b"H"):
        end = data.find(b"\0", fields.at)
        if end < 0:
            raise Short("a text has no end")
        fields.take(end + 1 - fields.at)
    elif kind == b"B":
        size = SIZES.get(fields.take(1), 0)
        (count,) = struct.unpack("<I", fields.take(4))
        fields.take(size * count)
        return size > 0
    elif kind in SIZES:
        fields.take(SIZES[kind])
    else:
        return False
    return True
