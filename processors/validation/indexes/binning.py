"""BAI, CSI and TBI: bins, chunks and intervals under each sequence."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.indexes.rules import (
    BIN,
    CHUNKS,
    COMPRESSION,
    COUNTS,
    FIRST_OFFSET,
    INTERVALS,
    MAGIC,
    PSEUDO_BIN,
    SCHEME,
    TABIX_COLUMNS,
    TABIX_FORMAT,
    TABIX_NAMES,
    TRAILING,
    TRUNCATED,
)
from genoflow.processors.validation.indexes.stream import Stream
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.source import Source

MAGICS = {b"BAI\x01": "BAI", b"CSI\x01": "CSI", b"TBI\x01": "TBI"}
INTERVALS_MAX = 1 << 17  # of 16 kbp in 2 Gbp, as the specification bounds them
DEPTH_MAX = 9  # 8 to the power of 10 bins are the last that fit into 32 bits with a sign
SHIFT_MAX = 40
UNPLACED_BYTES = 8
NAMES_BYTES_MAX = 64 * 1024**2  # of sequences: a million names of 60 letters
# Columns of sequence, beginning and end, and what begins a comment, by format.
PRESETS = {1: (3, 4, 0, ord("@")), 2: (1, 2, 0, ord("#"))}
BED_FLAG = 0x10000
TABIX_HEADER = struct.Struct("<7i")  # format, three columns, meta, skip, length of the names
STARTS_MAX = 8_000_000  # of 8 bytes: a BAI of a BAM of 300 GB has 1.5 million


@dataclass(slots=True)
class Index:
    """What of an index is compared with its file."""

    form: str
    sequences: int = 0
    names: tuple[str, ...] | None = None  # where it has any
    column: int = 0  # of a sequence's name in a line of text, where it says so
    firsts: dict[int, int] = field(default_factory=dict)  # the first offset, by sequence
    starts: array[int] = field(default_factory=lambda: array("Q"))  # of blocks, as they came

    def add(self, sequence: int, offset: int) -> None:
        """An offset of a chunk or an interval."""
        block = offset >> 16
        if len(self.starts) < STARTS_MAX and (not self.starts or self.starts[-1] != block):
            self.starts.append(block)
        if offset < self.firsts.get(sequence, offset + 1):
            self.firsts[sequence] = offset


class _Binning:
    def __init__(self, stream: Stream, index: Index, findings: Findings) -> None:
        self._stream = stream
        self._index = index
        self._findings = findings
        self._bins = 37_449  # 0 to 37448 of BAI and TBI
        self._shift, self._depth = 14, 5

    def read(self) -> None:
        index, stream = self._index, self._stream
        if index.form == "CSI":
            self._scheme()
            index.sequences = self._count("sequences")
        else:
            index.sequences = self._count("sequences")
            if index.form == "TBI":
                index.names = self._tabix(TABIX_HEADER.unpack(stream.take(TABIX_HEADER.size)))
        if index.names is not None and index.form == "TBI" and len(index.names) != index.sequences:
            said = f"it names {len(index.names)} sequences, and says {index.sequences}"
            self._findings.add(TABIX_NAMES, said, stream.where)
        for sequence in range(index.sequences):
            self._sequence(sequence)
        left = stream.left(UNPLACED_BYTES + 1)
        if 0 < left < UNPLACED_BYTES:
            raise Broken(TRUNCATED, "it ends within the number of unplaced reads", stream.where)
        stream.take(min(left, UNPLACED_BYTES))
        if stream.left(1):
            self._findings.add(TRAILING, "bytes follow its end", stream.where)

    def _count(self, of: str, most: int | None = None) -> int:
        count = self._stream.integer()
        if count < 0 or (most is not None and count > most):
            raise Broken(COUNTS, f"it says {count} {of}", self._stream.where)
        return count

    def _scheme(self) -> None:
        stream = self._stream
        self._shift, self._depth = stream.integer(), stream.integer()
        if not (1 <= self._shift <= SHIFT_MAX and 0 <= self._depth <= DEPTH_MAX):
            said = f"its intervals are of 2 to the {self._shift}, in {self._depth} levels"
            raise Broken(SCHEME, said, stream.where)
        self._bins = ((1 << 3 * (self._depth + 1)) - 1) // 7
        aux = stream.take(self._count("bytes beside its bins", NAMES_BYTES_MAX))
        # Of a text it is what a TBI has; programs write nothing else there.
        if len(aux) >= TABIX_HEADER.size:
            self._index.names = self._tabix(TABIX_HEADER.unpack_from(aux), aux[TABIX_HEADER.size :])

    def _tabix(self, header: tuple[int, ...], held: bytes | None = None) -> tuple[str, ...]:
        form, *columns, meta, skip, size = header
        add, where = self._findings.add, self._stream.where
        self._index.column = columns[0]
        kind = form & ~BED_FLAG
        if kind not in (0, 1, 2):
            add(TABIX_FORMAT, f"its format is {form}", where)
        expected = PRESETS.get(kind)
        if expected is not None and (columns[0], columns[1], meta) != (*expected[:2], expected[3]):
            add(TABIX_COLUMNS, f"its format is {kind}, its columns {columns}, meta {meta}", where)
        elif min(columns[:2]) < 1 or columns[2] < 0 or skip < 0 or not 0 <= meta < 256:
            add(TABIX_COLUMNS, f"its columns are {columns}, it skips {skip} lines", where)
        if not 0 <= size <= NAMES_BYTES_MAX:
            raise Broken(COUNTS, f"it says {size} bytes of names", where)
        names = self._stream.take(size) if held is None else held
        if len(names) != size or (names and not names.endswith(b"\0")):
            add(TABIX_NAMES, "its last name does not end with a zero byte", where)
        found = tuple(name.decode("utf-8", "replace") for name in names.split(b"\0")[:-1])
        if len(set(found)) < len(found) or "" in found:
            add(TABIX_NAMES, "it names a sequence twice, or one without letters", where)
        return found

    def _sequence(self, sequence: int) -> None:
        seen = set[int]()
        spread: list[int] = []
        pseudo: tuple[int, ...] | None = None
        for _ in range(self._count("bins", self._bins + 1)):
            (number,) = struct.unpack("<I", self._stream.take(4))
            first = next(self._longs(1)) if self._index.form == "CSI" else None
            chunks = self._count("chunks")
            if number in seen or (number >= self._bins and number != self._bins + 1):
                said = f"sequence {sequence} has the bin {number} twice, or it is none"
                self._findings.add(BIN, said, self._stream.where)
            seen.add(number)
            if number == self._bins + 1:
                pseudo = self._pseudo(sequence, chunks)
            else:
                self._chunks(sequence, number, chunks, first, spread)
        if pseudo and spread and (pseudo[0] > spread[0] or pseudo[1] < spread[1]):
            said = f"the bin of counts of sequence {sequence} leaves out some of its chunks"
            self._findings.add(PSEUDO_BIN, said, self._stream.where)
        if self._index.form != "CSI":
            self._intervals(sequence, self._count("intervals", INTERVALS_MAX))

    def _longs(self, count: int) -> Iterator[int]:
        for part in self._stream.longs(count):
            yield from part

    def _pseudo(self, sequence: int, chunks: int) -> tuple[int, ...]:
        values = tuple(self._longs(2 * chunks)) if chunks <= 2 else ()
        if chunks != 2:
            for _ in self._stream.longs(0 if values else 2 * chunks):
                pass
            said = f"the bin of counts of sequence {sequence} has {chunks} entries"
            self._findings.add(PSEUDO_BIN, said, self._stream.where)
            return ()
        return values

    def _chunks(
        self, sequence: int, number: int, chunks: int, first: int | None, spread: list[int]
    ) -> None:
        before, longs = 0, self._longs(2 * chunks)
        for begin in longs:
            end = next(longs)
            if begin < before or end < begin:
                said = f"bin {number} of sequence {sequence} has a chunk from {begin} to {end}"
                self._findings.add(CHUNKS, f"{said}, behind {before}", self._stream.where)
            if first is not None and first > begin:
                said = f"bin {number} of sequence {sequence} begins at {begin}, before its loffset"
                self._findings.add(FIRST_OFFSET, said, self._stream.where)
            before = end
            self._index.add(sequence, begin)
            self._index.add(sequence, end)
            if spread:
                spread[:] = min(begin, spread[0]), max(end, spread[1])
            else:
                spread[:] = begin, end

    def _intervals(self, sequence: int, count: int) -> None:
        before = 0
        for offset in self._longs(count):
            if offset and offset < before:
                said = f"an interval of sequence {sequence} is at {offset}, behind one at {before}"
                self._findings.add(INTERVALS, said, self._stream.where)
            if offset:
                before = offset
                self._index.add(sequence, offset)


def read_binning(source: Source, compression: str, findings: Findings) -> Index:
    """What the index says; Broken where it cannot be read to its end."""
    stream = Stream(blocks_of(source, compression))
    magic = stream.take(stream.left(4))
    form = MAGICS.get(magic)
    if form is None:
        cut = any(known.startswith(magic) for known in MAGICS)
        raise Broken(TRUNCATED if cut else MAGIC, f"it begins with {magic!r}", stream.where)
    if (compression == "bgzf") is (form == "BAI"):
        findings.add(COMPRESSION, f"it is {form} with compression {compression}", stream.where)
    index = Index(form)
    _Binning(stream, index, findings).read()
    return index


def read_index(
    source: Source, compression: str, _expected: Expected, findings: Findings
) -> Measured:
    """BAI, CSI or TBI, by its first bytes; Broken where it cannot be read to its end."""
    index = read_binning(source, compression, findings)
    return Measured(index.form, version="1", details={"sequences": index.sequences})
