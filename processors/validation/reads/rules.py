"""What FASTQ is held to: the description by Cock and others (2010), and what a lab relies on.

The article (doi:10.1093/nar/gkp1137) defines the lines and the qualities. It recommends the letters
of IUPAC and says nothing of how a line ends, so that other gaps and CR LF are notes here.
"""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

PAPER = "Cock 2010, The FASTQ format"
ILLUMINA = "Illumina, FASTQ files explained"
ANEW = "write it anew with the program that made it, and send that"
AGAIN = "send it again whole, and compare its size before and after"
RIGHT_SAMPLE = "send it for the sample that it is of, or correct what was registered"


def _error(code: str, section: str, asks: str, remedy: str, example: str, kind: str = "") -> Rule:
    return Rule(code, Severity.ERROR, section, asks, remedy, example, kind or "malformed record")


def _violation(code: str, section: str, asks: str, remedy: str, example: str) -> Rule:
    return Rule(code, Severity.VIOLATION, section, asks, remedy, example)


def _note(code: str, section: str, asks: str, remedy: str, example: str) -> Rule:
    return Rule(code, Severity.NOTE, section, asks, remedy, example)


# -- the lines of a record
NO_AT = _error(
    "fastq-no-at", PAPER, "The line with the name begins with @.",
    ANEW, "a\nACGT\n+\nFFFF\n",
)  # fmt: skip
NO_PLUS = _error(
    "fastq-no-plus", PAPER, "A line that begins with + stands behind the bases.",
    ANEW, "@a\nACGT\n@b\nACGT\n+\nFFFF\n",
)  # fmt: skip
NO_BASES = _error(
    "fastq-no-bases", PAPER,
    "A line with the bases, which may be empty, stands between the name and the line with +.",
    ANEW, "@a\n+\nFFFF\n@b\nACGT\n+\nFFFF\n",
)  # fmt: skip
PLUS_NAME = _error(
    "fastq-plus-name", PAPER, "What follows the + is nothing, or the whole line of the name again.",
    ANEW, "@a\nACGT\n+b\nFFFF\n",
)  # fmt: skip
LENGTHS = _error(
    "fastq-lengths", PAPER, "A read has as many qualities as bases.",
    ANEW, "@a\nACGT\n+\nFFFFF\n@b\nACGT\n+\nFFFF\n",
)  # fmt: skip
QUALITY = _error(
    "fastq-quality-range", PAPER, "A quality is a character from 33 to 126.",
    ANEW, "@a\nACGT\n+\nFF F\n",
)  # fmt: skip
BASE_BLANK = _error(
    "fastq-base-blank", PAPER, "No blank, tab or control character stands among the bases.",
    ANEW, "@a\nAC GT\n+\nFFFFF\n",
)  # fmt: skip
TRUNCATED = _error(
    "fastq-truncated", PAPER, "The last record is there to its end.",
    AGAIN, "@a\nACGT\n+\nFF", "truncated",
)  # fmt: skip
LINE_TOO_LONG = _error(
    "fastq-line-too-long", "", "A line, and a read, has at most a million bytes.",
    ANEW, "@a\n[2,000,000 bases]\n+\n[2,000,000 qualities]\n",
)  # fmt: skip

# -- letters
BASE = _violation(
    "fastq-base", PAPER, "A base is a letter of IUPAC, in upper or lower case, or a gap.",
    ANEW, "@a\nACXT\n+\nFFFF\n",
)  # fmt: skip
NAME_TEXT = _violation(
    "fastq-name-text", "", "A name is of visible characters, blanks and tabs of ASCII.",
    "name the reads in plain letters, digits and punctuation", "@a\x01b\nACGT\n+\nFFFF\n",
)  # fmt: skip
NAME_MISSING = _violation(
    "fastq-name-missing", "", "Each read has a name, by which mates are found.",
    "name the reads", "@ 1:N:0:ACGT\nACGT\n+\nFFFF\n",
)  # fmt: skip
BLANK_LINE = _violation(
    "fastq-blank-line", PAPER, "No empty line stands between records or behind the last.",
    "remove the empty lines", "@a\nACGT\n+\nFFFF\n\n@b\nACGT\n+\nFFFF\n",
)  # fmt: skip
PHRED64 = _violation(
    "fastq-phred64", PAPER, "Qualities are written as Phred + 33, as instruments do since 2011.",
    "convert it, for example with `seqtk seq -Q64 -V`",
    "@a\nACGTACGT\n+\nhhhhgfeB\n",
)  # fmt: skip

