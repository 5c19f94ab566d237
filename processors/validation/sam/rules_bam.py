"""What the binary form is held to beyond the rules of its records."""

from __future__ import annotations

from functools import partial

from genoflow.processors.validation.rules import Rule, Severity

_error = partial(Rule, severity=Severity.ERROR)
_violation = partial(Rule, severity=Severity.VIOLATION)
_note = partial(Rule, severity=Severity.NOTE)

FORMAT = "SAM 4.2"
AGAIN = "write it anew with the program that made it"

COMPRESSION = _error(
    code="bam-not-bgzf",
    section=FORMAT,
    asks="a BAM file is compressed as BGZF",
    remedy="compress it with bgzip or write it anew with `samtools view -b`",
    example="a BAM file compressed with gzip",
    kind="not this format",
)
MAGIC = _error(
    code="bam-magic",
    section=FORMAT,
    asks="a BAM file begins with BAM and the byte 1",
    remedy="send the file that its role asks for",
    example="the first byte changed",
    kind="not this format",
)
TRUNCATED = _error(
    code="bam-truncated",
    section=FORMAT,
    asks="header and records are whole",
    remedy="send it again whole, and compare its size before and after",
    example="the last bytes of the last record removed",
    kind="truncated",
)
HEADER_LENGTH = _error(
    code="bam-header-length",
    section=FORMAT,
    asks="l_text is below 2,147,483,648",
    remedy=AGAIN,
    example="l_text set to 2,147,483,648",
    kind="unreadable",
)
REFERENCE_COUNT = _error(
    code="bam-reference-count",
    section=FORMAT,
    asks="n_ref is below 2,147,483,648",
    remedy=AGAIN,
    example="n_ref set to 4,294,967,295",
    kind="unreadable",
)
REFERENCE_NAME = _error(
    code="bam-reference-name",
    section=FORMAT,
    asks="a reference name has a length and ends with NUL, which stands nowhere else in it",
    remedy=AGAIN,
    example="the NUL behind the first reference name replaced",
)
REFERENCE_LENGTH = _violation(
    code="bam-reference-length",
    section=FORMAT,
    asks="l_ref is between 1 and 2,147,483,647",
    remedy=AGAIN,
    example="l_ref of the first reference set to 0 in both lists",
)
REFERENCE_DIFFERS = _error(
    code="bam-reference-differs",
    section=FORMAT,
    asks="the list of references is that of the @SQ lines, in the same order",
    remedy="write the header anew with `samtools reheader`",
    example="l_ref of the first reference changed",
)
REFERENCE_ALONE = _note(
    code="bam-reference-alone",
    section=FORMAT,
    asks="the header text has the @SQ lines of the list of references",
    remedy="write the header anew with `samtools reheader`",
    example="a header text without @SQ lines",
)
RECORD_LENGTH = _error(
    code="bam-record-length",
    section=FORMAT,
    asks="block_size holds all fields of its record, and is at most 32 MiB",
    remedy=AGAIN,
    example="block_size of the first record set to 31",
)
FIELD_LENGTHS = _error(
    code="bam-field-lengths",
    section=FORMAT,
    asks="name, CIGAR, SEQ and QUAL end within their record",
    remedy=AGAIN,
    example="l_seq of the first record set to 1,000,000",
)
NAME = _error(
    code="bam-name",
    section=FORMAT,
    asks="read_name has a length and ends with NUL, which stands nowhere else in it",
    remedy=AGAIN,
    example="the NUL behind the first read name replaced",
)
REFERENCE_ID = _error(
    code="bam-reference-id",
    section=FORMAT,
    asks="refID and next_refID are -1 or below n_ref",
    remedy=AGAIN,
    example="refID of the first record set to n_ref",
)
POSITION = _violation(
    code="bam-position",
    section=FORMAT,
    asks="pos and next_pos are -1 or more",
    remedy=AGAIN,
    example="pos of the first record set to -2",
)
CIGAR_CODE = _error(
    code="bam-cigar-code",
    section=FORMAT,
    asks="an operation of CIGAR is one of 0 to 8",
    remedy=AGAIN,
    example="the first operation of the first record set to 9",
)
CIGAR_PLACEHOLDER = _violation(
    code="bam-cigar-placeholder",
    section="SAM 4.2.2",
    asks="CG is of type B,I, behind a CIGAR of kSmN that is as long as SEQ and the real CIGAR",
    remedy="write it anew with a current samtools",
    example="a record with CIGAR 4M and the tag CG",
)
QUALITY = _violation(
    code="bam-quality",
    section="SAM 4.2.3",
    asks="qualities are 0 to 93, or all of them 255",
    remedy=AGAIN,
    example="the first quality of the first record set to 94",
)
BIN = _note(
    code="bam-bin",
    section="SAM 4.2.1",
    asks="bin is that of the interval of the alignment",
    remedy="none; indexing computes it anew",
    example="bin of the first record changed",
)
TAG_LENGTH = _error(
    code="bam-tag-length",
    section="SAM 4.2.4",
    asks="optional fields fill the rest of their record, and texts end with NUL",
    remedy=AGAIN,
    example="the last byte of the last record removed, and its block_size reduced",
)
TAG_TYPE = _error(
    code="bam-tag-type",
    section="SAM 4.2.4",
    asks="a type is one of AcCsSiIfZHB, and that of an array one of cCsSiIf",
    remedy=AGAIN,
    example="the type of the first optional field set to Q",
)

RULES: tuple[Rule, ...] = tuple(rule for rule in globals().values() if isinstance(rule, Rule))
