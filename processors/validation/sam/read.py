"""The readers of SAM and BAM: from stored bytes to findings and counts, in one pass.

The records go through `checks` one by one. Where the extension is built it goes ahead: it takes the
records that are certainly clean and counts them, and stops before every other one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.inflate import Block, blocks_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import rules_alignment, rules_bam, rules_header
from genoflow.processors.validation.sam.binary import read_binary
from genoflow.processors.validation.sam.checks import check_record
from genoflow.processors.validation.sam.coverage import Aim, coverage
from genoflow.processors.validation.sam.depth import placed
from genoflow.processors.validation.sam.expected import compare_header, compare_name
from genoflow.processors.validation.sam.header import (
    HEADER_BYTES_MAX,
    LINES_MAX,
    REFERENCES_MAX,
    Header,
    quoted,
    read_header,
)
from genoflow.processors.validation.sam.lines import read_line
from genoflow.processors.validation.sam.order import check_order
from genoflow.processors.validation.sam.record import RECORD_BYTES_MAX, UNMAPPED, Judge, Record
from genoflow.processors.validation.sam.scan import Reached, Scan, open_scan
from genoflow.processors.validation.sam.totals import Totals
from genoflow.processors.validation.source import Source

MAGIC = b"BAM\x01"
FIXED_BYTES = 32
NAME_BYTES_MAX = 64 * 1024


def read_sam(source: Source, compression: str, expected: Expected, findings: Findings) -> Measured:
    """Every line of the text; Broken only where the stream itself is."""
    reader = _Text(expected, findings)
    for block in blocks_of(source, compression):
        reader.take(block)
    return reader.finish()


def read_bam(source: Source, compression: str, expected: Expected, findings: Findings) -> Measured:
    """Every record; Broken where no next one can be found."""
    if compression != "bgzf":
        said = f"its compression is {compression}"
        raise Broken(rules_bam.COMPRESSION, said, Where(byte=0))
    return _Binary(blocks_of(source, compression), expected, findings).read()


class _Records:
    """What the records of both forms go through once they are read."""

    def __init__(self, header: Header, expected: Expected, findings: Findings) -> None:
        self.judge = Judge(header, findings)
        self.totals = Totals()
        self.scan: Scan = open_scan(header)
        self._aim = Aim(header, expected.targets)
        self._aim.give(header, self.scan.depths)
        self.count = 0
        self._expected = expected
        self._build = compare_header(header, expected, findings)
        self._mapped_without_header = False

    def go_ahead(self, data: bytes, at: int, *, as_text: bool) -> Reached:
        """Let the extension take what is clean; where it stopped, and behind how many records."""
        self.scan.tolerate(self.judge.findings)
        reached = self.scan.text(data, at) if as_text else self.scan.binary(data, at)
        self.count += reached[1]
        return reached

    def begin(self, where: Where) -> None:
        """The next record begins there."""
        self.count += 1
        self.judge.where = replace(where, record=self.count)

    def take(self, record: Record, *, as_text: bool) -> None:
        """Check and count it."""
        judge = self.judge
        check_record(record, judge, as_text=as_text)
        check_order(record, self.scan.orders, judge)
        self.scan.depths.cover(*placed(record))
        self.totals.take(record)
        if not (record.flag & UNMAPPED or judge.header.names or self._mapped_without_header):
            self._mapped_without_header = True
            judge.add(rules_header.SQ_MISSING, "a read is mapped, and there is no @SQ")

    def first_name(self, name: bytes) -> None:
        """Hold the name of the first record against the read set."""
        if said := compare_name(name, self._expected):
            self.judge.add(rules_header.WRONG_UNIT, said)

    def measured(self, form: str) -> Measured:
        """The counts, once all records are taken."""
        if not self.count:
            said = "it holds no alignments"
            self.judge.findings.add(rules_alignment.NO_RECORDS, said)
        self.scan.give(self.totals, self.judge.findings)
        counts = self.totals.counts
        covered = coverage(self.judge.header, self._aim, self.scan.depths)
        return Measured(
            form,
            self.totals.metrics().model_copy(update=covered.metrics),
            counts["reads"],
            counts["bases"],
            reference=self._build,
            version=self.judge.header.version,
            details={**self.totals.details(), **covered.details, "unknown": covered.unknown},
        )


class _Text:
    def __init__(self, expected: Expected, findings: Findings) -> None:
        self._expected = expected
        self._findings = findings
        self._header = bytearray()
        self._records: _Records | None = None
        self._line = 1
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._held_at = 0

    def take(self, block: Block) -> None:
        """The lines that end in this block; the rest is held."""
        end = block.text.rfind(b"\n") + 1
        if not self._held:
            self._held_at = block.stored_at
        if not end:
            self._hold(block.text)
            return
        text = b"".join((*self._held, block.text[:end])) if self._held else block.text[:end]
        self._lines(text, self._held_at)
        self._held, self._held_bytes, self._held_at = [], 0, block.stored_at
        if end < len(block.text):
            self._hold(block.text[end:])

    def _hold(self, text: bytes) -> None:
        self._held.append(text)
        self._held_bytes += len(text)
        if self._held_bytes > RECORD_BYTES_MAX:
            said = f"line {self._line} has more than {RECORD_BYTES_MAX} bytes"
            raise Broken(rules_alignment.LINE_LONG, said, Where(self._line, byte=self._held_at))

    def finish(self) -> Measured:
        """What all of it was."""
        if self._held:
            said = "the last line ends without a line feed"
            where = Where(self._line, byte=self._held_at)
            self._findings.add(rules_alignment.LAST_END, said, where)
            self._lines(b"".join(self._held), self._held_at)
        return self._all_records().measured("SAM")

    def _all_records(self) -> _Records:
        if self._records is None:
            header = read_header(bytes(self._header), self._findings)
            self._header = bytearray()
            self._records = _Records(header, self._expected, self._findings)
        return self._records

    def _lines(self, text: bytes, stored_at: int) -> None:
        at = 0
        while at < len(text):
            if self._records is not None:
                at, records = self._records.go_ahead(text, at, as_text=True)
                self._line += records
                if at >= len(text):
                    return
            end = text.find(b"\n", at)
            end = len(text) if end < 0 else end
            self._one(text[at:end], stored_at)
            self._line += 1
            at = end + 1

    def _one(self, line: bytes, stored_at: int) -> None:
        where = Where(self._line, byte=stored_at)
        if line.endswith(b"\r"):
            line = line[:-1]
            self._findings.add(rules_alignment.LINE_END, "the line ends with CR LF", where)
        if not line:
            self._findings.add(rules_alignment.LINE_EMPTY, "the line is empty", where)
            if self._records is None:
                self._keep(line)
        elif line.startswith(b"@") and self._records is None:
            self._keep(line)
        elif line.startswith(b"@"):
            said = f"{quoted(line)} stands behind an alignment"
            self._findings.add(rules_header.LATE, said, where)
        else:
            self._alignment(line, where)

    def _keep(self, line: bytes) -> None:
        self._header += line + b"\n"
        if self._line > LINES_MAX or len(self._header) > HEADER_BYTES_MAX:
            said = f"its header has more than {HEADER_BYTES_MAX} bytes or {LINES_MAX} lines"
            raise Broken(rules_header.LARGE, said, Where(self._line))

    def _alignment(self, line: bytes, where: Where) -> None:
        is_first = self._records is None
        records = self._all_records()
        records.begin(where)
        record = read_line(line, records.judge)
        if record is not None:
            if is_first:
                records.first_name(record.name)
            records.take(record, as_text=True)


class _Binary:
    def __init__(self, blocks: Iterable[Block], expected: Expected, findings: Findings) -> None:
        self._blocks: Iterator[Block] = iter(blocks)
        self._expected = expected
        self._findings = findings
        self._data = b""
        self._at = 0
        self._stored_at = self._next_stored_at = 0
        self._boundary = 0  # from here on the data is of the last block

    def read(self) -> Measured:
        header = self._header()
        records = _Records(header, self._expected, self._findings)
        is_first = True
        while self._more(4, "block_size of a record"):
            if not is_first:
                self._at, _ = records.go_ahead(self._data, self._at, as_text=False)
                if not self._more(4, "block_size of a record"):
                    break
            where = Where(byte=self._stored())
            size = self._number()
            records.begin(where)
            if not FIXED_BYTES <= size <= RECORD_BYTES_MAX:
                said = f"block_size of record {records.count} is {size}"
                raise Broken(rules_bam.RECORD_LENGTH, said, records.judge.where)
            data = self._take(size, f"record {records.count}")
            record = read_binary(data, records.judge)
            if record is not None:
                if is_first:
                    records.first_name(record.name)
                records.take(record, as_text=False)
            is_first = False
        return records.measured("BAM")

    def _header(self) -> Header:
        if (magic := self._take(4, "the magic")) != MAGIC:
            raise Broken(rules_bam.MAGIC, f"it begins with {quoted(magic)}", Where(byte=0))
        size = self._counted("l_text", rules_bam.HEADER_LENGTH)
        self._bound(size, "l_text", HEADER_BYTES_MAX)
        header = read_header(self._take(size, "the header"), self._findings)
        count = self._counted("n_ref", rules_bam.REFERENCE_COUNT)
        self._bound(count, "n_ref", REFERENCES_MAX)
        listed: list[tuple[bytes, int]] = []
        names_bytes = 0
        for number in range(1, count + 1):
            size = int.from_bytes(self._take(4, f"reference {number}"), "little")
            names_bytes += size
            self._bound(size, f"l_name of reference {number}", NAME_BYTES_MAX)
            self._bound(names_bytes, "the names of references", HEADER_BYTES_MAX)
            name = self._take(size, f"reference {number}")
            length = int.from_bytes(self._take(4, f"reference {number}"), "little")
            if name.find(0) != size - 1 or size < 2:
                said = f"the name of reference {number} is {quoted(name)}"
                self._findings.add(rules_bam.REFERENCE_NAME, said, Where(byte=self._stored()))
            if not 1 <= length < 2**31:
                said = f"l_ref of reference {number} is {length}"
                self._findings.add(rules_bam.REFERENCE_LENGTH, said, Where(byte=self._stored()))
            listed.append((name.rstrip(b"\0"), length))
        _compare(header, listed, self._findings)
        return header

    def _counted(self, name: str, rule: Rule) -> int:
        number = int.from_bytes(self._take(4, name), "little")
        if number >= 2**31:
            raise Broken(rule, f"{name} is {number}", Where(byte=self._stored()))
        return number

    def _bound(self, number: int, name: str, most: int) -> None:
        if number > most:
            said = f"{name} is {number}, and at most {most} is read"
            raise Broken(rules_header.LARGE, said, Where(byte=self._stored()))

    def _stored(self) -> int:
        return self._next_stored_at if self._at >= self._boundary else self._stored_at

    def _number(self) -> int:
        self._at += 4
        return int.from_bytes(self._data[self._at - 4 : self._at], "little")

    def _has(self, size: int) -> bool:
        """Whether so many bytes are there, after as many blocks as that takes."""
        parts = [self._data[self._at :]]
        have = len(parts[0])
        if have >= size:
            return True
        first_stored_at = self._stored()
        while have < size and (block := next(self._blocks, None)) is not None:
            parts.append(block.text)
            self._boundary, self._next_stored_at = have, block.stored_at
            have += len(block.text)
        if len(parts) > 1:
            self._data, self._at, self._stored_at = b"".join(parts), 0, first_stored_at
        return have >= size

    def _more(self, size: int, name: str) -> bool:
        """Whether there is another record; Broken where less than its first bytes are left."""
        if self._has(size):
            return True
        left = len(self._data) - self._at
        if left:
            said = f"it ends within {name}, {left} bytes of it are there"
            raise Broken(rules_bam.TRUNCATED, said, Where(byte=self._stored()))
        return False

    def _take(self, size: int, name: str) -> bytes:
        if not self._has(size):
            said = f"it ends within {name}"
            raise Broken(rules_bam.TRUNCATED, said, Where(byte=self._stored()))
        self._at += size
        return self._data[self._at - size : self._at]


def _compare(header: Header, listed: list[tuple[bytes, int]], findings: Findings) -> None:
    """The list of BAM is what records speak of; the text has to say the same."""
    named = [*zip(header.names, header.lengths, strict=True)]
    if not named and listed:
        findings.add(rules_bam.REFERENCE_ALONE, f"{len(listed)} references are in the list alone")
    elif len(named) != len(listed):
        said = f"there are {len(named)} @SQ lines, and {len(listed)} references in the list"
        findings.add(rules_bam.REFERENCE_DIFFERS, said)
    for mine, other in zip(named, listed, strict=False):
        if mine != other:
            said = f"@SQ has {quoted(mine[0])} of {mine[1]} bases where the list has"
            findings.add(rules_bam.REFERENCE_DIFFERS, f"{said} {quoted(other[0])} of {other[1]}")
            break
    if named != listed:
        header.names = [name for name, _ in listed]
        header.lengths = [length for _, length in listed]
        header.index = {name: at for at, name in enumerate(header.names)}
        header.circular = set()
