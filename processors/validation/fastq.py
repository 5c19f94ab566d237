"""FASTQ: four lines a read, every one of them looked at, by calls over whole blocks.

What is decided here: bases are A, C, G, T or N in upper case, as instruments write them; qualities
are the characters 33 to 126 (Phred + 33); a read without bases is legal, since trimming leaves
them and mates keep their order; lines end with LF alone; the line with `+` is bare or repeats the
name; the last line has its end, too. A read is at most as long as an event can say.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.inflate import Block
from genoflow.processors.validation.port import Expected, Fault, Measured
from genoflow.processors.validation.repeats import Repeats
from genoflow.processors.validation.sums import QUALITIES, Sums, share

LINE_BYTES_MAX = 1_000_000  # read_length_max of FileMetrics ends there; four lines are 4 MB
BASES = b"ACGTN"
PRINTABLE = bytes(range(32, 127)) + b"\t"
ADAPTERS = (
    b"AGATCGGAAGAGC",  # Illumina TruSeq, the part that all of its adapters share
    b"CTGTCTCTTATACACATCT",  # Nextera and other tagmentation: the mosaic end
)
POLY_G_BASES = 10  # two-colour instruments write G where there is no signal
QUOTED_BYTES_MAX = 60  # of a line in a reason


class Records(NamedTuple):
    """Reads of one block, line by line."""

    names: list[bytes]
    bases: list[bytes]
    pluses: list[bytes]
    qualities: list[bytes]


def read_fastq(blocks: Iterable[Block], expected: Expected, *, exact: bool) -> Measured:
    """Every record; Fault at the first that is none. `exact`: text offsets are stored offsets."""
    reader = _Reader(expected, exact)
    for block in blocks:
        reader.take(block)
    return reader.finish()


class _Reader:
    def __init__(self, expected: Expected, exact: bool) -> None:
        self._expected = expected
        self._exact = exact
        self._carry = b""
        self._carry_at = 0  # in the text
        self._marks: deque[tuple[int, int]] = deque()  # in the text, and as stored
        self._reads = _Reads()

    def take(self, block: Block) -> None:
        """Look at the records that end in this block; keep the beginning of the next."""
        text = self._carry + block.text
        self._marks.append((self._carry_at + len(self._carry), block.stored_at))
        lines = text.split(b"\n")
        whole = (len(lines) - 1) // 4 * 4
        rest = lines[whole:]
        if whole:
            records = Records(*(lines[first:whole:4] for first in range(4)))
            self._check(records)
            self._reads.take(records)
            carry = b"\n".join(rest)
            self._carry_at += len(text) - len(carry)
        else:
            carry = text
        if len(carry) > LINE_BYTES_MAX and max(map(len, rest)) > LINE_BYTES_MAX:
            raise self._fault(self._carry_at, 0, f"has a line of more than {LINE_BYTES_MAX} bytes")
        self._carry = carry
        while len(self._marks) > 1 and self._marks[1][0] <= self._carry_at:
            self._marks.popleft()

    def finish(self) -> Measured:
        """What all of it was; Fault where the last record is not whole."""
        if self._carry:
            self._unfinished(self._carry.split(b"\n"))
        reads, counted = self._reads, self._expected.reads
        if reads.count == 0 and counted != 0:
            raise Fault("empty", "it holds no reads", at_byte=0)
        if counted is not None and reads.count != counted:
            said = f"it holds {reads.count} reads, and demultiplexing counted {counted}"
            raise Fault("truncated" if reads.count < counted else "wrong sample", said)
        return reads.measured()

    def _unfinished(self, lines: Sequence[bytes]) -> None:
        if not lines[0].startswith(b"@"):
            raise self._fault(self._carry_at, 0, f"begins with {_quoted(lines[0])} and not with @")
        which = ("name", "bases", "line with +", "qualities")[len(lines) - 1]
        fault = self._fault(self._carry_at, 0, f"ends in the middle, in its {which}")
        raise Fault("truncated", fault.reason, fault.at_byte, fault.at_record)

    def _check(self, records: Records) -> None:
        if self._reads.count == 0:
            said = _stranger(records.names[0], self._expected)
            if said:
                raise Fault(*said, at_byte=0, at_record=1)
        if _are_clean(records):
            return
        at = self._carry_at
        for number, record in enumerate(zip(*records, strict=True)):
            for said_of_it in _faults_of(*record):
                raise self._fault(at, number, said_of_it)
            at += sum(map(len, record)) + 4

    def _fault(self, text_at: int, number: int, said: str) -> Fault:
        ordinal = self._reads.count + number + 1
        at, stored_at = max(mark for mark in self._marks if mark[0] <= text_at)
        if self._exact:
            stored_at += text_at - at
        return Fault("malformed record", f"read {ordinal} {said}", stored_at, ordinal)


def _are_clean(records: Records) -> bool:
    """Whether no record is at fault, by a few calls over all of them."""
    names, bases, pluses, qualities = records
    lengths = [*map(len, bases)]
    return (
        lengths == [*map(len, qualities)]
        and max(lengths) <= LINE_BYTES_MAX
        and max(map(len, names)) <= LINE_BYTES_MAX
        and {name[:1] for name in names} == {b"@"}
        and not b"".join(names).translate(None, PRINTABLE)
        and not b"".join(bases).translate(None, BASES)
        and not b"".join(qualities).translate(None, QUALITIES)
        and ({*pluses} == {b"+"} or all(map(_is_plus, names, pluses)))
        and not any(_has_no_name(name) for name in names if len(name) < 4 or name[1] < 48)
    )


def _is_plus(name: bytes, plus: bytes) -> bool:
    return plus == b"+" or (plus[:1] == b"+" and plus[1:] == name[1:])


def _has_no_name(name: bytes) -> bool:
    return name_of(name) == b""


def name_of(line: bytes) -> bytes:
    """The name by which mates are compared: up to the first blank, without /1 and /2."""
    name = line[1:].partition(b" ")[0].partition(b"\t")[0]
    return name[:-2] if name.endswith((b"/1", b"/2")) else name


def _faults_of(name: bytes, bases: bytes, plus: bytes, qualities: bytes) -> Iterator[str]:
    """What is wrong with one record, in words, the plainest first; nothing where nothing is."""
    if any(line.endswith(b"\r") for line in (name, bases, plus, qualities)):
        yield "has lines that end with CR LF; they have to end with LF alone"
    if not name.startswith(b"@"):
        yield f"begins with {_quoted(name)} and not with @"
    if name.translate(None, PRINTABLE):
        yield f"has a name that is not plain text: {_quoted(name)}"
    if _has_no_name(name):
        yield "has no name"
    if max(len(name), len(bases)) > LINE_BYTES_MAX:
        yield f"has a line of more than {LINE_BYTES_MAX} bytes"
    if strange := bases.translate(None, BASES):
        yield f"has {_quoted(strange[:1])} among its bases, which are A, C, G, T and N"
    if not _is_plus(name, plus):
        yield f"has {_quoted(plus)} where a line with + belongs"
    if len(bases) != len(qualities):
        yield f"has {len(bases)} bases and {len(qualities)} qualities"
    if strange := qualities.translate(None, QUALITIES):
        yield f"has the character {strange[0]} as a quality; 33 to 126 are qualities"


def _quoted(line: bytes) -> str:
    return repr(line[:QUOTED_BYTES_MAX])[1:]


def _stranger(line: bytes, expected: Expected) -> tuple[str, str] | None:
    """What the first name says of lane and mate, where it is written as Illumina does."""
    name, _, comment = line[1:].partition(b" ")
    fields = name.split(b":")
    if expected.lane is not None and len(fields) == 7 and fields[3].isdigit():
        lane = int(fields[3][:9])
        if lane != expected.lane:
            return "wrong sample", f"its reads are of lane {lane}, and lane {expected.lane} is due"
    other = {"R1": "2", "R2": "1"}.get(expected.role, "")
    mate = re.match(rb"([12]):[YN]:\d+:", comment) or re.search(rb"/([12])$", name)
    if mate is not None and mate[1].decode() == other:
        return "mates differ", f"its reads are those of mate {other}, and its role {expected.role}"
    return None


class _Reads:
    """What is counted on the way."""

    def __init__(self) -> None:
        self._sums = Sums()
        self._adapters = self._poly_g = 0
        self._repeats = Repeats()
        self._names = hashlib.sha256()

    @property
    def count(self) -> int:
        """How many there were."""
        return self._sums.reads

    def take(self, records: Records) -> None:
        """Add the records of a block, which are clean."""
        self._take_names(records.names)
        bases = b"\n".join(records.bases) + b"\n"
        self._sums.take([*map(len, records.bases)], bases, b"".join(records.qualities))
        self._poly_g += bases.count(b"G" * POLY_G_BASES + b"\n")
        self._adapters += _reads_with_adapters(bases)
        self._repeats.take(records.bases)

    def _take_names(self, lines: Sequence[bytes]) -> None:
        names = b"\n".join([line[1:].partition(b" ")[0] for line in lines]) + b"\n"
        if b"\t" in names or b"/" in names:
            names = b"\n".join([name_of(line) for line in lines]) + b"\n"
        self._names.update(names)

    def measured(self) -> Measured:
        """The sums as fractions."""
        metrics = FileMetrics(
            **self._sums.metrics(),
            adapter_fraction=share(self._adapters, self.count),
            poly_g_fraction=share(self._poly_g, self.count),
            duplicate_fraction=self._repeats.fraction,
        )
        return Measured("FASTQ", metrics, self.count, self._sums.bases, self._names.hexdigest())


def _reads_with_adapters(bases: bytes) -> int:
    """How many of the lines hold one, each once; a line is searched again only behind a hit."""
    ends: set[int] = set()
    for adapter in ADAPTERS:
        at = bases.find(adapter)
        while at >= 0:
            end = bases.find(b"\n", at)
            ends.add(end)
            at = bases.find(adapter, end)
    return len(ends)
