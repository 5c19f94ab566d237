"""Readers that have no rules of their own: what they raise, the engine finds a rule for."""

from __future__ import annotations

from genoflow.processors.validation import house
from genoflow.processors.validation.alignments import read_alignments
from genoflow.processors.validation.cram import walk_cram
from genoflow.processors.validation.fastq import read_fastq
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.formats import HEAD_BYTES, ROLES, format_of
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.port import Expected, Fault, Measured
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.scratch import keep, scratch
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.variants import read_variants

STORED_AS = {"BAM": "bgzf", "BCF": "bgzf", "CRAM": "none"}  # VCF and SAM may come in each way
TEXTS = ("VCF", "SAM")

OF_FAULTS = {
    "truncated": house.TRUNCATED,
    "checksum mismatch": house.OTHER_BYTES,
    "not this format": house.OTHER_FORMAT,
    "malformed record": house.MALFORMED,
    "empty": house.NO_READS,
    "mates differ": house.MATES_DIFFER,
    "wrong build": house.OTHER_BUILD,
    "wrong sample": house.OTHER_SAMPLE,
    "gone": house.GONE,
    "unreadable": house.UNREADABLE,
}


def rule_of(fault: Fault) -> Rule:
    """The rule of this meaning, for readers that have none of their own."""
    return OF_FAULTS[fault.code]


def fastq(source: Source, compression: str, expected: Expected, _: Findings) -> Measured:
    """Every record of reads."""
    return read_fastq(blocks_of(source, compression), expected, exact=compression == "none")


def by_htslib(source: Source, compression: str, expected: Expected, _: Findings) -> Measured:
    """Looked through for damage while a copy is made, which htslib then reads."""
    form = format_of(source.peek(HEAD_BYTES)) or ROLES[expected.role][0]
    if compression != STORED_AS.get(form, compression):
        said = f"it is {form} with compression {compression}, and not {STORED_AS[form]}"
        raise Fault("not this format", said, at_byte=0)
    with scratch(expected.size_bytes) as file:
        source.copy_to(lambda piece: keep(file, piece))
        try:
            if form == "CRAM":
                walk_cram(source)
            else:
                _whole(source, compression, is_text=form in TEXTS)
        finally:
            source.copy_to(lambda _: None)  # what is left is taken for its checksums alone
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


def index(source: Source, compression: str, expected: Expected, _: Findings) -> Measured:
    """An index by its magic, and its compression to the end."""
    form = format_of(source.peek(HEAD_BYTES)) or expected.role
    _whole(source, compression)
    return Measured(form)
