"""The records of a CRAM file: containers in batches, each whole and checked, read by htslib."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from genoflow.events.file_metrics import FileMetrics
from genoflow.native import batch
from genoflow.processors.validation.cram.ahead import Ahead
from genoflow.processors.validation.cram.alignments import Alignments, add_quality
from genoflow.processors.validation.cram.containers import EOFS
from genoflow.processors.validation.cram.rules import HEADER_TEXT, RECORDS
from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.sam.totals import Totals
from genoflow.processors.validation.scratch import scratch
from genoflow.processors.validation.sums import Sums, share

AT_ONCE_RECORDS = 5_000  # of 150 bases: 1.5 MB of letters
AT_ONCE_BASES = 16 * 1024**2  # of long reads there are fewer at once: 32 MB of letters
STEP_RECORDS = 100  # between two looks at how many bases there are
BATCH_BYTES = 16 * 1024**2  # stored: a header is read again for each batch
STAGE_BYTES = 1024**2  # of a container in memory; larger ones wait on the disk
# SAM_SEQ and SAM_TLEN of htslib, and all fields. What asks for neither needs no reference, and
# htslib then looks for none: not in this machine's folders, not in its cache, not at any address.
SEQUENCE, QUALITIES, TEMPLATE_LENGTH, ALL = 0x200, 0x400, 0x100, 0x1FFF
WITHOUT_BASES = ALL & ~(SEQUENCE | TEMPLATE_LENGTH)
WITHOUT_LETTERS = WITHOUT_BASES & ~QUALITIES
NOT_PRIMARY = 0x900  # secondary or supplementary: another line about a read that was counted
UNMAPPED, DUPLICATE = 0x4, 0x400
# Scores of qualities as records have them, and the letters that SAM writes for them.
SCORES = bytes(range(94))
BEYOND_SCALE = bytes(range(94, 256))
TO_LETTERS = bytes((score + 33) % 256 for score in range(256))
# What htslib and its wrapper raise of bytes that they cannot take.
UNREADABLE = (
    OSError, ValueError, TypeError, LookupError, ArithmeticError, NotImplementedError,
    AssertionError,
)  # fmt: skip


class Records:
    """The sums over all records of a file."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.records = 0
        self._sums = Sums()
        self._mapped = self._duplicates = 0
        self._has_lengths = True
        self.alignments: Alignments | None = None  # none: the header is not one to compare with
        self.ahead: Ahead | None = None  # none: there is no extension, or nothing to compare with

    def take(self, records: list[Any], fields: int, header: Any) -> None:
        """Count those that are the one line of their read."""
        # First of all, as it may not be text: nothing of these records is counted then.
        for record in records:
            record.query_name  # noqa: B018
        if self.ahead is None or fields != ALL:
            self._take(records, self.records, fields)
        else:
            # The first of a file is compared with the read set, which the extension does not know.
            first = 0 if self.records else 1
            for begin, end in self.ahead.doubtful(records, header, first):
                self._take(records[begin:end], self.records + begin, fields)
        self.records += len(records)

    def _take(self, records: list[Any], before: int, fields: int) -> None:
        # Without letters htslib does not say how long an unmapped read is.
        self._has_lengths = self._has_lengths and fields != WITHOUT_LETTERS
        # Not as pysam's text: of a read of one base it changes the byte that Python shares.
        arrays = [record.query_qualities for record in records]
        texts = [b"" if found is None else found.tobytes() for found in arrays]
        worst: dict[int, int] = {}
        if b"".join(texts).translate(None, SCORES):
            most = ((number, max(text, default=0)) for number, text in enumerate(texts, before + 1))
            worst = {number: quality for number, quality in most if quality > SCORES[-1]}
        if self.alignments is not None:
            with_bases = bool(fields & SEQUENCE)
            self.alignments.take(records, before, worst, with_bases=with_bases)
        else:
            for number, quality in worst.items():
                add_quality(quality, number, self._findings)
        primary = [at for at, record in enumerate(records) if not record.flag & NOT_PRIMARY]
        flags = [records[at].flag for at in primary]
        self._mapped += sum(not flag & UNMAPPED for flag in flags)
        self._duplicates += sum(bool(flag & DUPLICATE) for flag in flags)
        lengths = [records[at].query_length for at in primary]
        bases = ""
        if fields & SEQUENCE:
            bases = "".join([records[at].query_sequence or "" for at in primary])
        kept = b"".join([texts[at] for at in primary])
        qualities = kept.translate(TO_LETTERS, BEYOND_SCALE)
        self._sums.take(lengths, bases.encode("ascii", "replace"), qualities)

    def settle(self) -> None:
        """Add what the extension counted; once, however the reading ended."""
        if self.ahead is not None and self.alignments is not None:
            totals = Totals()
            self.alignments.scan.give(totals, self._findings)
            self._mapped += totals.counts["mapped_reads"]
            self._duplicates += totals.counts["duplicate_reads"]
            self._sums.join(totals.counts)

    def metrics(self) -> tuple[FileMetrics, int, int | None]:
        """The sums, the reads and the bases; repeated reads are those that a tool has marked."""
        reads, sums = self._sums.reads, self._sums.metrics()
        if not self._has_lengths:
            sums.update(read_length_min=None, read_length_max=None)
        metrics = FileMetrics(
            **sums,
            mapped_fraction=share(self._mapped, reads),
            duplicate_fraction=share(self._duplicates, reads) if self._duplicates else None,
        )
        return metrics, reads, self._sums.bases if self._has_lengths else None


