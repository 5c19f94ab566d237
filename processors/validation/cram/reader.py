"""CRAM: every container, block and slice held to the specification, and the records read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from genoflow.processors.validation.cram.alignments import Alignments
from genoflow.processors.validation.cram.blocks import (
    FILE_HEADER,
    GZIP,
    LZMA,
    METHODS,
    RAW,
    check_size,
    read_block_data,
    read_block_header,
)
from genoflow.processors.validation.cram.body import Body, Unsound
from genoflow.processors.validation.cram.containers import (
    EOF_BYTES_MAX,
    EOFS,
    Container,
    read_container,
)
from genoflow.processors.validation.cram.cursor import Cursor
from genoflow.processors.validation.cram.header_text import Header, header_text, parse_header
from genoflow.processors.validation.cram.records import (
    ALL,
    WITHOUT_BASES,
    WITHOUT_LETTERS,
    Batch,
    Records,
    batches,
)
from genoflow.processors.validation.cram.reference import Reference, Restoring, open_reference
from genoflow.processors.validation.cram.rules import (
    AFTER_EOF,
    BLOCK_KIND,
    CONTAINER_LENGTH,
    EOF_AGAIN,
    EOF_BYTES,
    HEADER_METHOD,
    HEADER_ROOM,
    HEADER_TEXT,
    M5,
    NO_RECORDS,
    NOT_CRAM,
    TRUNCATED,
    VERSION,
)
from genoflow.processors.validation.cram.slice_rules import REFERENCE_UNAVAILABLE
from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Severity
from genoflow.processors.validation.sam.coverage import Coverage
from genoflow.processors.validation.sam.expected import compare_header
from genoflow.processors.validation.sam.header import read_header
from genoflow.processors.validation.source import Source

MAGIC = b"CRAM"
HEADER_BYTES_MAX = 32 * 1024**2  # of a genome's 3,000 contigs it has 300 KB; it is held as text
DEFINITION_BYTES = 26  # magic, version, id of the file
NAME_CHARACTERS_MAX = 100


def read_cram(source: Source, compression: str, expected: Expected, findings: Findings) -> Measured:
    """What the file is, after every block and record was looked at; Broken where that ends early.

    Nothing is fetched: bases are read where the reference is given, or not needed.
    """
    if compression != "none":
        raise Broken(NOT_CRAM, f"it is compressed as a whole: {compression}", Where(byte=0))
    with ExitStack() as held:
        records = Records(findings)
        batch = held.enter_context(batches(records, findings))
        walk = _Walk(Cursor(source), batch, findings)
        header = walk.open(expected)
        reference = None
        if expected.reference_path is not None:
            try:
                reference = held.enter_context(open_reference(expected.reference_path))
            except (OSError, ValueError) as error:
                walk.no_reference = f"the reference given cannot be read: {error}"
        try:
            walk.containers(header, reference)
            batch.read()
        finally:
            records.settle()
        if not records.records and not findings.count(Severity.ERROR):
            findings.add(NO_RECORDS, "it holds no records")
        return walk.measured(records)


class _Walk:
    """From the file's first byte to its last."""

    def __init__(self, cursor: Cursor, batch: Batch, findings: Findings) -> None:
        self._cursor = cursor
        self._batch = batch
        self._findings = findings
        self._version = (0, 0)
        self._containers = self._slices = 0
        self._build: str | None = None
        self.alignments: Alignments | None = None
        self.no_reference = "it was made against a reference, and none was given"

    def open(self, expected: Expected) -> Header:
        """The definition and the SAM header; Broken where there is none."""
        definition = self._cursor.take(DEFINITION_BYTES) if self._is_cram() else b""
        self._version = (definition[4], definition[5])
        if self._version not in METHODS:
            said = f"it is CRAM {definition[4]}.{definition[5]}, and 2.1, 3.0 and 3.1 are read"
            raise Broken(VERSION, said, Where(byte=4))
        container = read_container(self._cursor, self._version)
        opening = bytearray(definition + container.stored)
        self._cursor.copy = opening.extend
        header = parse_header(self._header(container))
        self._cursor.copy = None
        self._compare(header, expected)
        self._batch.open(bytes(opening), self._version[0], self.alignments)
        return header

    def _is_cram(self) -> bool:
        magic = self._cursor.peek(len(MAGIC))
        if not MAGIC.startswith(magic):
            raise Broken(NOT_CRAM, f"it begins with {magic!r}", Where(byte=0))
        return True

    def _header(self, container: Container) -> bytes:
        cursor, findings = self._cursor, self._findings
        end = cursor.at + container.length
        text = b""
        for number in range(max(container.blocks, 1)):
            block = read_block_header(cursor, end, self._version, findings)
            check_size(block.raw, HEADER_BYTES_MAX, "SAM header", block.where)
            if block.kind != FILE_HEADER and not number:
                said = f"its SAM header is due, and the block is of type {block.kind}"
                raise Broken(BLOCK_KIND, said, block.where)
            allowed = (RAW, GZIP) if self._version >= (3, 0) and not number else (RAW,)
            if block.method not in allowed:
                said = f"a block of its SAM header has the method {block.method}"
                findings.add(HEADER_METHOD, said, block.where)
            keep = block.method <= LZMA
            data = read_block_data(cursor, block, self._version, findings, keep=keep)
            if not number:
                if data is None:
                    raise Broken(HEADER_TEXT, "its SAM header cannot be read", block.where)
                text = header_text(data, block.where)
            elif data and data.strip(b"\0"):
                findings.add(HEADER_ROOM, "the room behind its SAM header holds data", block.where)
        cursor.skip(end - cursor.at)
        return text

    def _compare(self, header: Header, expected: Expected) -> None:
        """The text by the rules of SAM, and with what is known of the file.

        Slices are compared with the reference where their bases are: not its whole digest here.
        """
        found = read_header(header.text, self._findings, with_lines=False)
        known = replace(expected, reference_path=None)
        self._build = compare_header(found, known, self._findings)
        if len(found.names) == len(header.sequences):
            self.alignments = Alignments(found, known, self._findings)

    def containers(self, header: Header, reference: Reference | None) -> None:
        """All that follows the header, to the end of the file; Broken where it is cut."""
        restoring = Restoring(reference, header.sequences, self._findings)
        self._batch.reference = reference.for_htslib if reference is not None else None
        body = Body(self._cursor, self._version, len(header.sequences), restoring, self._findings)
        before = 0
        for container in self._each():
            self._containers += 1
            before += self._container(container, body, before)
        self._slices = body.slices
        if restoring.missing:
            said = f"{self.no_reference}; the bases of {restoring.missing} slices were not read"
            self._findings.add(REFERENCE_UNAVAILABLE, said)
        for name in restoring.without_md5:
            said = f"reads are differences to {name[:NAME_CHARACTERS_MAX]}, and its @SQ has no M5"
            self._findings.add(M5, said)

    def _each(self) -> Iterator[Container]:
        """The containers but the one that ends the file; Broken where that is missing."""
        cursor = self._cursor
        while not cursor.at_end():
            container = read_container(cursor, self._version)
            if not container.is_end:
                yield container
                continue
            self._end(container)
            self._behind()
            return
        said = "the container that ends every CRAM file is missing"
        raise Broken(TRUNCATED, said, Where(byte=cursor.at))

    def _behind(self) -> None:
        """What follows the end may be another end, and nothing else."""
        cursor, ends = self._cursor, EOFS[self._version[0]]
        while not cursor.at_end():
            where = Where(byte=cursor.at)
            if cursor.peek(len(ends[0])) not in ends:
                self._findings.add(AFTER_EOF, "something follows the container that ends it", where)
                return
            cursor.take(len(ends[0]))
            self._findings.add(EOF_AGAIN, "the container that ends it stands there again", where)

    def _end(self, container: Container) -> None:
        cursor = self._cursor
        if container.length > EOF_BYTES_MAX:
            cursor.skip(container.length)
            body = b""
        else:
            body = cursor.take(container.length)
        if container.stored + body not in EOFS[self._version[0]]:
            said = "the container that ends it has other bytes than the specification gives"
            self._findings.add(EOF_BYTES, said, container.where)
            self._end_blocks(container, body)

    def _end_blocks(self, container: Container, body: bytes) -> None:
        """Damage is another matter than an end that is only written in another way."""
        cursor = Cursor(Source([body]))
        for _ in range(container.blocks):
            block = read_block_header(cursor, len(body), self._version, self._findings)
            read_block_data(cursor, block, self._version, self._findings, keep=False)

    def _container(self, container: Container, body: Body, before: int) -> int:
        """How many records it has, by its slices where they can be read."""
        cursor, findings = self._cursor, self._findings
        errors, end = findings.count(Severity.ERROR), cursor.at + container.length
        self._batch.stage(container.stored)
        cursor.copy = self._batch.write
        records, with_bases = container.records, False
        try:
            with_bases = body.read(container, before)
            records = body.records
        except Unsound:
            pass
        except Broken as broken:
            if broken.rule is TRUNCATED:
                raise
            findings.add(broken.rule, broken.message, broken.where)
        else:
            if cursor.at < end:
                said = f"its container is {end - cursor.at} bytes longer than its blocks"
                findings.add(CONTAINER_LENGTH, said, container.where)
        cursor.copy = None
        cursor.skip(end - cursor.at)
        if findings.count(Severity.ERROR) == errors and records:
            fields = ALL if with_bases else WITHOUT_BASES
            self._batch.keep(records, WITHOUT_LETTERS if body.is_large else fields)
        return records

    def measured(self, records: Records) -> Measured:
        """What the records are, and how they are stored."""
        metrics, reads, bases = records.metrics()
        covered = self.alignments.coverage() if self.alignments is not None else Coverage()
        return Measured(
            "CRAM", metrics.model_copy(update=covered.metrics), reads, bases,
            reference=self._build,
            version=f"{self._version[0]}.{self._version[1]}",
            details={
                "records": records.records,
                "containers": self._containers,
                "slices": self._slices,
                **covered.details,
                "unknown": covered.unknown,
            },
        )  # fmt: skip
