"""An index beside the file that it is of: whether it leads to what it says."""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from genoflow.processors.validation.cram.containers import read_container
from genoflow.processors.validation.cram.cursor import Cursor
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.indexes.binning import Index, read_binning
from genoflow.processors.validation.indexes.crai import Line, read_lines
from genoflow.processors.validation.indexes.rules import (
    ELSEWHERE,
    REFERENCES_DIFFER,
    SLICE_ELSEWHERE,
    SLICE_MISSING,
)
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.source import Source

PIECE_BYTES = 1024**2
BLOCK_HEAD = struct.Struct("<4s6xH2sHH")  # magic and flags, length and name of the extra field
BLOCK_MAGIC, BLOCK_FIELD = b"\x1f\x8b\x08\x04", b"BC"
BLOCK_BYTES_MAX = 65_536  # of text, as the specification bounds it
HEADER_BYTES_MAX = 64 * 1024**2  # of text: a million sequences
LINE_BYTES = 4_096  # the columns that say where a record lies are its first
CONTIG = re.compile(rb"##contig=<(?:[^>]*,)?ID=([^,>]+)(?:.*?,IDX=(\d+))?")
DEFINITION_BYTES = 26
CONTAINER_HEAD_BYTES = 512 * 1024  # with a landmark for each of 100,000 slices


def hold_index(index: Path, data: Path, findings: Findings) -> None:
    """Compare an index with the file that it is of; Broken where the index cannot be read.

    Of the index by itself nothing is added: its reader has said that.
    """
    alone = Findings()
    with index.open("rb") as file, data.open("rb") as of:
        compression = compression_of(file.read(PIECE_BYTES))
        file.seek(0)
        source = Source(iter(lambda: file.read(PIECE_BYTES), b""))
        if of.read(4) == b"CRAM":
            _compare_slices(list(read_lines(source, compression, alone)), of, findings)
        else:
            _compare_blocks(read_binning(source, compression, alone), of, data, findings)


def _compare_blocks(index: Index, of: IO[bytes], data: Path, findings: Findings) -> None:
    end = of.seek(0, 2)
    for start in sorted(set(index.starts)):
        if start != end and _block_bytes(of, start) is None:
            said = f"it leads to byte {start} of {end}, and no block begins there"
            findings.add(ELSEWHERE, said)
            if findings.is_full(ELSEWHERE):
                break
    if findings.counts[ELSEWHERE]:
        return
    try:
        kind, names = _names(data)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        findings.add(REFERENCES_DIFFER, f"the header of its file cannot be read: {error}")
        return
    named = index.names if index.names is not None else names
    # Of a text it has the sequences that occur; of BCF those up to the last that occurs.
    more = index.sequences > len(names) if kind == "BCF" else index.sequences != len(named)
    if more:
        said = f"it has {index.sequences} sequences, and its file {len(names)}"
        findings.add(REFERENCES_DIFFER, said)
        return
    for sequence, offset in sorted(index.firsts.items()):
        found = _sequence_at(of, offset, kind, index)
        due: object = sequence if kind in ("BAM", "BCF") else named[sequence]
        if found != due:
            said = f"it leads for {due!r} to a record of {found!r}"
            findings.add(REFERENCES_DIFFER, said)


def _block_bytes(of: IO[bytes], start: int) -> int | None:
    """How long the block is that begins here; None where none does."""
    if start > os.fstat(of.fileno()).st_size:
        return None
    of.seek(start)
    head = of.read(BLOCK_HEAD.size)
    if len(head) < BLOCK_HEAD.size:
        return None
    magic, _extra, name, size, block = BLOCK_HEAD.unpack(head)
    if magic != BLOCK_MAGIC or name != BLOCK_FIELD or size != 2:
        return None
    return int(block) + 1


def _text_at(of: IO[bytes], offset: int, size: int) -> bytes:
    """So many bytes of text from a virtual offset on, fewer where the file ends or is damaged."""
    start, inside, text = offset >> 16, offset & 0xFFFF, b""
    while len(text) < inside + size:
        length = _block_bytes(of, start)
        if length is None:
            break
        of.seek(start)
        try:
            inflater = zlib.decompressobj(wbits=31)
            part = inflater.decompress(of.read(length), BLOCK_BYTES_MAX)
        except zlib.error:
            break
        text += part
        start += length
    return text[inside : inside + size]


