"""What the optional fields of an alignment are held to."""

from __future__ import annotations

from functools import partial

from genoflow.processors.validation.rules import Rule, Severity

_error = partial(Rule, severity=Severity.ERROR)
_violation = partial(Rule, severity=Severity.VIOLATION)
_note = partial(Rule, severity=Severity.NOTE)

FIELDS = "SAM 1.5"
AGAIN = "write it anew with the program that made it"
CALMD = "compute MD and NM anew with `samtools calmd`"
_UNMAPPED = "r\t4\t*\t0\t0\t*\t*\t0\t0\tACC\tIII\t"
_MAPPED = "r\t0\tchr1\t1\t9\t3M\t*\t0\t0\tACC\tIII\t"

FORM = _error(
    code="sam-tag-form",
    section=FIELDS,
    asks="an optional field is TAG:TYPE:VALUE, with a tag of two characters",
    remedy=AGAIN,
    example=_UNMAPPED + "NM=1",
)
NAME = _violation(
    code="sam-tag-name",
    section=FIELDS,
    asks="a tag is a letter and then a letter or digit",
    remedy="rename the tag; those with lower case are free",
    example=_UNMAPPED + "0A:Z:x",
)
REPEATED = _violation(
    code="sam-tag-repeated",
    section=FIELDS,
    asks="no tag stands twice in one alignment",
    remedy="keep the value that is meant",
    example=_UNMAPPED + "xx:Z:a\txx:Z:b",
)
TYPE = _error(
    code="sam-tag-type",
    section=FIELDS,
    asks="a type is A, i, f, Z, H or B",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:z:a",
)
TYPE_OF_BAM = _violation(
    code="sam-tag-type-of-bam",
    section=FIELDS,
    asks="in SAM every whole number has the type i",
    remedy="write i for c, C, s, S and I",
    example=_UNMAPPED + "xx:I:100",
)
CHARACTER = _error(
    code="sam-tag-character",
    section=FIELDS,
    asks="a value of type A is one printable character and no blank",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:A:ab",
)
INTEGER = _error(
    code="sam-tag-integer",
    section=FIELDS,
    asks="a value of type i is a whole number",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:i:10.9",
)
RANGE = _violation(
    code="sam-tag-range",
    section=FIELDS,
    asks="a whole number is between -2,147,483,648 and 4,294,967,295",
    remedy="write it with the type f or Z",
    example=_UNMAPPED + "xx:i:4294967296",
)
FLOAT = _violation(
    code="sam-tag-float",
    section=FIELDS,
    asks="a value of type f is a decimal number with a digit at its end, and no nan or inf",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:f:10.",
)
FLOAT_RANGE = _violation(
    code="sam-tag-float-range",
    section=FIELDS,
    asks="a value of type f fits into single precision",
    remedy="write it with the type Z",
    example=_UNMAPPED + "xx:f:1e39",
)
TEXT = _violation(
    code="sam-tag-text",
    section=FIELDS,
    asks="a value of type Z is of printable ASCII",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:Z:\x7f",
)
HEX = _violation(
    code="sam-tag-hex",
    section=FIELDS,
    asks="a value of type H is pairs of hexadecimal digits in upper case",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:H:1a",
)
ARRAY = _error(
    code="sam-tag-array",
    section=FIELDS,
    asks="a value of type B is one of cCsSiIf and then numbers behind commas",
    remedy=AGAIN,
    example=_UNMAPPED + "xx:B:F,1",
)
ARRAY_RANGE = _error(
    code="sam-tag-array-range",
    section=FIELDS,
    asks="the numbers of an array fit its type",
    remedy="write it with a larger type",
    example=_UNMAPPED + "xx:B:c,128",
)
STANDARD = _violation(
    code="sam-tag-standard-type",
    section="SAMtags 1",
    asks="a standard tag has the type that the specification gives it",
    remedy="write it with that type, or under a tag with lower case",
    example=_UNMAPPED + "NM:Z:1",
)
STANDARD_OLD = _note(
    code="sam-tag-old-type",
    section="SAMtags 1",
    asks="BC, H0, H1 and H2 have the types that the specification gives them",
    remedy="write it with that type, or under a tag with lower case",
    example=_UNMAPPED + "H0:H:1A",
)
CONTENT = _violation(
    code="sam-tag-content",
    section="SAMtags 1",
    asks="SA, OA, MC, OC, CT, PT and TS have the form that the specification gives them",
    remedy=AGAIN,
    example=_UNMAPPED + "SA:Z:chr1,1,+,3M",
)
LENGTHS = _violation(
    code="sam-tag-length",
    section="SAMtags 1",
    asks="BQ, E2 and U2 are as long as SEQ, CQ as CS, CY as CR and QX as RX",
    remedy=AGAIN,
    example=_UNMAPPED + "E2:Z:AC",
)
GROUP = _violation(
    code="sam-tag-group-unknown",
    section="SAMtags 1.2",
    asks="RG, LB and PU stand in an @RG line, and PG in an @PG line, where there are such lines",
    remedy="add the header line that is missing",
    example="@RG\tID:1\n" + _UNMAPPED + "RG:Z:2",
)
GROUP_UNDECLARED = _note(
    code="sam-tag-group-undeclared",
    section="SAM 2",
    asks="there are @RG lines where records have RG, and @PG lines where they have PG",
    remedy="add the header lines",
    example=_UNMAPPED + "RG:Z:2",
)
MD = _violation(
    code="sam-md-form",
    section="SAMtags 1.1",
    asks="MD is numbers, and between them mismatched bases or ^ and deleted ones",
    remedy=CALMD,
    example=_MAPPED + "MD:Z:1AC",
)
MD_LENGTH = _violation(
    code="sam-md-length",
    section="SAMtags 1.1",
    asks="MD speaks of as many aligned and deleted bases as CIGAR",
    remedy=CALMD,
    example=_MAPPED + "MD:Z:4",
)
MD_BASE = _note(
    code="sam-md-base",
    section="SAMtags 1.1",
    asks="a base that MD names as a mismatch differs from the one in SEQ",
    remedy=CALMD,
    example=_MAPPED + "MD:Z:0A2",
)
NM = _note(
    code="sam-nm-differs",
    section="SAMtags 1.1",
    asks="NM is the mismatches of MD and the inserted and deleted bases of CIGAR together",
    remedy=CALMD,
    example=_MAPPED + "MD:Z:3\tNM:i:1",
)
CG = _note(
    code="sam-cg-in-text",
    section="SAMtags 1.1",
    asks="CG stands in BAM alone",
    remedy="write the file anew with a current samtools",
    example=_UNMAPPED + "CG:B:I,16",
)
MM = _violation(
    code="sam-mm-form",
    section="SAMtags 1.7",
    asks="MM is a base, a strand, codes and skips behind commas, each entry with a semicolon",
    remedy="call the modifications again with a current program",
    example=_UNMAPPED + "MM:Z:C+m,0",
)
MM_BEYOND = _violation(
    code="sam-mm-beyond",
    section="SAMtags 1.7",
    asks="MM speaks of bases that SEQ has",
    remedy="remove MM and ML where the read was clipped after they were made",
    example=_UNMAPPED + "MM:Z:C+m,0,1;",
)
MM_STALE = _note(
    code="sam-mm-stale",
    section="SAMtags 1.7",
    asks="MN is the length of SEQ; where it is not, MM and ML are out of date",
    remedy="remove MM and ML, or make them anew",
    example=_UNMAPPED + "MM:Z:C+m,0;\tML:B:C,200\tMN:i:9",
)
ML = _violation(
    code="sam-ml-length",
    section="SAMtags 1.7",
    asks="ML has one probability for each code at each place of MM, and stands with MM alone",
    remedy="call the modifications again with a current program",
    example=_UNMAPPED + "MM:Z:C+m,0,0;\tML:B:C,200",
)

RULES: tuple[Rule, ...] = tuple(rule for rule in globals().values() if isinstance(rule, Rule))
