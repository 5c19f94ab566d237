"""What a compressed stream is held to: gzip by RFC 1952, BGZF by the SAM specification."""

from __future__ import annotations

from genoflow.processors.validation.findings import Broken, Where
from genoflow.processors.validation.rules import Rule, Severity

AGAIN = "send it again whole, and compare its size before and after"
ANEW = "write it anew where it was made; if the copy there is sound, send that again"
JUNK = "cut off what follows the end, or write it anew with bgzip or gzip"
BGZIP = "compress it with bgzip, or with the program's own option for it"


def _error(code: str, section: str, asks: str, remedy: str, example: str, kind: str) -> Rule:
    return Rule(code, Severity.ERROR, section, asks, remedy, example, kind)


GZIP_TRUNCATED = _error(
    "gzip-truncated", "RFC 1952, 2.2", "A gzip member is there to its end.",
    AGAIN, "the last byte is missing", "truncated",
)  # fmt: skip
GZIP_TRAILING_GARBAGE = _error(
    "gzip-trailing-garbage", "RFC 1952, 2.2", "Behind a gzip member only another one begins.",
    JUNK, "a zero byte behind the end", "unreadable",
)  # fmt: skip
GZIP_METHOD = _error(
    "gzip-method", "RFC 1952, 2.3.1", "The method of compression is 8, deflate.",
    ANEW, "the third byte is 7", "unreadable",
)  # fmt: skip
GZIP_RESERVED_FLAGS = _error(
    "gzip-reserved-flags", "RFC 1952, 2.3.1.2", "The three upper bits of the flags are zero.",
    ANEW, "the fourth byte has bit 5 set", "unreadable",
)  # fmt: skip
GZIP_HEADER_TOO_LONG = _error(
    "gzip-header-too-long", "", "The name and comment in a gzip header end within a mebibyte.",
    ANEW, "a file name of two million letters in the header", "unreadable",
)  # fmt: skip
GZIP_HEADER_CHECKSUM = _error(
    "gzip-header-checksum", "RFC 1952, 2.3.1",
    "A checksum of the header is the lower half of its CRC-32.",
    ANEW, "the header's checksum has one bit turned", "unreadable",
)  # fmt: skip
GZIP_DAMAGED = _error(
    "gzip-damaged", "RFC 1951, 3.2", "The content is a deflate stream.",
    ANEW, "the first byte of the content is 255", "unreadable",
)  # fmt: skip
GZIP_CHECKSUM = _error(
    "gzip-checksum", "RFC 1952, 2.3.1", "The CRC-32 behind the content is that of its text.",
    ANEW, "the checksum has one bit turned", "unreadable",
)  # fmt: skip
GZIP_LENGTH = _error(
    "gzip-length", "RFC 1952, 2.3.1", "The length behind the content is that of its text.",
    ANEW, "the length has one bit turned", "unreadable",
)  # fmt: skip
BGZF_TRUNCATED = _error(
    "bgzf-truncated", "SAM 1, 4.1", "A BGZF block is there to its end.",
    AGAIN, "the file ends within its first block", "truncated",
)  # fmt: skip
BGZF_NO_END = _error(
    "bgzf-no-end", "SAM 1, 4.1.2", "The file ends with the empty block that marks its end.",
    AGAIN, "the last 28 bytes are missing", "truncated",
)  # fmt: skip
BGZF_NO_BLOCK = _error(
    "bgzf-no-block", "SAM 1, 4.1",
    "Each gzip member has BGZF's extra subfield, which says how long the block is.",
    BGZIP, "a plain gzip member behind the first block", "unreadable",
)  # fmt: skip
BGZF_TRAILING_GARBAGE = _error(
    "bgzf-trailing-garbage", "SAM 1, 4.1", "Behind a BGZF block only another one begins.",
    JUNK, "a zero byte behind the end", "unreadable",
)  # fmt: skip
BGZF_RESERVED_FLAGS = _error(
    "bgzf-reserved-flags", "RFC 1952, 2.3.1.2", "The three upper bits of the flags are zero.",
    ANEW, "the fourth byte has bit 5 set", "unreadable",
)  # fmt: skip
BGZF_SIZE = _error(
    "bgzf-size", "SAM 1, 4.1", "The size that a block states holds its header and its end.",
    ANEW, "the first block states that it has ten bytes", "unreadable",
)  # fmt: skip
BGZF_DAMAGED = _error(
    "bgzf-damaged", "RFC 1951, 3.2", "The content of a block is one deflate stream.",
    ANEW, "the first byte of the content is 255", "unreadable",
)  # fmt: skip
BGZF_CHECKSUM = _error(
    "bgzf-checksum", "RFC 1952, 2.3.1", "The CRC-32 behind a block is that of its text.",
    ANEW, "the checksum of the first block has one bit turned", "unreadable",
)  # fmt: skip
BGZF_LENGTH = _error(
    "bgzf-length", "SAM 1, 4.1", "The length behind a block is that of its text, at most 65,536.",
    ANEW, "the length of the first block has one bit turned", "unreadable",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    GZIP_TRUNCATED,
    GZIP_TRAILING_GARBAGE,
    GZIP_METHOD,
    GZIP_RESERVED_FLAGS,
    GZIP_HEADER_TOO_LONG,
    GZIP_HEADER_CHECKSUM,
    GZIP_DAMAGED,
    GZIP_CHECKSUM,
    GZIP_LENGTH,
    BGZF_TRUNCATED,
    BGZF_NO_END,
    BGZF_NO_BLOCK,
    BGZF_TRAILING_GARBAGE,
    BGZF_RESERVED_FLAGS,
    BGZF_SIZE,
    BGZF_DAMAGED,
    BGZF_CHECKSUM,
    BGZF_LENGTH,
)


class BrokenStream(Broken):
    """A stream that cannot be read on, behind this byte."""

    def __init__(self, rule: Rule, message: str, at: int) -> None:
        super().__init__(rule, message, Where(byte=at))
