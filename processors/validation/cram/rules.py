"""What a CRAM file is held to, of its containers, blocks and headers."""

from __future__ import annotations

from genoflow.processors.validation.cram.slice_rules import RULES as SLICE_RULES
from genoflow.processors.validation.rules import Rule, Severity

SEND_AGAIN = "send it again whole, and compare its checksum before and after"
WRITE_ANEW = "write it anew with the program that made it, or with `samtools view -C`"

NOT_CRAM = Rule(
    "cram-magic", Severity.ERROR, "CRAM 3.1, 6 File definition",
    "The first four bytes are `CRAM`.",
    "send the file that its role asks for, or send it under its own role",
    "the first four bytes are `CRAN`", "not this format",
)  # fmt: skip
VERSION = Rule(
    "cram-version", Severity.ERROR, "CRAM 3.1, 6 File definition",
    "The version is 2.1, 3.0 or 3.1: 4.0 is a draft, and what wrote 1.0 and 2.0 has no end marker.",
    "write it as CRAM 3.0: `samtools view -C --output-fmt-option version=3.0`",
    "byte 5 of the file, the major version, is 4", "not this format",
)  # fmt: skip
TRUNCATED = Rule(
    "cram-truncated", Severity.ERROR, "CRAM 3.1, 9 End of file container",
    "The file ends with its end-of-file container, and not in the middle of another one.",
    SEND_AGAIN,
    "the last 38 bytes are cut off", "truncated",
)  # fmt: skip
EOF_BYTES = Rule(
    "cram-eof-bytes", Severity.VIOLATION, "CRAM 3.1, 9 End of file container",
    "The end-of-file container has exactly the bytes that the specification gives its version.",
    WRITE_ANEW,
    "the end-of-file container says that it holds 1 base",
)  # fmt: skip
AFTER_EOF = Rule(
    "cram-after-eof", Severity.ERROR, "CRAM 3.1, 5 File structure",
    "Nothing follows the end-of-file container.",
    "join CRAM files with `samtools cat`, and cut off what was appended",
    "the word `more` stands behind the end-of-file container", "unreadable",
)  # fmt: skip
EOF_AGAIN = Rule(
    "cram-eof-again", Severity.NOTE, "CRAM 3.1, 5 File structure",
    "The end-of-file container stands there once; more of them behind it do no harm.",
    "nothing needs to be done; programs stop at the first one",
    "the end-of-file container stands there twice",
)  # fmt: skip
CONTAINER_CRC = Rule(
    "cram-container-checksum", Severity.ERROR, "CRAM 3.1, 7 Container header structure",
    "The header of a container agrees with its CRC-32.",
    SEND_AGAIN,
    "one bit of a container's header is turned", "unreadable",
)  # fmt: skip
BLOCK_CRC = Rule(
    "cram-block-checksum", Severity.ERROR, "CRAM 3.1, 8 Block structure",
    "A block agrees with its CRC-32.",
    SEND_AGAIN,
    "one bit of a block is turned", "unreadable",
)  # fmt: skip
COUNTS = Rule(
    "cram-counts", Severity.ERROR, "CRAM 3.1, 7 Container header structure",
    "Lengths, counts and identifiers are numbers that can be: none below zero, none beyond what "
    "holds them.",
    SEND_AGAIN,
    "a container's length is -1", "unreadable",
)  # fmt: skip
TOO_LARGE = Rule(
    "cram-too-large", Severity.ERROR, "",
    "A slice, and what describes it, fits into the memory that reading one is allowed.",
    "write it anew with smaller slices: `samtools view -C --output-fmt-option seqs_per_slice=9999`",
    "a block of 10 bytes says that it holds 2 GiB", "unreadable",
)  # fmt: skip
CONTAINER_LENGTH = Rule(
    "cram-container-length", Severity.ERROR, "CRAM 3.1, 7 Container header structure",
    "The blocks of a data container fill its length; only the header's has room to spare.",
    WRITE_ANEW,
    "a data container is 4 bytes longer than its blocks", "unreadable",
)  # fmt: skip
CONTAINER_SHORT = Rule(
    "cram-container-short", Severity.ERROR, "CRAM 3.1, 7 Container header structure",
    "A container is as long as the blocks that it says it has.",
    SEND_AGAIN,
    "a container's length ends within its last block", "unreadable",
)  # fmt: skip
BLOCK_COUNT = Rule(
    "cram-block-count", Severity.VIOLATION, "CRAM 3.1, 7 Container header structure",
    "A container has as many blocks as it says.",
    WRITE_ANEW,
    "a container says that it has one block more than its slices",
)  # fmt: skip
BLOCK_COUNT_EMPTY = Rule(
    "cram-block-count-without-records", Severity.NOTE, "CRAM 3.1, 7 Container header structure",
    "A container without records has as many blocks as it says; nothing is lost where it has not.",
    "nothing needs to be done; programs pass it over",
    "a container of a compression header alone says that it has 6 blocks",
)  # fmt: skip
METHOD = Rule(
    "cram-block-method", Severity.ERROR, "CRAM 3.1, 8 Block structure",
    "The method by which a block is compressed is one of those that are defined, 0 to 8.",
    WRITE_ANEW,
    "a block says that its method is 9", "unreadable",
)  # fmt: skip
METHOD_LATER = Rule(
    "cram-method-of-later-version", Severity.VIOLATION, "CRAM 3.1, 8 Block structure",
    "A block is compressed by a method that the file's version has.",
    "write it anew as the version whose methods it uses",
    "a file of version 3.0 has a block compressed by the name tokeniser",
)  # fmt: skip
RAW_SIZES = Rule(
    "cram-raw-sizes", Severity.ERROR, "CRAM 3.1, 8 Block structure",
    "A block that is not compressed has one size, said twice.",
    SEND_AGAIN,
    "a raw block of 10 bytes says that it holds 11", "unreadable",
)  # fmt: skip
BLOCK_DATA = Rule(
    "cram-block-data", Severity.ERROR, "CRAM 3.1, 14 External compression methods",
    "The data of a block can be decompressed, to the size that the block says.",
    SEND_AGAIN,
    "a gzip block holds 10 bytes and says that they are 11", "unreadable",
)  # fmt: skip
BLOCK_KIND = Rule(
    "cram-block-place", Severity.ERROR, "CRAM 3.1, 5 File structure",
    "Blocks stand in their order: one compression header, then slices, each of a header, one core "
    "block and external ones; the file's header stands in the first container alone.",
    SEND_AGAIN,
    "the first block of a data container has the content type of a core block", "unreadable",
)  # fmt: skip
CONTENT_ID = Rule(
    "cram-content-id", Severity.VIOLATION, "CRAM 3.1, 8.2 Block content id",
    "External blocks have content ids of their own within a slice; other blocks have 0.",
    WRITE_ANEW,
    "two external blocks of a slice have the content id 11",
)  # fmt: skip
CONTENT_ID_LOW = Rule(
    "cram-content-id-low", Severity.NOTE, "CRAM 3.1, 8.2 Block content id",
    "Content ids of external blocks are above 0; old programs began with 0, and all can read it.",
    "nothing needs to be done; `samtools view -C` writes it anew with others",
    "an external block has the content id 0",
)  # fmt: skip
HEADER_METHOD = Rule(
    "cram-header-method", Severity.VIOLATION, "CRAM 3.1, 8.4 CRAM header block",
    "The block of the SAM header is raw or gzip, in version 2.1 raw; those that expand it are raw.",
    WRITE_ANEW,
    "the block of the SAM header is compressed by bzip2",
)  # fmt: skip
HEADER_TEXT = Rule(
    "cram-header-text", Severity.ERROR, "CRAM 3.1, 8.4 CRAM header block",
    "The SAM header is as long as the number before it says.",
    SEND_AGAIN,
    "the length before the SAM header is longer than its block", "unreadable",
)  # fmt: skip
HEADER_ROOM = Rule(
    "cram-header-room", Severity.NOTE, "CRAM 3.1, 8.4 CRAM header block",
    "The room behind the SAM header is filled with zero bytes.",
    "nothing needs to be done; programs ignore it",
    "the block that lets the header grow holds the letter `x`",
)  # fmt: skip
COMPRESSION_HEADER = Rule(
    "cram-compression-header", Severity.ERROR, "CRAM 3.1, 8.5 Compression header block",
    "The compression header is three maps, each with the bytes and the entries that it says.",
    SEND_AGAIN,
    "the data series map says that it has one entry more than it has", "unreadable",
)  # fmt: skip
PRESERVATION = Rule(
    "cram-preservation-map", Severity.VIOLATION, "CRAM 3.1, 8.5 Compression header block",
    "The preservation map has SM and TD, each key once, and true is 1 and false is 0.",
    WRITE_ANEW,
    "the preservation map has no SM",
)  # fmt: skip
SUBSTITUTIONS = Rule(
    "cram-substitution-matrix", Severity.VIOLATION, "CRAM 3.1, 10.6 Mapped reads",
    "The substitution matrix gives the four other bases of each base four different codes.",
    WRITE_ANEW,
    "the first row of the substitution matrix is 0x00",
)  # fmt: skip
TAG_DICTIONARY = Rule(
    "cram-tag-dictionary", Severity.VIOLATION, "CRAM 3.1, 8.5 Compression header block",
    "The tag dictionary is lists, each ended by a zero byte, of tags with their types.",
    WRITE_ANEW,
    "the tag dictionary holds `1XZ`",
)  # fmt: skip
TAG_WITHOUT_ENCODING = Rule(
    "cram-tag-without-encoding", Severity.ERROR, "CRAM 3.1, 8.5 Compression header block",
    "Each tag of the dictionary has an encoding in the tag map.",
    WRITE_ANEW,
    "the dictionary names XXZ, and the tag map is empty", "unreadable",
)  # fmt: skip
DATA_SERIES = Rule(
    "cram-data-series", Severity.VIOLATION, "CRAM 3.1, 8.5 Compression header block",
    "The data series are those that the specification names, each once.",
    WRITE_ANEW,
    "the data series map has a key `ZZ`",
)  # fmt: skip
ENCODING = Rule(
    "cram-encoding", Severity.ERROR, "CRAM 3.1, 3 Encodings and 13 Encodings",
    "An encoding is one of those defined, with its parameters.",
    WRITE_ANEW,
    "the encoding of the read lengths is number 10", "unreadable",
)  # fmt: skip
ENCODING_TYPE = Rule(
    "cram-encoding-type", Severity.VIOLATION, "CRAM 3.1, 13 Encodings",
    "An encoding is used for a type that it can encode.",
    WRITE_ANEW,
    "the encoding of the read lengths is that of byte arrays with a stop byte",
)  # fmt: skip
ENCODING_OLD = Rule(
    "cram-encoding-deprecated", Severity.NOTE, "CRAM 3.1, 13 Encodings",
    "Golomb and Golomb-Rice coding are not used any more, and few programs read them.",
    WRITE_ANEW,
    "the encoding of the read lengths is Golomb",
)  # fmt: skip
M5 = Rule(
    "cram-sq-without-m5", Severity.VIOLATION, "CRAM 3.1, 11 Reference sequences",
    "A sequence that reads are differences to has its MD5 as M5 in @SQ.",
    "add it with `samtools reheader`, or write the file anew with its reference",
    "@SQ\tSN:one\tLN:5000",
)  # fmt: skip
RECORDS = Rule(
    "cram-record-unreadable", Severity.ERROR, "CRAM 3.1, 10 Record structure",
    "Each record can be decoded from its data series.",
    SEND_AGAIN,
    "a container's slice says that it has one record more than its data series hold",
)  # fmt: skip
QUALITY = Rule(
    "cram-quality", Severity.VIOLATION, "SAM 1.6, 1.4 Mandatory fields",
    "A base quality is at most 93, or 255 where there is none.",
    WRITE_ANEW,
    "a quality is 94",
)  # fmt: skip
NO_RECORDS = Rule(
    "cram-no-records", Severity.NOTE, "CRAM 3.1, 5 File structure",
    "A file without records is legal, and of little use.",
    "send it again if there should be reads in it",
    "a file of the header and the end-of-file container alone", "empty",
)  # fmt: skip
RULES: tuple[Rule, ...] = (
    NOT_CRAM, VERSION, TRUNCATED, EOF_BYTES, AFTER_EOF, EOF_AGAIN, CONTAINER_CRC, BLOCK_CRC,
    COUNTS, TOO_LARGE, CONTAINER_LENGTH, CONTAINER_SHORT, BLOCK_COUNT, BLOCK_COUNT_EMPTY, METHOD,
    METHOD_LATER, RAW_SIZES, BLOCK_DATA, BLOCK_KIND, CONTENT_ID, CONTENT_ID_LOW, HEADER_METHOD,
    HEADER_TEXT, HEADER_ROOM, COMPRESSION_HEADER, PRESERVATION, SUBSTITUTIONS, TAG_DICTIONARY,
    TAG_WITHOUT_ENCODING, DATA_SERIES, ENCODING, ENCODING_TYPE, ENCODING_OLD, M5, RECORDS, QUALITY,
    NO_RECORDS, *SLICE_RULES,
)  # fmt: skip
