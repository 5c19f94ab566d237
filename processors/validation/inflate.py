"""From stored bytes to text: plain, gzip with any number of members, and BGZF with its end."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from genoflow.processors.validation.port import Fault
from genoflow.processors.validation.source import Source

GZIP_MAGIC = b"\x1f\x8b"
BGZF_HEADER_BYTES = 18
BGZF_FIXED = b"\x1f\x8b\x08\x04"
# The block without content that ends a BGZF file, as the SAM specification prints it.
BGZF_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
BGZF_TAIL_BYTES = 8  # checksum and length
BGZF_CONTENT_BYTES_MAX = 65_536  # the specification's own limit for one block
BLOCK_BYTES = 1024**2  # of text at once: large enough for calls in C to pay, small in any memory
FEED_BYTES = 256 * 1024  # of gzip at once: with up to 1,000 times as much text it still streams


class Block(NamedTuple):
    """Some text, and where in the stored bytes it begins, or its compressed block does."""

    stored_at: int
    text: bytes


def compression_of(head: bytes) -> str:
    """What the first bytes of a file say of how it is compressed."""
    if _bgzf_size(head) is not None:
        return "bgzf"
    return "gzip" if head.startswith(GZIP_MAGIC) else "none"


def blocks_of(source: Source, compression: str) -> Iterator[Block]:
    """The text in blocks of about BLOCK_BYTES; Fault where the stream is cut or damaged."""
    if compression == "bgzf":
        return _gathered(_bgzf(source))
    return _gathered(_gzip(source)) if compression == "gzip" else _plain(source)


def _plain(source: Source) -> Iterator[Block]:
    at = 0
    while piece := source.piece():
        for start in range(0, len(piece), BLOCK_BYTES):
            yield Block(at + start, piece[start : start + BLOCK_BYTES])
        at += len(piece)


def _gathered(blocks: Iterator[Block]) -> Iterator[Block]:
    """Small blocks joined, so that what follows works on large ones."""
    waiting: list[bytes] = []
    at = size = 0
    for block in blocks:
        if not waiting:
            at = block.stored_at
        waiting.append(block.text)
        size += len(block.text)
        if size >= BLOCK_BYTES:
            yield Block(at, b"".join(waiting))
            waiting, size = [], 0
    if size:
        yield Block(at, b"".join(waiting))


def _gzip(source: Source) -> Iterator[Block]:
    member = zlib.decompressobj(wbits=31)
    at, members, begun = 0, 0, False
    while piece := source.piece():
        for start in range(0, len(piece), FEED_BYTES):
            fed = piece[start : start + FEED_BYTES]
            at += len(fed)
            while fed:
                fed_at = at - len(fed)
                try:
                    text = member.decompress(fed, BLOCK_BYTES)
                except zlib.error as error:
                    raise _damaged(fed_at, behind=members > 0 and not begun, said=error) from error
                if text:
                    yield Block(fed_at, text)
                begun = not member.eof
                fed = member.unconsumed_tail if begun else member.unused_data
                if not begun:
                    members += 1
                    member = zlib.decompressobj(wbits=31)
    if begun:
        raise Fault("truncated", f"its gzip stream is cut after byte {at}", at)


def _damaged(at: int, *, behind: bool, said: zlib.error) -> Fault:
    if behind:
        return Fault("unreadable", f"what follows its gzip stream at byte {at} is no gzip", at)
    return Fault("unreadable", f"its gzip stream is damaged behind byte {at}: {said}", at)


def _bgzf_size(header: bytes) -> int | None:
    """How long the block with this header is; None where it is no header of a BGZF block."""
    if len(header) < BGZF_HEADER_BYTES or header[:4] != BGZF_FIXED:
        return None
    extra_bytes, first, second, length, size = struct.unpack_from("<H2BHH", header, 10)
    # Other subfields are allowed before it, and no program is known that writes one.
    if extra_bytes != 6 or (first, second, length) != (66, 67, 2):
        return None
    return int(size) + 1


def _bgzf(source: Source) -> Iterator[Block]:
    at, waiting, last = 0, b"", b""
    while piece := source.piece():
        waiting += piece
        start = 0
        while len(waiting) - start >= BGZF_HEADER_BYTES:
            size = _bgzf_size(waiting[start : start + BGZF_HEADER_BYTES])
            if size is None or size <= BGZF_HEADER_BYTES + BGZF_TAIL_BYTES:
                raise Fault("unreadable", f"no BGZF block begins at byte {at}", at)
            if len(waiting) - start < size:
                break
            last = waiting[start : start + size]
            if text := _content(last, at):
                yield Block(at, text)
            start += size
            at += size
        waiting = waiting[start:]
    if waiting:
        raise Fault("truncated", f"its BGZF block at byte {at} is cut", at)
    if last != BGZF_EOF:
        raise Fault("truncated", "the empty block that ends every BGZF file is missing", at)


def _content(block: bytes, at: int) -> bytes:
    checksum, size = struct.unpack_from("<II", block, len(block) - BGZF_TAIL_BYTES)
    inflater = zlib.decompressobj(wbits=-15)
    try:
        text = inflater.decompress(
            block[BGZF_HEADER_BYTES:-BGZF_TAIL_BYTES], BGZF_CONTENT_BYTES_MAX + 1
        )
    except zlib.error as error:
        raise Fault("unreadable", f"its BGZF block at byte {at} is damaged: {error}", at) from error
    whole = inflater.eof and not inflater.unused_data and len(text) <= BGZF_CONTENT_BYTES_MAX
    if not whole or len(text) != size or zlib.crc32(text) != checksum:
        raise Fault("unreadable", f"its BGZF block at byte {at} contradicts its own checksum", at)
    return text