class Batch:
    """Containers that wait to be read, behind the file's definition and header."""

    def __init__(
        self, records: Records, files: tuple[IO[bytes], IO[bytes], IO[bytes]], findings: Findings
    ) -> None:
        self._records = records
        self._findings = findings
        self._stage, self._file, self._binary = files
        self._opening = b""
        self._eof = b""
        self._due = 0
        self._fields = ALL
        self._over = False  # a record could not be read: the walk goes on for its own sake
        self.reference: Path | None = None

    def open(self, opening: bytes, major: int, alignments: Alignments | None) -> None:
        """What stands in the file before its first container, and what its records have to be."""
        self._opening, self._eof = opening, EOFS[major][-1]
        self._records.alignments = alignments
        if alignments is not None and batch.extension() is not None:
            self._records.ahead = Ahead(alignments.scan, self._binary, self._findings)

    def stage(self, stored: bytes) -> None:
        """Begin with a container, whose bytes are then written."""
        self._stage.seek(0)
        self._stage.truncate()
        self._stage.write(stored)

    def write(self, part: bytes) -> None:
        """More of the container that was begun."""
        self._stage.write(part)

    def keep(self, records: int, fields: int) -> None:
        """The container is sound: it is read now or later, or not where reading has ended."""
        if self._over:
            return
        if self._due and self._fields != fields:
            self.read()
        if not self._due:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(self._opening)
            self._fields = fields
        self._stage.seek(0)
        shutil.copyfileobj(self._stage, self._file)
        self._due += records
        if self._file.tell() > BATCH_BYTES:
            self.read()

    def read(self) -> None:
        """Read what waits; what htslib cannot read is a finding, and ends the reading."""
        try:
            if self._due:
                self._read()
        except Broken as broken:
            self._over = True
            self._findings.add(broken.rule, broken.message, broken.where)

    def _read(self) -> None:
        due, self._due = self._due, 0
        self._file.write(self._eof)
        self._file.flush()
        self._file.seek(0)
        before = self._records.records
        with self._opened() as opened:
            found = opened.fetch(until_eof=True)
            while some := _some(found, self._records.records):
                try:
                    self._records.take(some, self._fields, opened.header)
                except UNREADABLE as error:
                    number = self._records.records + 1
                    said = f"one of the records from {number} cannot be read: {error}"
                    raise Broken(RECORDS, said, Where(record=number)) from error
        read = self._records.records - before
        if read != due:
            said = f"{due} records are due behind record {before}, and {read} are there"
            raise Broken(RECORDS, said, Where(record=before + read))

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import pysam  # noqa: PLC0415 -- takes 0.2 s, and only who reads bytes needs it

        pysam.set_verbosity(0)  # what it has to say comes back as an error
        options = [f"required_fields={self._fields}", "decode_md=0"]
        wanted = self._fields & SEQUENCE and self.reference is not None
        reference = str(self.reference) if wanted else None
        try:
            opened = pysam.AlignmentFile(
                self._file, "rc", check_sq=False, format_options=options,
                reference_filename=reference,
            )  # fmt: skip
        except UNREADABLE as error:
            raise Broken(HEADER_TEXT, f"its SAM header cannot be read: {error}") from error
        with opened:
            yield opened


def _some(found: Iterator[Any], before: int) -> list[Any]:
    """The next records, as many as are looked at at once; none at the end."""
    some: list[Any] = []
    bases = 0
    while len(some) < AT_ONCE_RECORDS and bases < AT_ONCE_BASES:
        known = len(some)
        try:
            some.extend(islice(found, STEP_RECORDS))
        except UNREADABLE as error:
            number = before + len(some) + 1
            said = f"record {number} cannot be read: {error}"
            raise Broken(RECORDS, said, Where(record=number)) from error
        if len(some) == known:
            break
        bases += sum([one.query_length for one in some[known:]])
    return some


@contextmanager
def batches(records: Records, findings: Findings) -> Iterator[Batch]:
    """A batch, with files that the system frees with the process; Retry where there is no room."""
    with (
        scratch() as file,
        scratch() as binary,
        tempfile.SpooledTemporaryFile(STAGE_BYTES) as stage,
    ):
        yield Batch(records, (stage, file, binary), findings)
