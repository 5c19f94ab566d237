"""Blocks: their headers, their checksums, and whether their data are of the size that they say."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from genoflow.processors.validation.cram.cursor import Cursor, Fields, Short
from genoflow.processors.validation.cram.rules import (
    BLOCK_CRC,
    BLOCK_DATA,
    CONTAINER_SHORT,
    CONTENT_ID,
    COUNTS,
    METHOD,
    METHOD_LATER,
    RAW_SIZES,
    TOO_LARGE,
)
from genoflow.processors.validation.findings import Broken, Findings, Where

FILE_HEADER, COMPRESSION_HEADER, SLICE_HEADER, EXTERNAL, CORE = 0, 1, 2, 4, 5
RAW, GZIP, BZIP2, LZMA, RANS_4X8, RANS_NX16, ARITHMETIC, QUALITIES, NAMES = range(9)
METHOD_NAMES = (
    "raw", "gzip", "bzip2", "lzma", "rANS 4x8", "rANS Nx16", "adaptive arithmetic coding",
    "fqzcomp", "the name tokeniser",
)  # fmt: skip
METHODS = {(2, 1): BZIP2, (3, 0): RANS_4X8, (3, 1): NAMES}  # the last one that a version has
NOT_SIZED = 0x10  # of rANS Nx16 and arithmetic coding: the flag of a stream without its size
FQZCOMP_VERSION = 5
# Of a slice, decompressed. One of 100,000 reads of 150 bases, the most that programs write, has
# 40 MB. htslib holds its blocks and its records beside them, three times this, and Python has
# 60 MB: 300 MB in all. Of a larger one neither bases nor qualities are read.
SLICE_BYTES_MAX = 72 * 1024**2
# Beyond this the sizes are lies, or nobody could read it: refused before anything is made of it.
SLICE_RAW_BYTES_MAX, SLICE_STORED_BYTES_MAX = 1024**3, 192 * 1024**2
# xz at its highest level needs 65 MB to decompress, and this is above that.
LZMA_BYTES_MAX = 80 * 1024**2
STEP_BYTES = 256 * 1024  # decompressed at once


class Block(NamedTuple):
    """What the header of a block says."""

    at: int
    method: int
    kind: int
    content_id: int
    stored: int
    raw: int

    @property
    def where(self) -> Where:
        """Its place in the file."""
        return Where(byte=self.at)


class Decompressor(Protocol):
    """What bz2 and lzma have in common, and zlib is given by `_Gzip`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflater.unconsumed_tail and not self._full and not self.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        text = self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)
        self._full = len(text) == max_length
        return text


def read_block_header(
    cursor: Cursor, end: int, version: tuple[int, int], findings: Findings
) -> Block:
    """What stands before the data of a block; Broken where it does not fit into its container."""
    at, cursor.crc = cursor.at, 0
    where = Where(byte=at)
    if at >= end:
        raise Broken(CONTAINER_SHORT, "its container ends before its blocks do", where)
    method, kind = cursor.take(2)
    block = Block(at, method, kind, cursor.number(), cursor.number(), cursor.number())
    if block.stored < 0 or block.raw < 0:
        said = f"its block says {block.stored} bytes, and {block.raw} decompressed"
        raise Broken(COUNTS, said, where)
    checksum_bytes = 4 if version >= (3, 0) else 0
    if cursor.at + block.stored + checksum_bytes > end:
        said = f"its block of {block.stored} bytes is longer than the container that holds it"
        raise Broken(CONTAINER_SHORT, said, where)
    _check_header(block, version, findings)
    return block


def check_size(size: int, most: int, of: str, where: Where) -> None:
    """Broken where something is more than is read at once."""
    if size > most:
        said = f"its {of} has {size} bytes, and the limit is {most}"
        raise Broken(TOO_LARGE, said, where)


