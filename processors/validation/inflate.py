"""From stored bytes to text: plain, gzip with any number of members, and BGZF with its end.

The extension inflates what is certainly whole; where it stops, or is not there, the code below
reads on by zlib and says what is wrong. Both give the same text in the same blocks.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from genoflow.native.batch import extension
from genoflow.processors.validation import stream_rules as rules
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.stream_rules import BrokenStream

GZIP_MAGIC = b"\x1f\x8b"
DEFLATE = 8
GZIP_HEAD_BYTES = 10
HEADER_CHECKSUM, EXTRA, NAME, COMMENT = 2, 4, 8, 16  # the bits of gzip's flags
RESERVED = 0xE0
GZIP_HEADER_BYTES_MAX = 1024**2  # a name and a comment; a stream must not make us wait for ever
TAIL_BYTES = 8  # checksum and length
BGZF_MAGIC = b"\x1f\x8b\x08\x04"
BGZF_HEAD_BYTES = 12  # up to its subfields
# The block without content that ends a BGZF file, as the SAM specification prints it.
BGZF_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
BGZF_CONTENT_BYTES_MAX = 65_536  # the specification's own limit for one block
FEED_BYTES = 256 * 1024  # of gzip at once: with up to 1,000 times as much text it still streams
BLOCK_BYTES = 1024**2  # of text at once: large enough for calls in C to pay, small in any memory


class Block(NamedTuple):
    """Some text, and where in the stored bytes it begins, or its compressed block does."""

    stored_at: int
    text: bytes


def compression_of(head: bytes) -> str:
    """What the first bytes of a file say of how it is compressed."""
    if _bgzf_size(head) is not None:
        return "bgzf"
    return "gzip" if head.startswith(GZIP_MAGIC) else "none"


def blocks_of(source: Source, compression: str, *, needs_end: bool = True) -> Iterator[Block]:
    """The text in blocks of about BLOCK_BYTES; Broken where the stream is cut or damaged.

    Without `needs_end` a BGZF file may lack its last block and go on as plain gzip: what reads
    are stored in is any gzip.
    """
    if compression == "bgzf":
        return _bgzf(_Feed(source), needs_end=needs_end)
    return _gzip(_Feed(source)) if compression == "gzip" else _plain(source)


def _plain(source: Source) -> Iterator[Block]:
    at = 0
    while piece := source.piece():
        for start in range(0, len(piece), BLOCK_BYTES):
            yield Block(at + start, piece[start : start + BLOCK_BYTES])
        at += len(piece)


class _Feed:
    """Stored bytes that are looked at before they are taken."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.data = b""
        self.at = 0  # in data
        self._before = 0  # stored bytes before data

    @property
    def stored_at(self) -> int:
        """Where the next byte stands in the file."""
        return self._before + self.at

    def has(self, size_bytes: int) -> bool:
        """Whether so many bytes are to come; they are in `data` then."""
        if len(self.data) - self.at >= size_bytes:
            return True
        held = [self.data[self.at :]]
        size = len(held[0])
        self._before, self.at = self.stored_at, 0
        while size < size_bytes and (piece := self._source.piece()):
            held.append(piece)
            size += len(piece)
        self.data = b"".join(held) if len(held) > 1 else held[0]
        return size >= size_bytes

    def take(self, size_bytes: int) -> bytes:
        """The next bytes, which are there."""
        self.at += size_bytes
        return self.data[self.at - size_bytes : self.at]


# -- gzip


class _Inflate:
    """One deflate stream by zlib; the extension's `Inflate` does the same."""

    def __init__(self) -> None:
        self._state = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self.checksum = 0
        self.size = 0

    def feed(
        self, data: bytes, at: int, stored_bytes: int, text_bytes: int
    ) -> tuple[bytes, int, int, bool]:
        """Text, how much of it counts, where to go on, and whether it is over."""
        fed = data[at : at + stored_bytes]
        text = self._state.decompress(fed, text_bytes)
        self.checksum = zlib.crc32(text, self.checksum)
        self.size += len(text)
        left = len(self._state.unused_data if self._state.eof else self._state.unconsumed_tail)
        return text, len(text), at + len(fed) - left, self._state.eof


def _gzip(feed: _Feed, members: int = 0) -> Iterator[Block]:
    """Members in a row, joined: they may be as small as one likes."""
    waiting: list[bytes] = []
    begun_at = size = 0
    stream = _members(feed, members)
    while True:
        try:
            block = next(stream)
        except (StopIteration, BrokenStream) as end:
            if size:
                yield Block(begun_at, b"".join(waiting))
            if isinstance(end, BrokenStream):
                raise
            return
        if not size:
            begun_at = block.stored_at
        waiting.append(block.text)
        size += len(block.text)
        if size >= BLOCK_BYTES:
            yield Block(begun_at, waiting[0] if len(waiting) == 1 else b"".join(waiting))
            waiting, size = [], 0


def _members(feed: _Feed, members: int) -> Iterator[Block]:
    make: Any = getattr(extension(), "Inflate", _Inflate)
    while feed.has(1):
        _header(feed, is_first=members == 0)
        members += 1
        stream = make()
        yield from _member(feed, stream)
        _tail(feed, stream.checksum, stream.size)