def _sequence_at(of: IO[bytes], offset: int, kind: str, index: Index) -> object:
    """The sequence of the record that begins here: its number, or in text its name."""
    if kind in ("BAM", "BCF"):
        head = _text_at(of, offset, 12)
        at = 4 if kind == "BAM" else 8
        return struct.unpack_from("<i", head, at)[0] if len(head) == 12 else None
    columns = _text_at(of, offset, LINE_BYTES).split(b"\n")[0].split(b"\t")
    column = index.column or (3 if kind == "SAM" else 1)
    if not 1 <= column <= len(columns):
        return None
    return columns[column - 1].decode("utf-8", "replace")


def _names(data: Path) -> tuple[str, tuple[str, ...]]:
    """The format of a file, and its sequences in order."""
    with gzip.open(data, "rb") as text:
        magic = text.read(4)
        if magic == b"BAM\x01":
            (size,) = struct.unpack("<I", text.read(4))
            text.seek(8 + size)
            (count,) = struct.unpack("<I", text.read(4))
            names = []
            for _ in range(count):
                (length,) = struct.unpack("<I", text.read(4))
                names.append(_sized(text, length).rstrip(b"\0").decode("utf-8", "replace"))
                text.read(4)
            return "BAM", tuple(names)
        if magic[:3] == b"BCF":
            text.read(1)
            (size,) = struct.unpack("<I", text.read(4))
            return "BCF", _contigs(_sized(text, size))
        lines = _head_lines(magic, text)
        if magic[:1] == b"@":
            fields = [line.split(b"\t") for line in lines if line.startswith(b"@SQ\t")]
            found = [one[3:] for line in fields for one in line if one.startswith(b"SN:")]
            return "SAM", tuple(name.decode("utf-8", "replace") for name in found)
        return "text", _contigs(b"\n".join(lines))


def _sized(text: gzip.GzipFile, size: int) -> bytes:
    data = text.read(min(size, HEADER_BYTES_MAX))
    if len(data) < size:
        raise EOFError(f"it ends within {size} bytes, or these are too many")
    return data


def _head_lines(begun: bytes, text: gzip.GzipFile) -> list[bytes]:
    """The lines of a header, which begin as its first does."""
    lines, size = [], 0
    line = begun + text.readline(HEADER_BYTES_MAX)
    while line[:1] == begun[:1] and begun[:1] in (b"#", b"@") and size < HEADER_BYTES_MAX:
        lines.append(line.rstrip(b"\r\n"))
        size += len(line)
        line = text.readline(HEADER_BYTES_MAX)
    return lines


def _contigs(header: bytes) -> tuple[str, ...]:
    found: dict[int, str] = {}
    for at, (name, number) in enumerate(CONTIG.findall(header)):
        found[int(number) if number else at] = name.decode("utf-8", "replace")
    return tuple(found.get(at, "") for at in range(max(found, default=-1) + 1))


def _compare_slices(lines: list[Line], of: IO[bytes], findings: Findings) -> None:
    there = {(container, at): (size, ref) for container, at, size, ref in _slices(of)}
    for number, line in enumerate(lines, start=1):
        size, reference = there.get((line.container, line.slice_at), (None, -1))
        if size != line.size or reference not in (-2, line.reference):
            said = f"its line {number} is of {line.size} bytes at {line.container} and behind it "
            findings.add(SLICE_ELSEWHERE, f"{said}{line.slice_at}, and no such slice is there")
    listed = {(line.container, line.slice_at) for line in lines}
    for container, at in sorted(set(there) - listed):
        said = f"the slice {at} bytes behind the header of the container at {container} is missing"
        findings.add(SLICE_MISSING, said)


def _slices(of: IO[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Of each slice its container's place, its own in it, its size, and the sequence of both."""
    of.seek(0)
    definition = of.read(DEFINITION_BYTES)
    end = of.seek(0, 2)
    at = len(definition)
    version = tuple(definition[4:6])
    first = True
    while DEFINITION_BYTES <= at < end:
        of.seek(at)
        cursor = Cursor(Source([of.read(CONTAINER_HEAD_BYTES)]))
        found = read_container(cursor, (version[0], version[1]))
        ends = (*found.landmarks[1:], found.length) if found.landmarks and not first else ()
        for begin, behind in zip(found.landmarks, ends, strict=False):
            yield at, begin, behind - begin, found.reference
        first = False
        at += cursor.at + found.length
