"""Gzip as sequencing writes it: one member, several members, and BGZF blocks.

The framing is written here, because Python's own differs between its versions. The same seed gives
the same content everywhere, and the same bytes wherever zlib is the same.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

LEVEL = 6  # what gzip itself takes
RAW_DEFLATE = -15  # no header of zlib's own, and its largest window
# Magic, deflate, no flags, no time, nothing extra, no operating system.
GZIP_HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255))
# The same with an extra field of six bytes: the subfield BC, in which BGZF keeps the block's size.
BGZF_HEADER = bytes((0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0)) + b"BC" + struct.pack("<H", 2)
BLOCK_SIZE_AT = len(BGZF_HEADER)  # of a block: where it says which of its bytes is the last
BGZF_BLOCK_BYTES = 0xFF00  # of content; a block, header included, has to stay below 64 KiB
MEMBER_BYTES = 1 << 18  # of content; a file of some MB then has several members, as merged lanes do


def gzip_member(content: bytes) -> bytes:
    """One whole gzip member."""
    return GZIP_HEADER + _deflated(content) + _trailer(content)


def gzip_members(content: bytes, size: int = MEMBER_BYTES) -> bytes:
    """The content as several members, one after another, as `cat a.gz b.gz` leaves it."""
    return b"".join(gzip_member(part) for part in _parts(content, size))


def bgzf(content: bytes) -> bytes:
    """The content in BGZF blocks, with the empty block that says that this is the end."""
    return b"".join(_block(part) for part in _parts(content, BGZF_BLOCK_BYTES)) + BGZF_END


def _parts(content: bytes, size: int) -> Iterator[bytes]:
    yield from (content[start : start + size] for start in range(0, max(len(content), 1), size))


def _block(content: bytes) -> bytes:
    body, trailer = _deflated(content), _trailer(content)
    size = len(BGZF_HEADER) + 2 + len(body) + len(trailer)
    return BGZF_HEADER + struct.pack("<H", size - 1) + body + trailer


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE)
    return packer.compress(content) + packer.flush()


def _trailer(content: bytes) -> bytes:
    return struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


BGZF_END = _block(b"")