def _header(feed: _Feed, *, is_first: bool) -> None:
    at = feed.stored_at
    has_head = feed.has(GZIP_HEAD_BYTES)
    head = feed.data[feed.at : feed.at + GZIP_HEAD_BYTES]
    if not head.startswith(GZIP_MAGIC[: len(head)]):
        said = "its gzip stream" if not is_first else "nothing"
        raise BrokenStream(
            rules.GZIP_TRAILING_GARBAGE, f"what follows {said} at byte {at} is no gzip", at
        )
    if not has_head:
        raise _cut(rules.GZIP_TRUNCATED, "gzip stream", at + len(head))
    if head[2] != DEFLATE:
        raise BrokenStream(rules.GZIP_METHOD, f"the gzip member at byte {at} has the method "
                           f"{head[2]}", at)  # fmt: skip
    flags = head[3]
    if flags & RESERVED:
        said = f"the gzip member at byte {at} has the flags {flags:#04x}"
        raise BrokenStream(rules.GZIP_RESERVED_FLAGS, said, at)
    size = _header_bytes(feed, flags, at)
    header = feed.take(size)
    if flags & HEADER_CHECKSUM:
        (declared,) = struct.unpack_from("<H", header, size - 2)
        if declared != zlib.crc32(header[:-2]) & 0xFFFF:
            said = f"the header of the gzip member at byte {at} contradicts its own checksum"
            raise BrokenStream(rules.GZIP_HEADER_CHECKSUM, said, at)


def _header_bytes(feed: _Feed, flags: int, at: int) -> int:
    """How long the header is; all of it is in the feed then."""
    size = GZIP_HEAD_BYTES
    if flags & EXTRA:
        _need(feed, size + 2, at)
        size += 2 + int.from_bytes(feed.data[feed.at + size : feed.at + size + 2], "little")
    for text in (NAME, COMMENT):
        if flags & text:
            size = _behind_zero(feed, size, at)
    if flags & HEADER_CHECKSUM:
        size += 2
    _need(feed, size, at)
    return size


def _behind_zero(feed: _Feed, size: int, at: int) -> int:
    looked = size
    while True:
        end = feed.data.find(b"\0", feed.at + looked)
        if 0 <= end - feed.at < GZIP_HEADER_BYTES_MAX:
            return end - feed.at + 1
        looked = max(looked, len(feed.data) - feed.at)
        if looked > GZIP_HEADER_BYTES_MAX:
            said = f"the header of the gzip member at byte {at} does not end"
            raise BrokenStream(rules.GZIP_HEADER_TOO_LONG, said, at)
        _need(feed, looked + 1, at)


def _need(feed: _Feed, size_bytes: int, at: int) -> None:
    if not feed.has(size_bytes):
        raise _cut(rules.GZIP_TRUNCATED, "gzip stream", at + len(feed.data) - feed.at)


def _member(feed: _Feed, stream: Any) -> Iterator[Block]:
    over = False
    while not over:
        if not feed.has(1):
            raise _cut(rules.GZIP_TRUNCATED, "gzip stream", feed.stored_at)
        at = feed.stored_at
        try:
            text, size, feed.at, over = stream.feed(feed.data, feed.at, FEED_BYTES, BLOCK_BYTES)
        except (zlib.error, ValueError) as error:
            said = f"its gzip stream is damaged behind byte {at}"
            raise BrokenStream(rules.GZIP_DAMAGED, said, at) from error
        if size:
            yield Block(at, text if size == len(text) else text[:size])


def _tail(feed: _Feed, checksum: int, size: int) -> None:
    at = feed.stored_at
    if not feed.has(TAIL_BYTES):
        raise _cut(rules.GZIP_TRUNCATED, "gzip stream", at + len(feed.data) - feed.at)
    declared, length = struct.unpack("<II", feed.take(TAIL_BYTES))
    if declared != checksum:
        said = f"the gzip member that ends at byte {at} contradicts its own checksum"
        raise BrokenStream(rules.GZIP_CHECKSUM, said, at)
    if length != size & 0xFFFF_FFFF:
        said = f"the gzip member that ends at byte {at} has {size} bytes of text, and says {length}"
        raise BrokenStream(rules.GZIP_LENGTH, said, at)


def _cut(rule: Rule, what: str, at: int) -> BrokenStream:
    return BrokenStream(rule, f"its {what} is cut after byte {at}", at)


# -- BGZF


def _bgzf_size(header: bytes) -> int | None:
    """How long the block with this header is; None where it is no header of a BGZF block."""
    if len(header) < BGZF_HEAD_BYTES or header[:3] != BGZF_MAGIC[:3] or not header[3] & EXTRA:
        return None
    (extra_bytes,) = struct.unpack_from("<H", header, 10)
    extra = header[BGZF_HEAD_BYTES : BGZF_HEAD_BYTES + extra_bytes]
    while len(extra) >= 4:
        first, second, length = struct.unpack_from("<BBH", extra)
        if (first, second, length) == (66, 67, 2) and len(extra) >= 6:
            return int.from_bytes(extra[4:6], "little") + 1
        extra = extra[4 + length :]
    return None


