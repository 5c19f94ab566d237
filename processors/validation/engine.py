"""The validator: finds the format, has its reader look at every record, hashes on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from genoflow.processors.validation import house
from genoflow.processors.validation.cram.reader import read_cram
from genoflow.processors.validation.digests import Digests
from genoflow.processors.validation.findings import NOWHERE, Broken, Findings, Where
from genoflow.processors.validation.formats import (
    ANY_BYTES,
    HEAD_BYTES,
    ROLES,
    UNKNOWN,
    format_of,
)
from genoflow.processors.validation.indexes.binning import read_index
from genoflow.processors.validation.indexes.crai import read_crai
from genoflow.processors.validation.inflate import blocks_of, compression_of
from genoflow.processors.validation.port import Expected, Measured, Report
from genoflow.processors.validation.reads.reader import read_fastq
from genoflow.processors.validation.rules import Severity
from genoflow.processors.validation.sam.read import read_bam, read_sam
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.vcf.bcf import read_bcf
from genoflow.processors.validation.vcf.reader import read_vcf

START = Where(byte=0)

Reader = Callable[[Source, str, Expected, Findings], Measured]
# A format's reader adds what it finds, and raises Broken only where it cannot go on.
READERS: dict[str, Reader] = {
    "FASTQ": read_fastq,
    "SAM": read_sam,
    "BAM": read_bam,
    "CRAM": read_cram,
    "VCF": read_vcf,
    "BCF": read_bcf,
    "BAI": read_index,
    "CSI": read_index,
    "TBI": read_index,
    "CRAI": read_crai,
}
OF_READS = ("BAM", "CRAM")  # roles; the reader of FASTQ asks for reads itself
MAY_BE_EMPTY = ("FASTQ", "SAM")  # of no bytes at all; the others have a header or a magic


class PythonEngine:
    """The port, by the readers of the formats."""

    name = "genoflow-python"
    version = "2"

    def validate(self, pieces: Iterable[bytes], expected: Expected) -> Report:
        """A report; Retry where a reader needs room on the disk and there is none."""
        source = Source(pieces, Digests(expected.checksums, expected.part_sizes))
        findings = Findings()
        head = source.peek(HEAD_BYTES)
        compression, form = compression_of(head), format_of(head)
        measured = None
        try:
            measured = _read(source, compression, form, expected, findings)
        except Broken as broken:
            findings.add(broken.rule, broken.message, broken.where)
        source.drain()
        if measured is not None:
            _demand_reads(measured, expected, findings)
        _compare(source, expected, findings)
        return Report(
            compression=compression,
            size_bytes=source.size_bytes,
            md5=source.md5,
            sha256=source.sha256,
            findings=findings,
            format=_known(measured.format if measured else form),
            measured=measured,
        )


def _known(form: str) -> str | None:
    return None if form in ("", UNKNOWN) else form


def _read(
    source: Source, compression: str, form: str, expected: Expected, findings: Findings
) -> Measured:
    if expected.role == ANY_BYTES:
        return Measured(form or UNKNOWN)
    form = _due(source, compression, form, expected)
    return READERS[form](source, compression, expected, findings)


def _due(source: Source, compression: str, form: str, expected: Expected) -> str:
    """The format whose reader is asked; Broken where its bytes and its role allow none."""
    allowed = ROLES.get(expected.role, tuple(READERS))
    if not source.peek(1):
        form = allowed[0] if expected.role else expected.named
        if form not in MAY_BE_EMPTY:
            raise Broken(house.EMPTY, "it has no bytes", START)
    if form == UNKNOWN and expected.role == "CRAI" and compression != "none":
        form = "CRAI"  # of a cut one not even the first line may be whole
    if form in allowed:
        return form
    if form and expected.role:
        found = "of no known format" if form == UNKNOWN else f"in the format {form}"
        said = f"it is {found}, and its role {expected.role} asks for {' or '.join(allowed)}"
        raise Broken(house.OTHER_FORMAT, said, START)
    if form:
        said = "it is of no known format" if form == UNKNOWN else f"it is {form}"
        raise Broken(house.UNKNOWN_FORMAT, said, START)
    if expected.role:
        return allowed[0]
    return _named(source, compression, expected)


def _named(source: Source, compression: str, expected: Expected) -> str:
    """What its name says, where its stream is whole and has no text; Broken elsewhere."""
    if compression != "none" and expected.named in MAY_BE_EMPTY:
        return expected.named  # its reader says where the stream is damaged
    for _ in blocks_of(source, compression):
        raise Broken(house.UNKNOWN_FORMAT, "it ends before its format can be known", START)
    raise Broken(house.EMPTY, "its compressed stream holds no bytes", START)


def _demand_reads(measured: Measured, expected: Expected, findings: Findings) -> None:
    """Alignments of a read set are some, which no specification asks for."""
    due = expected.role in OF_READS and expected.reads != 0
    if due and measured.reads == 0 and not findings.count(Severity.ERROR):
        findings.add(house.NO_READS, "it holds no reads")


def _compare(source: Source, expected: Expected, findings: Findings) -> None:
    """The bytes as a whole with what was said of them."""
    if expected.size_bytes not in (None, source.size_bytes):
        said = f"it landed with {expected.size_bytes} bytes and has {source.size_bytes} now"
        findings.add(house.OTHER_SIZE, f"{said}: another object has taken its place")
    if said := "; ".join(_contradictions(source, expected)):
        findings.add(house.OTHER_BYTES, said, NOWHERE)


def _contradictions(source: Source, expected: Expected) -> Iterator[str]:
    pairs = (
        ("MD5", expected.declared_md5, source.md5),
        ("SHA-256", expected.declared_sha256, source.sha256),
    )
    for name, declared, found in pairs:
        if declared not in (None, found):
            yield f"its {name} was declared as {declared} and is {found}"
    for name, declared, found in source.contradictions(expected.checksums):
        yield f"its {name} was declared as {declared} and is {found}"
