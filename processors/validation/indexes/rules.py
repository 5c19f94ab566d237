"""What an index is held to, alone and beside the file that it is of."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

BAI, CSI, TABIX, CRAI = "SAM 1.6, 5.2", "CSI 1", "Tabix", "CRAM 3.1, 12 Indexing"
MAKE_ANEW = "make it anew from the file that it is of: `samtools index` or `bcftools index`"
SEND_AGAIN = "send it again whole, or make it anew from the file that it is of"

MAGIC = Rule(
    "index-magic", Severity.ERROR, f"{BAI}; {CSI}; {TABIX}",
    "An index begins with `BAI` or `CSI` or `TBI` and a byte 1.",
    "send the file that its role asks for, or send it under its own role",
    "the first byte is `X`", "not this format",
)  # fmt: skip
TRUNCATED = Rule(
    "index-truncated", Severity.ERROR, f"{BAI}; {CSI}; {TABIX}",
    "An index has all the sequences, bins, chunks and intervals that it says.",
    SEND_AGAIN,
    "the last 20 bytes are cut off", "truncated",
)  # fmt: skip
TRAILING = Rule(
    "index-trailing", Severity.ERROR, f"{BAI}; {CSI}; {TABIX}",
    "Nothing follows the number of unplaced reads, with which an index may end.",
    SEND_AGAIN,
    "the word `more` stands behind the index", "unreadable",
)  # fmt: skip
COUNTS = Rule(
    "index-counts", Severity.ERROR, f"{BAI}; {CSI}; {TABIX}",
    "Counts can be: none is below zero, and no more bins or intervals than the scheme has.",
    SEND_AGAIN,
    "the number of sequences is -1", "unreadable",
)  # fmt: skip
COMPRESSION = Rule(
    "index-compression", Severity.VIOLATION, f"{TABIX}; {CSI}",
    "TBI and CSI are compressed by BGZF, BAI is not compressed.",
    MAKE_ANEW,
    "a TBI is not compressed",
)  # fmt: skip
BIN = Rule(
    "index-bin", Severity.VIOLATION, f"{BAI}; {CSI}",
    "A bin has a number that the binning scheme has, and stands once under its sequence.",
    MAKE_ANEW,
    "a bin has the number 40,000",
)  # fmt: skip
PSEUDO_BIN = Rule(
    "index-pseudo-bin", Severity.VIOLATION, f"{BAI}; {CSI}",
    "The bin of counts has two entries: the range of a sequence's reads, and two counts of them.",
    MAKE_ANEW,
    "bin 37450 has one entry",
)  # fmt: skip
CHUNKS = Rule(
    "index-chunks", Severity.VIOLATION, f"{BAI}; {CSI}; {TABIX}",
    "A chunk ends behind its beginning, and the chunks of a bin follow one another.",
    MAKE_ANEW,
    "a chunk ends before it begins",
)  # fmt: skip
INTERVALS = Rule(
    "index-intervals", Severity.VIOLATION, f"{BAI}; {TABIX}",
    "The offsets of the linear index never go back.",
    MAKE_ANEW,
    "an interval's offset is below that of the interval before it",
)  # fmt: skip
FIRST_OFFSET = Rule(
    "csi-loffset", Severity.VIOLATION, CSI,
    "The first record that overlaps a bin is not behind the first record of that bin.",
    MAKE_ANEW,
    "the loffset of a bin is behind its first chunk",
)  # fmt: skip
SCHEME = Rule(
    "csi-scheme", Severity.ERROR, CSI,
    "The binning scheme has intervals and levels that can be: bin numbers within 32 bits.",
    SEND_AGAIN,
    "the depth is 20", "unreadable",
)  # fmt: skip
TABIX_COLUMNS = Rule(
    "tbi-columns", Severity.VIOLATION, TABIX,
    "The columns of a tabix header fit its format: 3, 4 of SAM and 1, 2 of VCF; only that of the "
    "end may be below 1.",
    MAKE_ANEW,
    "the column of the sequence is 0",
)  # fmt: skip
TABIX_FORMAT = Rule(
    "tbi-format", Severity.VIOLATION, TABIX,
    "The format of a tabix header is 0, 1 or 2, with or without the flag 0x10000.",
    MAKE_ANEW,
    "the format is 7",
)  # fmt: skip
TABIX_NAMES = Rule(
    "tbi-names", Severity.VIOLATION, TABIX,
    "A tabix header names each sequence once, as many as it says, each ended by a zero byte.",
    MAKE_ANEW,
    "the header names one sequence, and says two",
)  # fmt: skip
CRAI_COMPRESSION = Rule(
    "crai-compression", Severity.VIOLATION, CRAI,
    "A CRAM index is compressed by gzip.",
    MAKE_ANEW,
    "a CRAI is plain text",
)  # fmt: skip
CRAI_LINE = Rule(
    "crai-line", Severity.ERROR, CRAI,
    "A line is six whole numbers with tabs between them.",
    SEND_AGAIN,
    "0\t1\t100\t395\t201", "unreadable",
)  # fmt: skip
CRAI_NUMBERS = Rule(
    "crai-numbers", Severity.VIOLATION, CRAI,
    "A sequence is -1 or above, and offsets and sizes are above zero.",
    MAKE_ANEW,
    "-2\t0\t0\t395\t201\t5000",
)  # fmt: skip
ELSEWHERE = Rule(
    "index-offset-elsewhere", Severity.ERROR, f"{BAI}; {CSI}; {TABIX}",
    "The offsets of an index are beginnings of blocks of the file that it is of.",
    MAKE_ANEW,
    "the index is of a file that was written anew since",
)  # fmt: skip
REFERENCES_DIFFER = Rule(
    "index-references-differ", Severity.ERROR, f"{BAI}; {CSI}; {TABIX}",
    "An index has the sequences of the file that it is of, and leads to their records.",
    MAKE_ANEW,
    "the index has one sequence, and the header of its file two",
)  # fmt: skip
SLICE_ELSEWHERE = Rule(
    "crai-slice-elsewhere", Severity.ERROR, CRAI,
    "Each line of a CRAM index is of a slice that its file has.",
    MAKE_ANEW,
    "a line's container offset is 1 beyond the container",
)  # fmt: skip
SLICE_MISSING = Rule(
    "crai-slice-missing", Severity.VIOLATION, CRAI,
    "Each slice of a file is listed in its index.",
    MAKE_ANEW,
    "the last line of the index is left out",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    MAGIC, TRUNCATED, TRAILING, COUNTS, COMPRESSION, BIN, PSEUDO_BIN, CHUNKS, INTERVALS,
    FIRST_OFFSET, SCHEME, TABIX_COLUMNS, TABIX_FORMAT, TABIX_NAMES, CRAI_COMPRESSION, CRAI_LINE,
    CRAI_NUMBERS, ELSEWHERE, REFERENCES_DIFFER, SLICE_ELSEWHERE, SLICE_MISSING,
)  # fmt: skip
