"""The validator in plain Python: finds the format, reads every record, hashes on the way."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable

from genoflow.processors.validation.alignments import read_alignments
from genoflow.processors.validation.cram import walk_cram
from genoflow.processors.validation.fastq import read_fastq
from genoflow.processors.validation.inflate import blocks_of, compression_of
from genoflow.processors.validation.port import (
    WAYS_OUT,
    Expected,
    Fault,
    Finding,
    Found,
    Measured,
)
from genoflow.processors.validation.scratch import keep, scratch
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.variants import read_variants

HEAD_BYTES = 66_000  # a whole first block of BGZF, which is 65,536 at most
LEAD_BYTES = 64  # of text, by which a format is known
# By the first bytes of the text; the first that fits. SAM begins with @ as FASTQ does.
LEADS: tuple[tuple[bytes, str], ...] = (
    (b"BAM\x01", "BAM"),
    (b"CRAM", "CRAM"),
    (b"BCF\x02", "BCF"),
    (b"##fileformat=VCF", "VCF"),
    (b"BAI\x01", "BAI"),
    (b"TBI\x01", "TBI"),
    (b"CSI\x01", "CSI"),
    (b"@HD\t", "SAM"),
    (b"@SQ\t", "SAM"),
    (b"@RG\t", "SAM"),
    (b"@", "FASTQ"),
    (b">", "FASTA"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"PK\x03\x04", "ZIP"),
)
READS = ("FASTQ",)
# What a role may hold. Of CRAI there is no magic: it is compressed text.
ROLES: dict[str, tuple[str, ...]] = {
    "R1": READS,
    "R2": READS,
    "I1": READS,
    "I2": READS,
    "BAM": ("BAM",),
    "CRAM": ("CRAM",),
    "VCF": ("VCF", "BCF"),
    "BAI": ("BAI", "CSI"),
    "TBI": ("TBI", "CSI"),
    "CRAI": ("CRAI",),
}
# Where a contradicted checksum is the better explanation of what was found.
DAMAGE = ("malformed record", "unreadable")

Reader = Callable[[Source, str, Expected], Measured]


def _fastq(source: Source, compression: str, expected: Expected) -> Measured:
    return read_fastq(blocks_of(source, compression), expected, exact=compression == "none")


def _by_htslib(source: Source, compression: str, expected: Expected) -> Measured:
    """Looked through for damage while a copy is made, which htslib then reads."""
    form = format_of(source.peek(HEAD_BYTES)) or ROLES[expected.role][0]
    if compression != STORED_AS.get(form, compression):
        said = f"it is {form} with compression {compression}, and not {STORED_AS[form]}"
        raise Fault("not this format", said, at_byte=0)
    with scratch(expected.size_bytes) as file:
        source.copy_to(lambda piece: keep(file, piece))
        if form == "CRAM":
            walk_cram(source)
        else:
            _whole(source, compression, is_text=form == "VCF")
        file.seek(0)
        if form in ("VCF", "BCF"):
            return read_variants(file, form, expected)
        return read_alignments(file, form, expected)


def _whole(source: Source, compression: str, *, is_text: bool = False) -> None:
    """Its stream from end to end; Fault where a text ends within a line."""
    last = b"\n"
    for block in blocks_of(source, compression):
        last = block.text[-1:]
    if is_text and last != b"\n":
        said = "it ends in the middle of a line"
        raise Fault("truncated", said, source.size_bytes)


def _index(source: Source, compression: str, expected: Expected) -> Measured:
    form = format_of(source.peek(HEAD_BYTES)) or ROLES[expected.role][0]
    _whole(source, compression)
    return Measured(form if form != "unknown" else expected.role)


STORED_AS = {"BAM": "bgzf", "BCF": "bgzf", "CRAM": "none"}  # VCF may come in each way
READERS: dict[str, Reader] = {
    "FASTQ": _fastq,
    "BAM": _by_htslib,
    "CRAM": _by_htslib,
    "VCF": _by_htslib,
    "BCF": _by_htslib,
}


class PythonEngine:
    """The port, by zlib and calls over whole blocks."""

    name = "genoflow-python"
    version = "1"

    def validate(self, pieces: Iterable[bytes], expected: Expected) -> Found | Finding:
        """Found or Finding; Retry where a copy is needed and there is no room for it."""
        source = Source(pieces)
        try:
            compression, measured = _read(source, expected)
            source.drain()
            _compare(source, expected)
        except Fault as fault:
            return _finding(source, expected, fault)
        return Found(measured, compression, source.size_bytes, source.md5, source.sha256)


def format_of(head: bytes) -> str:
    """The format that the first bytes speak of; `unknown`, or nothing where they are too few."""
    text = head
    if compression_of(head) != "none":
        try:
            text = zlib.decompressobj(wbits=31).decompress(head, LEAD_BYTES)
        except zlib.error:
            return ""  # its reader says where it is damaged
    if not text:
        return ""
    known = next((form for lead, form in LEADS if text.startswith(lead)), "")
    # What is cut before it can be known is left to the reader of its role.
    cut = any(lead.startswith(text) for lead, _ in LEADS)
    return known or ("" if cut else "unknown")


def _read(source: Source, expected: Expected) -> tuple[str, Measured]:
    head = source.peek(HEAD_BYTES)
    if not head:
        raise Fault("empty", "it has no bytes", at_byte=0)
    compression, form = compression_of(head), format_of(head)
    allowed = ROLES.get(expected.role)
    if allowed is None:
        return compression, Measured(form or "unknown")
    if expected.role == "CRAI" and form == "unknown" and compression != "none":
        form = "CRAI"
    if form and form not in allowed:
        found = "of no known format" if form == "unknown" else f"in the format {form}"
        said = f"it is {found}, and its role {expected.role} asks for {' or '.join(allowed)}"
        raise Fault("not this format", said, at_byte=0)
    form = form or allowed[0]
    return compression, READERS.get(form, _index)(source, compression, expected)


def _compare(source: Source, expected: Expected) -> None:
    """The bytes as a whole with what was said of them."""
    if expected.size_bytes not in (None, source.size_bytes):
        said = f"it landed with {expected.size_bytes} bytes and has {source.size_bytes} now"
        raise Fault("gone", f"{said}: another object has taken its place")
    if said := _contradiction(source, expected):
        raise Fault("checksum mismatch", said)


def _contradiction(source: Source, expected: Expected) -> str:
    pairs = (
        ("MD5", expected.declared_md5, source.md5),
        ("SHA-256", expected.declared_sha256, source.sha256),
    )
    return "; ".join(
        f"its {name} was declared as {declared} and is {found}"
        for name, declared, found in pairs
        if declared not in (None, found)
    )


def _finding(source: Source, expected: Expected, fault: Fault) -> Finding:
    code, reason = fault.code, fault.reason
    md5 = sha256 = size_bytes = None
    if expected.declared_md5 or expected.declared_sha256 or code == "checksum mismatch":
        source.drain()
        md5, sha256, size_bytes = source.md5, source.sha256, source.size_bytes
        said = _contradiction(source, expected)
        if code in DAMAGE and said:
            code, reason = "checksum mismatch", f"{said}; {reason}"
    reason = f"{reason}; {WAYS_OUT[code]}"
    return Finding(code, reason, fault.at_byte, fault.at_record, size_bytes, md5, sha256)
