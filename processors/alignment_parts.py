"""The parts of a BAM that hold what lies over some places, found by its index.

A BAM of a genome has 50 GB, and the blocks over 10,000 places 3 of them. The parts that are
fetched stand in a sparse file at the places that they have in the whole one, so that htslib
follows the index as in a file that is whole. Between them is nothing, and nobody looks there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from genoflow.events.errors import Refused
from genoflow.processors.validation.targets import joined

INDEX_BYTES_MAX = 256 * 1024**2  # of a BAM of 300 GB it has 12 MB
BLOCK_BYTES = 64 * 1024  # a block of BGZF: what begins within one may reach into the next
# A request takes as long as a megabyte at 50 MB/s: smaller gaps are read with what surrounds them.
GAP_BYTES = 128 * 1024
HEADER_BYTES = 4 * 1024**2  # where no read says where the header ends: 60,000 sequences
PIECE_BYTES = 16 * 1024**2  # in memory at a time
END_BYTES = 28  # the empty block at the end, which htslib looks for
SHIFT, LEVELS = 14, (1, 9, 73, 585, 4_681)  # of BAI: intervals of 16 kbp, and the first bin each
BINS = 8  # of one bin, in the level below it
PSEUDO_BIN = 37_450  # counts, and no chunks
LIMIT = 1 << 29  # beyond that BAI has no bins
END = 1 << 64  # behind every virtual offset

Span = tuple[int, int]  # bytes of a file, from the first to the one behind the last
Fetch = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Placed:
    """What an index says of one sequence."""

    chunks: Mapping[int, Sequence[Span]]  # by bin, as virtual offsets
    intervals: Sequence[int]  # the first virtual offset of each


def read_bai(content: bytes) -> list[Placed]:
    """What a BAI says, by sequence; Refused where it is none, or is cut off."""
    if content[:4] != b"BAI\1":
        raise Refused("its index is no BAI; send one of `samtools index`, without -c")
    try:
        return list(_sequences(content))
    except struct.error as error:
        raise Refused(f"its index ends early: {error}; send it again") from error


def _sequences(content: bytes) -> Iterator[Placed]:
    (count,), at = struct.unpack_from("<i", content, 4), 8
    for _ in range(count):
        chunks: dict[int, Sequence[Span]] = {}
        (bins,), at = struct.unpack_from("<i", content, at), at + 4
        for _ in range(bins):
            number, many = struct.unpack_from("<Ii", content, at)
            values = struct.unpack_from(f"<{2 * many}Q", content, at + 8)
            at += 8 + 16 * many
            if number != PSEUDO_BIN:
                chunks[number] = list(zip(values[::2], values[1::2], strict=True))
        (many,) = struct.unpack_from("<i", content, at)
        yield Placed(chunks, struct.unpack_from(f"<{many}Q", content, at + 4))
        at += 4 + 8 * many


def span_of_header(index: Sequence[Placed], size_bytes: int) -> Span:
    """Where the header stands: before the first read."""
    begins = [at for one in index for chunks in one.chunks.values() for at, _ in chunks]
    end = (min(begins) >> 16) + BLOCK_BYTES if begins else HEADER_BYTES
    return 0, min(end, size_bytes)


def spans_of(placed: Placed, place: int) -> Iterator[Span]:
    """The bytes that hold the reads over a place, which is counted from 0."""
    if not 0 <= place < LIMIT:
        return
    interval = place >> SHIFT
    known = placed.intervals
    least, most = known[interval] if interval < len(known) else 0, _behind(placed, interval)
    for number in (0, *(first + (place >> shift) for first, shift in _levels())):
        for start, end in placed.chunks.get(number, ()):
            if end > least and start < most:
                yield max(start, least) >> 16, (min(end, most) >> 16) + BLOCK_BYTES


def _behind(placed: Placed, interval: int) -> int:
    """Where the first read stands of the next bin with reads: all from there on lie behind."""
    # htslib stops at the same bin: with a nearer one it would read what was not fetched.
    number = LEVELS[-1] + interval + 1
    while number:
        if number % BINS == 1:  # the parent of a first bin begins where that begins, and holds more
            number = (number - 1) // BINS
        elif chunks := placed.chunks.get(number):
            return chunks[0][0]
        else:
            number += 1
    return END


def _levels() -> Iterator[tuple[int, int]]:
    return zip(LEVELS, range(SHIFT + 12, SHIFT - 1, -3), strict=True)


def gathered(spans: Iterable[Span], size_bytes: int) -> list[Span]:
    """The same bytes in order, each once, with the small gaps between them."""
    wide = sorted((start, min(end, size_bytes) + GAP_BYTES) for start, end in spans)
    return [(start, end - GAP_BYTES) for start, end in joined(wide) if start < end - GAP_BYTES]


def write_parts(file: IO[bytes], spans: Sequence[Span], size_bytes: int, fetch: Fetch) -> None:
    """Make it a file of this size with these bytes in their places, and nothing between them."""
    file.truncate(0)
    file.truncate(size_bytes)
    for start, end in spans:
        file.seek(start)
        for at in range(start, end, PIECE_BYTES):
            file.write(fetch(at, min(at + PIECE_BYTES, end)))
    file.flush()
