"""What stands in a data container: its compression header, and its slices."""

from __future__ import annotations

import hashlib

from genoflow.processors.validation.cram.blocks import (
    COMPRESSION_HEADER,
    CORE,
    EXTERNAL,
    LZMA,
    METHOD_NAMES,
    RAW,
    SLICE_BYTES_MAX,
    SLICE_HEADER,
    SLICE_RAW_BYTES_MAX,
    SLICE_STORED_BYTES_MAX,
    Block,
    check_size,
    read_block_data,
    read_block_header,
)
from genoflow.processors.validation.cram.compression import Compression, read_compression
from genoflow.processors.validation.cram.containers import Container
from genoflow.processors.validation.cram.cursor import Cursor
from genoflow.processors.validation.cram.reference import Restoring
from genoflow.processors.validation.cram.rules import (
    BLOCK_COUNT,
    BLOCK_COUNT_EMPTY,
    BLOCK_KIND,
    CONTENT_ID,
    CONTENT_ID_LOW,
)
from genoflow.processors.validation.cram.rules import COMPRESSION_HEADER as COMPRESSION_RULE
from genoflow.processors.validation.cram.slice_rules import (
    EMBEDDED,
    EMBEDDED_MD5,
    LANDMARKS,
    RECORD_COUNT,
    RECORD_COUNTER,
    REFERENCE_ID,
    SLICE_BLOCKS,
    SLICE_LARGE,
    SLICE_METHOD,
)
from genoflow.processors.validation.cram.slices import (
    NO_MD5,
    Slice,
    compare_blocks,
    compare_slice,
    read_slice,
)
from genoflow.processors.validation.findings import Broken, Findings

# Of a compression or slice header: those that programs write have some kilobytes, and each byte of
# one may be a number of a list.
HEADER_BYTES_MAX = 1024**2