# -- the file as a whole
READS_MISSING = _error(
    "fastq-reads-missing", "", "It holds all the reads that demultiplexing counted.",
    AGAIN, "99 reads of 100 that were counted", "truncated",
)  # fmt: skip
READS_UNEXPECTED = _error(
    "fastq-reads-unexpected", "", "It holds no more reads than demultiplexing counted.",
    RIGHT_SAMPLE, "101 reads of 100 that were counted", "wrong sample",
)  # fmt: skip
EMPTY = _note(
    "fastq-empty", PAPER, "A file of reads holds at least one.",
    "nothing, if the sample has no reads", "",
)  # fmt: skip
WRAPPED = _note(
    "fastq-wrapped", PAPER, "Bases and qualities stand in one line each.",
    "write it with four lines a read, which is all that many programs read",
    "@a\nACGT\nACGT\n+\nFFFF\nFFFF\n",
)  # fmt: skip
CR_LF = _note(
    "fastq-cr-lf", PAPER, "Lines end with LF alone; some programs take CR as a letter.",
    "convert the ends of its lines, for example with `dos2unix`", "@a\r\nACGT\r\n+\r\nFFFF\r\n",
)  # fmt: skip
GAP = _note(
    "fastq-gap", PAPER, "No gap (`-`, `.` or `*`) stands among the bases.",
    "write N for a base that was not called", "@a\nAC.T\n+\nFFFF\n",
)  # fmt: skip
NO_LAST_LF = _note(
    "fastq-no-last-line-feed", PAPER, "The last line ends with a line feed, too.",
    "nothing, if the file is whole; compare its size with the one where it was made",
    "@a\nACGT\n+\nFFFF",
)  # fmt: skip

# -- where it comes from
MATE = _error(
    "fastq-mate", ILLUMINA, "The mate in the names (1 or 2) is that of the file's role.",
    "send each mate under its own role", "@a/2\nACGT\n+\nFFFF\n", "mates differ",
)  # fmt: skip
INSTRUMENT = _error(
    "fastq-instrument", ILLUMINA, "The instrument in the names is the one that was registered.",
    RIGHT_SAMPLE, "@A1:7:HXX:1:1101:5:9 1:N:0:ACGT\nACGT\n+\nFFFF\n", "wrong sample",
)  # fmt: skip
FLOW_CELL = _error(
    "fastq-flow-cell", ILLUMINA, "The flow cell in the names is the one that was registered.",
    RIGHT_SAMPLE, "@A1:7:HXX:1:1101:5:9 1:N:0:ACGT\nACGT\n+\nFFFF\n", "wrong sample",
)  # fmt: skip
LANE = _error(
    "fastq-lane", ILLUMINA, "The lane in the names is the one that was registered.",
    RIGHT_SAMPLE, "@A1:7:HXX:1:1101:5:9 1:N:0:ACGT\nACGT\n+\nFFFF\n", "wrong sample",
)  # fmt: skip
PAIR_NAMES = _error(
    "fastq-pair-names", "", "Mates have the same names in the same order.",
    "sort both files anew from one source, for example with `repair.sh`",
    "@a/1 in the first file where @b/2 is in the second", "mates differ",
)  # fmt: skip
PAIR_COUNTS = _error(
    "fastq-pair-counts", "", "Mates are of one number.",
    "send both files again whole; one of them is cut, or was filtered alone",
    "10 reads in the first file and 9 in the second", "mates differ",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    NO_AT,
    NO_PLUS,
    NO_BASES,
    PLUS_NAME,
    LENGTHS,
    QUALITY,
    BASE_BLANK,
    TRUNCATED,
    LINE_TOO_LONG,
    BASE,
    NAME_TEXT,
    NAME_MISSING,
    BLANK_LINE,
    PHRED64,
    READS_MISSING,
    READS_UNEXPECTED,
    EMPTY,
    WRAPPED,
    CR_LF,
    GAP,
    NO_LAST_LF,
    MATE,
    INSTRUMENT,
    FLOW_CELL,
    LANE,
    PAIR_NAMES,
    PAIR_COUNTS,
)
