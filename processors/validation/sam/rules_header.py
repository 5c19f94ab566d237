"""What the header of an alignment file is held to."""

from __future__ import annotations

from functools import partial

from genoflow.processors.validation.rules import Rule, Severity

_error = partial(Rule, severity=Severity.ERROR)
_violation = partial(Rule, severity=Severity.VIOLATION)
_note = partial(Rule, severity=Severity.NOTE)

TEXT = "SAM 1.3"
HD = "SAM 1.3, @HD"
SQ = "SAM 1.3, @SQ"
RG = "SAM 1.3, @RG"
PG = "SAM 1.3, @PG"
ADVICE = "SAM 2"
HOUSE = ""
REWRITE = "write the header anew with `samtools reheader`"

LINE = _error(
    code="sam-header-line",
    section=TEXT,
    asks="a header line is @ and a type of two letters, then fields TAG:VALUE behind tabs",
    remedy=REWRITE,
    example="@SQ SN:chr1 LN:1000",
)
KIND = _violation(
    code="sam-header-type",
    section=TEXT,
    asks="a header line is of type HD, SQ, RG, PG or CO",
    remedy="put what it says into an @CO line",
    example="@XY\tab:c",
)
COMMENT = _violation(
    code="sam-co-form",
    section=TEXT,
    asks="@CO has a tab behind it, even where the comment is empty",
    remedy="add the tab, or remove the line",
    example="@CO",
)
LATE = _error(
    code="sam-header-late",
    section="SAM 1.3 and 1.4",
    asks="header lines stand before all alignments, and no read name begins with @",
    remedy="move the line to the top, or rename the read",
    example="r\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n@CO\tlate",
)
LARGE = _error(
    code="sam-header-large",
    section=HOUSE,
    asks="a header has at most 64 MiB, 500,000 reference sequences, and 4 MiB in one line",
    remedy="leave out the reference sequences to which nothing was aligned",
    example="a header of 64 MiB and one byte",
    kind="unreadable",
)
TAG_REPEATED = _violation(
    code="sam-header-tag-repeated",
    section=TEXT,
    asks="no tag stands twice in one header line",
    remedy="keep the value that is meant",
    example="@SQ\tSN:chr1\tLN:1000\tDS:a\tDS:b",
)
CHARACTERS = _violation(
    code="sam-header-characters",
    section=TEXT,
    asks="a value is of printable ASCII and not empty; DS, CL and @CO may be UTF-8",
    remedy=REWRITE,
    example="@SQ\tSN:chr1\tLN:1000\tSP:\u00e9t\u00e9",
)
ENCODING = _violation(
    code="sam-header-encoding",
    section=TEXT,
    asks="what is not ASCII in DS, CL and @CO is UTF-8",
    remedy="convert the header to UTF-8",
    example="@CO\t followed by the byte 0xE9",
)
HD_PLACE = _violation(
    code="sam-hd-not-first",
    section=HD,
    asks="@HD is the first line",
    remedy="move it to the top",
    example="@SQ\tSN:chr1\tLN:1000\n@HD\tVN:1.6",
)
HD_REPEATED = _violation(
    code="sam-hd-repeated",
    section=HD,
    asks="there is one @HD line at most",
    remedy="keep the first",
    example="@HD\tVN:1.6\n@HD\tVN:1.6",
)
HD_MISSING = _note(
    code="sam-hd-missing",
    section=ADVICE,
    asks="an @HD line is present, with SO or GO",
    remedy="say by @HD how the records are sorted",
    example="@SQ\tSN:chr1\tLN:1000",
)
HD_VERSION_MISSING = _violation(
    code="sam-hd-version-missing",
    section=HD,
    asks="@HD has VN",
    remedy="add the version of the format, such as VN:1.6",
    example="@HD\tSO:unsorted",
)
HD_VERSION = _violation(
    code="sam-hd-version",
    section=HD,
    asks="VN is two numbers with a point between them",
    remedy="write the version of the format, such as VN:1.6",
    example="@HD\tVN:1",
)
HD_VERSION_NEW = _note(
    code="sam-hd-version-unknown",
    section=HD,
    asks="VN is a version that has been published: 1.0 to 1.6",
    remedy="none; it is read by the rules of 1.6",
    example="@HD\tVN:2.0",
)
HD_SORT = _violation(
    code="sam-hd-sort-order",
    section=HD,
    asks="SO is unknown, unsorted, queryname or coordinate",
    remedy="sort the file, and name its order as it is",
    example="@HD\tVN:1.6\tSO:position",
)
HD_GROUP = _violation(
    code="sam-hd-group-order",
    section=HD,
    asks="GO is none, query or reference",
    remedy="name how the records are grouped, or leave GO out",
    example="@HD\tVN:1.6\tGO:pairs",
)
HD_SUB = _violation(
    code="sam-hd-sub-sort",
    section=HD,
    asks="SS is coordinate, queryname or unsorted, and then names behind colons",
    remedy="name the sub-sort as the specification does, or leave SS out",
    example="@HD\tVN:1.6\tSS:unknown:MI",
)
HD_SUB_DIFFERS = _note(
    code="sam-hd-sub-sort-differs",
    section=HD,
    asks="SS begins with the order that SO names",
    remedy="leave SS out: the file was sorted again by a program that does not know it",
    example="@HD\tVN:1.6\tSO:queryname\tSS:coordinate:TLEN",
)
HD_BOTH = _note(
    code="sam-hd-both-orders",
    section=ADVICE,
    asks="SO and GO do not both say something",
    remedy="keep the one that holds",
    example="@HD\tVN:1.6\tSO:coordinate\tGO:query",
)
SQ_NAME_MISSING = _error(
    code="sam-sq-name-missing",
    section=SQ,
    asks="every @SQ has SN",
    remedy=REWRITE,
    example="@SQ\tLN:1000",
)
SQ_NAME = _violation(
    code="sam-sq-name",
    section="SAM 1.2.1",
    asks="a reference name has no blank, comma, quote, bracket or backslash and no * or = in front",
    remedy="rename the sequence in the reference, and align again",
    example="@SQ\tSN:<ctg>\tLN:1",
)
SQ_REPEATED = _error(
    code="sam-sq-name-repeated",
    section=SQ,
    asks="all SN are distinct",
    remedy="remove the repetition",
    example="@SQ\tSN:chr1\tLN:1000\n@SQ\tSN:chr1\tLN:1000",
)
SQ_LENGTH_MISSING = _error(
    code="sam-sq-length-missing",
    section=SQ,
    asks="every @SQ has LN",
    remedy=REWRITE,
    example="@SQ\tSN:chr1",
)
SQ_LENGTH_FORM = _error(
    code="sam-sq-length-form",
    section=SQ,
    asks="LN is a whole number",
    remedy=REWRITE,
    example="@SQ\tSN:chr1\tLN:1e6",
)
SQ_LENGTH = _violation(
    code="sam-sq-length",
    section=SQ,
    asks="LN is between 1 and 2,147,483,647",
    remedy="give the length of the sequence; split one that is longer",
    example="@SQ\tSN:chr1\tLN:0",
)
SQ_ALTERNATE = _violation(
    code="sam-sq-alternative-name",
    section=SQ,
    asks="AN is a list of reference names behind commas",
    remedy="correct or remove AN",
    example="@SQ\tSN:chr1\tLN:1000\tAN:=",
)
SQ_ALTERNATE_REPEATED = _violation(
    code="sam-sq-alternative-name-repeated",
    section=SQ,
    asks="all SN and all names in AN are distinct",
    remedy="correct or remove AN",
    example="@SQ\tSN:chr1\tLN:1000\tAN:chr2\n@SQ\tSN:chr2\tLN:1000",
)
SQ_LOCUS = _violation(
    code="sam-sq-locus",
    section=SQ,
    asks="AH is *, a reference name, or such a name with :start-end",
    remedy="correct or remove AH",
    example="@SQ\tSN:chr1\tLN:1000\tAH:=",
)
SQ_LOCUS_ALTERNATE = _violation(
    code="sam-sq-locus-alternate",
    section=SQ,
    asks="AH names a sequence of the primary assembly, which has no AH itself",
    remedy="correct or remove AH",
    example="@SQ\tSN:one\tLN:9\tAH:two\n@SQ\tSN:two\tLN:9\tAH:*",
)
SQ_MD5 = _violation(
    code="sam-sq-md5",
    section="SAM 1.3.2",
    asks="M5 is 32 hexadecimal digits in lower case",
    remedy="compute it anew with `samtools dict`",
    example="@SQ\tSN:chr1\tLN:1000\tM5:7FC56270E7A70FA81A5935B72EACBE29",
)
SQ_TOPOLOGY = _violation(
    code="sam-sq-topology",
    section=SQ,
    asks="TP is linear or circular",
    remedy="correct or remove TP",
    example="@SQ\tSN:chr1\tLN:1000\tTP:unknown",
)
SQ_MISSING = _note(
    code="sam-sq-missing",
    section=ADVICE,
    asks="@SQ lines are present where reads are mapped",
    remedy="add the header of the reference with `samtools reheader`",
    example="@CO\tnone\nr\t0\tchr1\t1\t9\t1M\t*\t0\t0\tA\tI",
)
ID_MISSING = _violation(
    code="sam-id-missing",
    section="SAM 1.3, @RG and @PG",
    asks="every @RG and every @PG has ID",
    remedy="add an ID",
    example="@RG\tSM:S1",
)
RG_REPEATED = _violation(
    code="sam-rg-id-repeated",
    section=RG,
    asks="every @RG has an ID of its own",
    remedy="rename one of them, and the RG of its records",
    example="@RG\tID:1\n@RG\tID:1",
)
RG_DATE = _violation(
    code="sam-rg-date",
    section=RG,
    asks="DT is a date or a date with a time as ISO 8601 has them",
    remedy="write it as 2024-05-31 or 2024-05-31T12:00:00+02:00",
    example="@RG\tID:1\tDT:2020-23-06",
)
RG_PLATFORM = _violation(
    code="sam-rg-platform",
    section=RG,
    asks="PL is one of the platforms that the specification lists",
    remedy="leave PL out where the platform is not listed, and name it in PM",
    example="@RG\tID:1\tPL:454",
)
RG_PLATFORM_CASE = _note(
    code="sam-rg-platform-case",
    section=RG,
    asks="PL is in upper case",
    remedy="write it as the specification lists it",
    example="@RG\tID:1\tPL:illumina",
)
RG_INSERT = _violation(
    code="sam-rg-insert-size",
    section=RG,
    asks="PI is a whole number",
    remedy="round it",
    example="@RG\tID:1\tPI:123.456",
)
RG_FLOW = _violation(
    code="sam-rg-flow-order",
    section=RG,
    asks="FO is * or IUPAC codes in upper case",
    remedy="correct or remove FO",
    example="@RG\tID:1\tFO:acgt",
)
RG_KEY = _violation(
    code="sam-rg-key-sequence",
    section=RG,
    asks="KS is of nucleotide bases",
    remedy="correct or remove KS",
    example="@RG\tID:1\tKS:TC4G",
)
RG_BARCODE = _note(
    code="sam-rg-barcode",
    section=RG,
    asks="BC is of bases, several barcodes with a hyphen between them",
    remedy="write several barcodes with hyphens",
    example="@RG\tID:1\tBC:ACGT+TTGA",
)
RG_SAMPLE = _note(
    code="sam-rg-sample-missing",
    section=HOUSE,
    asks="every @RG names its sample by SM",
    remedy="add SM, or nobody can tell whose reads they are",
    example="@RG\tID:1\tPU:X.1",
)
PG_REPEATED = _violation(
    code="sam-pg-id-repeated",
    section=PG,
    asks="every @PG has an ID of its own",
    remedy="rename one of them, and what refers to it",
    example="@PG\tID:bwa\n@PG\tID:bwa",
)
PG_PREVIOUS = _violation(
    code="sam-pg-previous",
    section=PG,
    asks="PP names the ID of an @PG line",
    remedy="add the line that is missing, or remove PP",
    example="@PG\tID:bwa\tPP:missing",
)
PG_LOOP = _note(
    code="sam-pg-loop",
    section=PG,
    asks="a chain of PP ends at a line without PP",
    remedy="remove the PP that closes the circle",
    example="@PG\tID:bwa\tPP:bwa",
)
REFERENCE_DIFFERS = _error(
    code="sam-reference-differs",
    section="SAM 1.3.2",
    asks="M5 and LN of @SQ are those of the sequence of that name in the reference",
    remedy="send the file with the reference that it was aligned to",
    example="an @SQ whose M5 is not the MD5 of that sequence",
    kind="wrong build",
)
REFERENCE_LACKS = _note(
    code="sam-reference-lacks",
    section=HOUSE,
    asks="every @SQ is a sequence of the reference",
    remedy="give the whole reference that the file was aligned to",
    example="an @SQ whose name the reference does not hold",
)
WRONG_BUILD = _error(
    code="sam-wrong-build",
    section=HOUSE,
    asks="the header is of the build that the order names",
    remedy="send it made with the build of the order, or correct the order",
    example="a header of GRCh37 where GRCh38 was ordered",
    kind="wrong build",
)
WRONG_SAMPLE = _error(
    code="sam-wrong-sample",
    section=HOUSE,
    asks="SM of @RG names the sample that the file was sent for, and no other",
    remedy="send it for the sample that it is of, or correct what was registered",
    example="@RG SM:B where the file was sent for A",
    kind="wrong sample",
)
WRONG_UNIT = _error(
    code="sam-wrong-unit",
    section=HOUSE,
    asks="PU of @RG and read names speak of the flow cell and lane that were registered",
    remedy="send it for the read set that it is of, or correct what was registered",
    example="@RG PU:HXYZ.2 where flow cell HABC was registered",
    kind="wrong sample",
)

RULES: tuple[Rule, ...] = tuple(rule for rule in globals().values() if isinstance(rule, Rule))