def _check_header(block: Block, version: tuple[int, int], findings: Findings) -> None:
    if block.method >= len(METHOD_NAMES):
        findings.add(METHOD, f"its block has the method {block.method}", block.where)
    elif block.method > METHODS[version] and block.raw:
        name = METHOD_NAMES[block.method]
        said = f"its block is compressed by {name}, which CRAM {version[0]}.{version[1]} has not"
        findings.add(METHOD_LATER, said, block.where)
    if block.method == RAW and block.stored != block.raw:
        said = f"its raw block says {block.stored} bytes, and {block.raw} decompressed"
        findings.add(RAW_SIZES, said, block.where)
    if block.raw > SLICE_RAW_BYTES_MAX:
        said = f"its block has {block.raw} bytes decompressed; the limit is {SLICE_RAW_BYTES_MAX}"
        findings.add(TOO_LARGE, said, block.where)
    if block.kind != EXTERNAL and block.content_id != 0:
        said = f"its block of type {block.kind} has the content id {block.content_id}"
        findings.add(CONTENT_ID, said, block.where)


def read_block_data(
    cursor: Cursor, block: Block, version: tuple[int, int], findings: Findings, *, keep: bool
) -> bytes | None:
    """The decompressed data where they are asked for and sound; its checksum is compared."""
    parts = _Parts(cursor, block)
    said, data = "", b""
    try:
        said, data = _expanded(parts, block, keep=keep)
    except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, Short) as error:
        said = str(error)
    parts.skip()
    if version >= (3, 0):
        found = cursor.crc
        (declared,) = struct.unpack("<I", cursor.take(4))
        if declared != found:
            findings.add(BLOCK_CRC, "its block contradicts its checksum", block.where)
            return None
    if said:
        name = METHOD_NAMES[block.method]
        findings.add(BLOCK_DATA, f"its {name} block cannot be decompressed: {said}", block.where)
        return None
    return data if keep else None


class _Parts:
    """The stored data of a block as they come, exactly once."""

    def __init__(self, cursor: Cursor, block: Block) -> None:
        self._parts = cursor.parts(block.stored)

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def skip(self) -> None:
        for _ in self._parts:
            pass


def _expanded(parts: _Parts, block: Block, *, keep: bool) -> tuple[str, bytes]:
    """What is wrong with the data, or nothing; and the data, where they are to be kept."""
    if block.method >= len(METHOD_NAMES) or block.raw > SLICE_RAW_BYTES_MAX or not block.raw:
        return "", b""
    if block.method == RAW:
        return "", b"".join(parts) if keep else b""
    if block.method > LZMA:
        return _announced(b"".join(parts), block), b""
    kept, size = [], 0
    for text in _texts(parts, _decompressor(block.method)):
        size += len(text)
        if size > block.raw:
            break
        if keep:
            kept.append(text)
    said = "" if size == block.raw else f"it holds {size} bytes or more, and says {block.raw}"
    return said, b"".join(kept)


def _decompressor(method: int) -> Decompressor:
    if method == BZIP2:
        return bz2.BZ2Decompressor()
    if method == LZMA:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_BYTES_MAX)
    return _Gzip()


def _texts(parts: _Parts, made: Decompressor) -> Iterator[bytes]:
    for part in parts:
        if made.eof:
            raise Short("bytes follow the end of its stream")
        fed = part
        while True:
            yield made.decompress(fed, STEP_BYTES)
            fed = b""
            if made.eof or made.needs_input:
                break
    if not made.eof:
        raise Short("its stream is cut")
    if made.unused_data:
        raise Short("bytes follow the end of its stream")


def _announced(data: bytes, block: Block) -> str:
    """Whether the codec's own header says the size that the block says; nothing where it does."""
    fields = Fields(data)
    if block.method == RANS_4X8:
        order, stored, size = struct.unpack("<BII", fields.take(9))
        if order > 1:
            return f"its order is {order}"
        if stored != fields.left:
            return f"its stream says {stored} bytes, and has {fields.left}"
    elif block.method == NAMES:
        size, _names, coder = struct.unpack("<IIB", fields.take(9))
        if coder > 1:
            return f"its entropy coder is {coder}"
    elif block.method == QUALITIES:
        size, version = _uint7(fields), fields.take(1)[0]
        if version != FQZCOMP_VERSION:
            return f"its version is {version}"
    elif fields.take(1)[0] & NOT_SIZED:
        return ""
    else:
        size = _uint7(fields)
    return "" if size == block.raw else f"its stream is of {size} bytes, and it says {block.raw}"


def _uint7(fields: Fields) -> int:
    number = 0
    while number < 1 << 32:
        byte = fields.take(1)[0]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return number
