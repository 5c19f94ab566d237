"""What one alignment, and the order of all of them, is held to."""

from __future__ import annotations

from functools import partial

from genoflow.processors.validation.rules import Rule, Severity

_error = partial(Rule, severity=Severity.ERROR)
_violation = partial(Rule, severity=Severity.VIOLATION)
_note = partial(Rule, severity=Severity.NOTE)

FIELDS = "SAM 1.4"
ADVICE = "SAM 2"
ORDER = "SAM 1.3, @HD"
AGAIN = "write it anew with the program that made it"

LINE_LONG = _error(
    code="sam-line-long",
    section="",
    asks="a line has at most 32 MiB",
    remedy=AGAIN,
    example="a line of 32 MiB and one byte",
)
LINE_EMPTY = _error(
    code="sam-line-empty",
    section=FIELDS,
    asks="no line is empty",
    remedy="remove the empty line",
    example="@CO\tx\n\n@CO\ty",
)
LINE_END = _violation(
    code="sam-line-end",
    section=FIELDS,
    asks="a line ends with LF alone",
    remedy="convert the line ends, for instance with dos2unix",
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\r",
)
LAST_END = _note(
    code="sam-last-line-end",
    section="",
    asks="the last line has its line feed",
    remedy="see whether the file was cut, and add the line feed",
    example="a last line without its line feed",
)
NO_RECORDS = _note(
    code="sam-no-records",
    section="",
    asks="there are alignments",
    remedy="send it again, or invalidate its read set if there is nothing to send",
    example="@CO\tnothing else",
    kind="empty",
)
COLUMNS = _error(
    code="sam-columns",
    section=FIELDS,
    asks="an alignment has eleven fields behind tabs, and none of them is empty",
    remedy=AGAIN,
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tA",
)
NAME_LENGTH = _error(
    code="sam-name-length",
    section=FIELDS,
    asks="a read name has 1 to 254 characters",
    remedy="shorten the names",
    example="r" * 255 + "\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
NAME = _violation(
    code="sam-name",
    section="SAM 1.2.1",
    asks="a read name is of printable characters without blank and @",
    remedy="rename the reads",
    example="x@\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
FLAG = _error(
    code="sam-flag",
    section=FIELDS,
    asks="FLAG is a whole number between 0 and 65535, without sign or leading zeros",
    remedy=AGAIN,
    example="r\t0x4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
FLAG_RESERVED = _violation(
    code="sam-flag-reserved",
    section=FIELDS,
    asks="the bits from 0x1000 on are not set",
    remedy=AGAIN,
    example="r\t4100\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
FLAG_UNPAIRED = _note(
    code="sam-flag-unpaired",
    section=FIELDS,
    asks="without 0x1 nothing is said of 0x2, 0x8, 0x20, 0x40 and 0x80",
    remedy="set 0x1, or clear the others",
    example="r\t68\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
FLAG_SEGMENT = _note(
    code="sam-flag-segment",
    section=FIELDS,
    asks="a read of a pair is its first or its last: one of 0x40 and 0x80 is set",
    remedy="none where templates have more than two reads",
    example="r\t197\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
FLAG_UNMAPPED = _note(
    code="sam-flag-unmapped",
    section=FIELDS,
    asks="with 0x4 nothing is said by CIGAR, MAPQ, 0x2, 0x100 and 0x800",
    remedy="clear what is said of an unmapped read",
    example="r\t4\t*\t0\t20\t*\t*\t0\t0\tA\tI",
)
REF_NAME = _violation(
    code="sam-reference-name",
    section="SAM 1.2.1",
    asks="RNAME and RNEXT are * or names of references; RNEXT may be =",
    remedy="rename the sequence in the reference, and align again",
    example="@CO\tx\nr\t4\tx[]\t1\t0\t*\t*\t0\t0\tA\tI",
)
REF_UNKNOWN = _violation(
    code="sam-reference-unknown",
    section=FIELDS,
    asks="RNAME and RNEXT stand in an @SQ line where there are such lines",
    remedy="add the @SQ line that is missing",
    example="r\t4\tother\t1\t0\t*\t*\t0\t0\tA\tI",
)
NEXT_SAME = _note(
    code="sam-next-same",
    section=FIELDS,
    asks="RNEXT is = where it is the same as RNAME",
    remedy="write = for it",
    example="r\t1\tchr1\t1\t9\t1M\tchr1\t1\t0\tA\tI",
)
POSITION = _error(
    code="sam-position",
    section=FIELDS,
    asks="POS and PNEXT are whole numbers from 0 on, without sign or leading zeros",
    remedy=AGAIN,
    example="r\t0\tchr1\t088\t9\t1M\t*\t0\t0\tA\tI",
)
POSITION_RANGE = _violation(
    code="sam-position-range",
    section=FIELDS,
    asks="POS and PNEXT are at most 2,147,483,647 and TLEN within as much of 0",
    remedy="split the reference sequence",
    example="r\t4\t*\t2147483648\t0\t*\t*\t0\t0\tA\tI",
)
POSITION_BEYOND = _note(
    code="sam-position-beyond",
    section=ADVICE,
    asks="an alignment ends within its reference, unless that is circular",
    remedy="mark the read as unmapped",
    example="r\t0\tchr1\t1000\t9\t2M\t*\t0\t0\tAC\tII",
)
NEXT_BEYOND = _note(
    code="sam-next-beyond",
    section=FIELDS,
    asks="PNEXT lies within its reference",
    remedy="write the mates anew with `samtools fixmate`",
    example="r\t1\tchr1\t1\t9\t1M\t=\t1001\t0\tA\tI",
)
NO_PLACE = _note(
    code="sam-no-place",
    section=FIELDS,
    asks="a mapped read has RNAME, POS and CIGAR",
    remedy="set 0x4, or say where it is mapped",
    example="r\t0\t*\t0\t9\t*\t*\t0\t0\tA\tI",
)
NAME_WITHOUT_PLACE = _note(
    code="sam-half-place",
    section=FIELDS,
    asks="RNAME and POS, and RNEXT and PNEXT, are both known or both not",
    remedy="give both or none",
    example="r\t4\t*\t7\t0\t*\t*\t0\t0\tA\tI",
)
MAPQ = _error(
    code="sam-mapq",
    section=FIELDS,
    asks="MAPQ is a whole number between 0 and 255, without sign or leading zeros",
    remedy=AGAIN,
    example="r\t0\tchr1\t1\t256\t1M\t*\t0\t0\tA\tI",
)
MAPQ_NONE = _note(
    code="sam-mapq-none",
    section=ADVICE,
    asks="no alignment has the mapping quality 255",
    remedy="none where the aligner knows no better",
    example="r\t0\tchr1\t1\t255\t1M\t*\t0\t0\tA\tI",
)
CIGAR = _error(
    code="sam-cigar",
    section=FIELDS,
    asks="CIGAR is * or numbers, each with one of MIDNSHP=X",
    remedy=AGAIN,
    example="r\t0\tchr1\t1\t9\t1M2\t*\t0\t0\tA\tI",
)
CIGAR_LONG = _violation(
    code="sam-cigar-operation-long",
    section="SAM 4.2",
    asks="an operation of CIGAR has at most 268,435,455 bases",
    remedy="split the operation",
    example="r\t0\tchr1\t1\t9\t1M268435456N1M\t*\t0\t0\tAC\tII",
)
CIGAR_CLIP = _violation(
    code="sam-cigar-clip",
    section=FIELDS,
    asks="H stands at the ends of CIGAR alone, and only H stands outside of S",
    remedy="align again with a program that clips as the specification says",
    example="r\t0\tchr1\t1\t9\t1M1S1M\t*\t0\t0\tACG\tIII",
)
CIGAR_LENGTH = _error(
    code="sam-cigar-length",
    section=FIELDS,
    asks="the lengths of M, I, S, = and X add up to the length of SEQ",
    remedy=AGAIN,
    example="r\t0\tchr1\t1\t9\t3M\t*\t0\t0\tAC\tII",
)
CIGAR_ADJACENT = _note(
    code="sam-cigar-adjacent",
    section=ADVICE,
    asks="adjacent operations differ, and none has the length 0",
    remedy="join them",
    example="r\t0\tchr1\t1\t9\t1M1M\t*\t0\t0\tAC\tII",
)
LENGTH = _error(
    code="sam-template-length",
    section=FIELDS,
    asks="TLEN is a whole number",
    remedy=AGAIN,
    example="r\t0\tchr1\t1\t9\t1M\t*\t0\t1.5\tA\tI",
)
LENGTH_SINGLE = _note(
    code="sam-template-length-single",
    section=FIELDS,
    asks="TLEN is 0 where the template has one read",
    remedy="write 0 for it",
    example="r\t0\tchr1\t1\t9\t1M\t*\t0\t7\tA\tI",
)
SEQ = _violation(
    code="sam-sequence",
    section=FIELDS,
    asks="SEQ is * or letters, = and points",
    remedy=AGAIN,
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\t*A\tII",
)
SEQ_CODES = _note(
    code="sam-sequence-codes",
    section="SAM 4.2.3",
    asks="SEQ is of codes that BAM can hold: =ACMGRSVTWYHKDBN",
    remedy="none; in BAM every other letter becomes N",
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tUA\tII",
)
QUAL = _error(
    code="sam-quality",
    section=FIELDS,
    asks="QUAL is * or characters between ! and ~",
    remedy=AGAIN,
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tAC\tI\x7f",
)
QUAL_LENGTH = _error(
    code="sam-quality-length",
    section=FIELDS,
    asks="QUAL is as long as SEQ, and * where SEQ is",
    remedy=AGAIN,
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tAC\tI",
)
QUAL_LONELY = _note(
    code="sam-quality-lonely",
    section=FIELDS,
    asks="* is not the quality of a single base: it reads as no quality",
    remedy="write + where quality 9 is meant",
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tA\t*",
)
SORTED_COORDINATE = _violation(
    code="sam-order-coordinate",
    section=ORDER,
    asks="with SO:coordinate records stand in the order of @SQ and POS, those without RNAME last",
    remedy="sort it with `samtools sort`, or name its order as it is",
    example="@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:1000\n"
    "r\t0\tchr1\t9\t9\t1M\t*\t0\t0\tA\tI\ns\t0\tchr1\t1\t9\t1M\t*\t0\t0\tA\tI",
)
SORTED_NAME = _violation(
    code="sam-order-queryname",
    section=ORDER,
    asks="with SO:queryname records stand in one order of names, be it lexicographical or natural",
    remedy="sort it with `samtools sort -n`, or name its order as it is",
    example="@HD\tVN:1.6\tSO:queryname\nr2\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n"
    "r1\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
SORTED_SUB = _violation(
    code="sam-order-sub-sort",
    section="SAM 1.3.1",
    asks="with SS:queryname:lexicographical or SS:queryname:natural names stand in that order",
    remedy="sort it again, or name its order as it is",
    example="@HD\tVN:1.6\tSO:queryname\tSS:queryname:natural\n"
    "r10\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\nr9\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
GROUPED = _violation(
    code="sam-order-group",
    section=ORDER,
    asks="with GO:query the records of a name stand together, with GO:reference those of a place",
    remedy="group it with `samtools collate`, or leave GO out",
    example="@HD\tVN:1.6\tGO:query\nr\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n"
    "s\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\nr\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
PRIMARY_REPEATED = _violation(
    code="sam-primary-repeated",
    section=FIELDS,
    asks="a read has one line without 0x100 and 0x800; looked at where names stand together",
    remedy="mark the other lines as secondary or supplementary",
    example="@HD\tVN:1.6\tGO:query\nr\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n"
    "r\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI",
)
MATE_PLACE = _note(
    code="sam-mate-place",
    section=FIELDS,
    asks="RNEXT and PNEXT are the place of the mate's primary line; looked at where the two stand "
    "one behind the other",
    remedy="mend it with `samtools fixmate` on the file sorted by name",
    example="@HD\tVN:1.6\tGO:query\n@SQ\tSN:a\tLN:99\nr\t65\ta\t1\t9\t1M\t=\t8\t0\tA\tI\n"
    "r\t129\ta\t9\t9\t1M\t=\t1\t0\tA\tI",
)
MATE_FLAGS = _note(
    code="sam-mate-flags",
    section=FIELDS,
    asks="the bits 0x8 and 0x20 are 0x4 and 0x10 of the mate; looked at where the two stand one "
    "behind the other",
    remedy="mend it with `samtools fixmate` on the file sorted by name",
    example="@HD\tVN:1.6\tGO:query\n@SQ\tSN:a\tLN:99\nr\t65\ta\t1\t9\t1M\t=\t9\t0\tA\tI\n"
    "r\t145\ta\t9\t9\t1M\t=\t1\t0\tA\tI",
)
MATE_LENGTH = _note(
    code="sam-mate-length",
    section=FIELDS,
    asks="TLEN of mates on one reference is the same, once with plus and once with minus; looked "
    "at where the two stand one behind the other",
    remedy="mend it with `samtools fixmate` on the file sorted by name",
    example="@HD\tVN:1.6\tGO:query\n@SQ\tSN:a\tLN:99\nr\t65\ta\t1\t9\t1M\t=\t9\t9\tA\tI\n"
    "r\t129\ta\t9\t9\t1M\t=\t1\t-8\tA\tI",
)

RULES: tuple[Rule, ...] = tuple(rule for rule in globals().values() if isinstance(rule, Rule))