def _bgzf(feed: _Feed, *, needs_end: bool) -> Iterator[Block]:
    waiting: list[bytes] = []
    begun_at = size = blocks = 0
    last = b""
    fault: BrokenStream | None = None
    while feed.has(1):
        at = feed.stored_at
        try:
            text, last = _some_blocks(feed, BLOCK_BYTES - size)
        except BrokenStream as broken:
            fault = broken
            break
        blocks += 1
        if not size:
            begun_at = at
        waiting.append(text)
        size += len(text)
        if size >= BLOCK_BYTES:
            yield Block(begun_at, b"".join(waiting) if len(waiting) > 1 else text)
            waiting, size = [], 0
    if size:
        yield Block(begun_at, b"".join(waiting))
    if fault is not None:
        if needs_end or fault.rule is not rules.BGZF_NO_BLOCK or not blocks:
            raise fault
        yield from _gzip(feed, members=blocks)
    elif needs_end and last != BGZF_EOF:
        said = "the empty block that ends every BGZF file is missing"
        raise BrokenStream(rules.BGZF_NO_END, said, feed.stored_at)


def _some_blocks(feed: _Feed, text_bytes: int) -> tuple[bytes, bytes]:
    """The text of one block or of many, and the last of them as it is stored."""
    rust = extension()
    if rust is not None:
        text, size, end, last_at = rust.inflate_blocks(feed.data, feed.at, text_bytes)
        if end > feed.at:
            feed.at = end
            return text if size == len(text) else text[:size], feed.data[last_at:end]
    return _block(feed)


def _block(feed: _Feed) -> tuple[bytes, bytes]:
    at = feed.stored_at
    size = _whole_block(feed, at)
    block = feed.data[feed.at : feed.at + size]
    begin = BGZF_HEAD_BYTES + int.from_bytes(block[10:12], "little")
    if size <= begin + TAIL_BYTES:
        said = f"the BGZF block at byte {at} states a size of {size} bytes"
        raise BrokenStream(rules.BGZF_SIZE, said, at)
    text = _content(block[begin:-TAIL_BYTES], at)
    declared, length = struct.unpack_from("<II", block, size - TAIL_BYTES)
    if len(text) != length:
        said = f"the BGZF block at byte {at} has {len(text)} bytes of text, and says {length}"
        raise BrokenStream(rules.BGZF_LENGTH, said, at)
    if zlib.crc32(text) != declared:
        said = f"its BGZF block at byte {at} contradicts its own checksum"
        raise BrokenStream(rules.BGZF_CHECKSUM, said, at)
    feed.at += size
    return text, block


def _whole_block(feed: _Feed, at: int) -> int:
    """How long the next block is; all of it is in the feed then."""
    whole = feed.has(BGZF_HEAD_BYTES)
    head = feed.data[feed.at : feed.at + BGZF_HEAD_BYTES]
    if not head.startswith(GZIP_MAGIC[: len(head)]):
        said = f"no BGZF block begins at byte {at}"
        raise BrokenStream(rules.BGZF_TRAILING_GARBAGE, said, at)
    if not whole:
        raise _cut(rules.BGZF_TRUNCATED, f"BGZF block at byte {at}", at + len(head))
    if head[3] & RESERVED:
        said = f"the BGZF block at byte {at} has the flags {head[3]:#04x}"
        raise BrokenStream(rules.BGZF_RESERVED_FLAGS, said, at)
    extra_bytes = int.from_bytes(head[10:12], "little") if head[3] & EXTRA else 0
    whole = feed.has(BGZF_HEAD_BYTES + extra_bytes)
    header = feed.data[feed.at : feed.at + BGZF_HEAD_BYTES + extra_bytes]
    size = _bgzf_size(header) if head[3] == EXTRA and head[2] == DEFLATE else None
    if size is None and whole:
        said = f"the gzip member at byte {at} is no BGZF block"
        raise BrokenStream(rules.BGZF_NO_BLOCK, said, at)
    if size is None or not feed.has(size):
        raise _cut(rules.BGZF_TRUNCATED, f"BGZF block at byte {at}", at + len(feed.data) - feed.at)
    return size


def _content(content: bytes, at: int) -> bytes:
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        text = inflater.decompress(content, BGZF_CONTENT_BYTES_MAX + 1)
    except zlib.error as error:
        said = f"its BGZF block at byte {at} is damaged: {error}"
        raise BrokenStream(rules.BGZF_DAMAGED, said, at) from error
    if len(text) > BGZF_CONTENT_BYTES_MAX:
        said = f"the BGZF block at byte {at} has more than {BGZF_CONTENT_BYTES_MAX} bytes of text"
        raise BrokenStream(rules.BGZF_LENGTH, said, at)
    if not inflater.eof or inflater.unused_data:
        said = f"the content of the BGZF block at byte {at} does not end where the block does"
        raise BrokenStream(rules.BGZF_DAMAGED, said, at)
    return text