class Body:
    """Reads the blocks of one container after another."""

    def __init__(
        self,
        cursor: Cursor,
        version: tuple[int, int],
        sequences: int,
        restoring: Restoring,
        findings: Findings,
    ) -> None:
        self._cursor = cursor
        self._version = version
        self._sequences = sequences
        self._restoring = restoring
        self._findings = findings
        self.slices = 0
        # Of the container that was read last: its records, and whether it has a large slice.
        self.records = 0
        self.is_large = False

    def read(self, container: Container, before: int) -> bool:
        """Whether all its bases can be read; Broken where the rest of it cannot.

        `before` it there are so many records in the file.
        """
        data_at, end = self._cursor.at, self._cursor.at + container.length
        self.is_large = False
        if container.reference >= self._sequences and container.records:
            said = (
                f"its container is of sequence {container.reference}, "
                f"and its header has {self._sequences}"
            )
            self._findings.add(REFERENCE_ID, said, container.where)
        counted = before if self._version >= (3, 0) else None
        if counted is not None and container.counter != counted and container.records:
            said = f"its container says that {container.counter} records come before it"
            self._findings.add(RECORD_COUNTER, f"{said}, and there are {counted}", container.where)
        compression = self._compression(container, end)
        records, blocks, landmarks, with_bases = 0, 1, [], True
        while blocks < container.blocks and self._cursor.at < end:
            landmarks.append(self._cursor.at - data_at)
            left = container.blocks - blocks - 1
            found = self._slice(container, end, left, None if counted is None else before + records)
            with_bases = self._blocks(found, end, compression) and with_bases
            records += found.records
            blocks += 1 + found.blocks
        if blocks < container.blocks and self._cursor.at == end:
            rule = BLOCK_COUNT if container.records else BLOCK_COUNT_EMPTY
            said = f"its container says {container.blocks} blocks, and it has {blocks}"
            self._findings.add(rule, said, container.where)
        if records != container.records:
            said = f"its container says {container.records} records, and its slices have {records}"
            self._findings.add(RECORD_COUNT, said, container.where)
        if tuple(landmarks) != container.landmarks:
            said = f"its container's landmarks are {container.landmarks[:5]}, and its slices begin"
            self._findings.add(LANDMARKS, f"{said} at {landmarks[:5]}", container.where)
        self.records = records
        return with_bases

    def _compression(self, container: Container, end: int) -> Compression:
        if not container.blocks:
            raise Broken(BLOCK_KIND, "its container has no compression header", container.where)
        block = self._header(end, COMPRESSION_HEADER, "compression header")
        if block.method > LZMA:
            said = f"its compression header is compressed by {METHOD_NAMES[block.method % 9]}"
            raise Broken(COMPRESSION_RULE, f"{said}, which is for external data", block.where)
        data = self._data(block, keep=True)
        return read_compression(data or b"", self._findings, block.where)

    def _slice(self, container: Container, end: int, left: int, before: int | None) -> Slice:
        block = self._header(end, SLICE_HEADER, "slice header")
        if block.method != RAW:
            said = f"its slice header is compressed: method {block.method}"
            self._findings.add(SLICE_METHOD, said, block.where)
        found = read_slice(self._data(block, keep=True) or b"", self._version, block.at)
        if not 1 <= found.blocks <= left:
            said = f"its slice says {found.blocks} blocks, and its container has {left} more"
            raise Broken(SLICE_BLOCKS, said, block.where)
        compare_slice(found, container, self._sequences, before, self._findings)
        self.slices += 1
        return found

    def _blocks(self, found: Slice, end: int, compression: Compression) -> bool:
        raw, stored, content_ids, embedded = 0, 0, set[int](), None
        for number in range(found.blocks):
            due = EXTERNAL if number else CORE
            block = self._header(end, due, "external" if number else "core")
            raw, stored = raw + block.raw, stored + block.stored
            check_size(raw, SLICE_RAW_BYTES_MAX, "slice, decompressed,", found.where)
            check_size(stored, SLICE_STORED_BYTES_MAX, "slice", found.where)
            if due == EXTERNAL:
                self._check_id(block, content_ids)
            wanted = due == EXTERNAL and block.content_id == found.embedded
            data = self._data(block, keep=wanted and block.method <= LZMA)
            if wanted:
                embedded = block
                self._compare_embedded(found, block, data)
        if raw > SLICE_BYTES_MAX:
            self.is_large = True
            said = f"its slice has {raw} bytes decompressed, and {SLICE_BYTES_MAX} are read at once"
            self._findings.add(SLICE_LARGE, said, found.where)
        compare_blocks(found, tuple(content_ids), self._findings)
        if found.embedded >= 0 and embedded is None:
            said = f"its slice names the block {found.embedded} as its reference, and has none such"
            self._findings.add(EMBEDDED, said, found.where)
        if found.reference >= self._sequences:
            return False
        return self._restoring.possible(found, required=compression.reference_required)

    def _check_id(self, block: Block, content_ids: set[int]) -> None:
        if block.content_id < 1:
            said = f"its external block has the content id {block.content_id}"
            self._findings.add(CONTENT_ID_LOW, said, block.where)
        if block.content_id in content_ids:
            said = f"its external block has the content id {block.content_id}, as another"
            self._findings.add(CONTENT_ID, said, block.where)
        content_ids.add(block.content_id)

    def _compare_embedded(self, found: Slice, block: Block, data: bytes | None) -> None:
        if block.raw < found.span:
            said = f"the reference in its slice has {block.raw} bases, and it spans {found.span}"
            self._findings.add(EMBEDDED, said, found.where)
        if data and found.md5 != NO_MD5:
            parts = (data, data[: found.span])
            md5s = [hashlib.md5(part.upper(), usedforsecurity=False) for part in parts]
            if found.md5 not in [md5.digest() for md5 in md5s]:
                said = f"the reference in its slice has not the MD5 {found.md5.hex()}"
                self._findings.add(EMBEDDED_MD5, said, found.where)

    def _header(self, end: int, kind: int, name: str) -> Block:
        block = read_block_header(self._cursor, end, self._version, self._findings)
        if block.kind != kind:
            said = f"a {name} block is due, and the block is of type {block.kind}"
            raise Broken(BLOCK_KIND, said, block.where)
        if kind in (COMPRESSION_HEADER, SLICE_HEADER):
            check_size(block.raw, HEADER_BYTES_MAX, name, block.where)
        return block

    def _data(self, block: Block, *, keep: bool) -> bytes | None:
        """The data; Broken without a finding where they were wanted and one was made."""
        data = read_block_data(self._cursor, block, self._version, self._findings, keep=keep)
        if keep and data is None:
            raise Unsound
        return data


class Unsound(Exception):
    """A block that is needed to go on in its container cannot be read, and a finding says why."""
