"""Records that htslib has decoded, in the form of BAM: the extension goes over the clean ones.

Of each record that is not certainly clean it is said that it has to be looked at. The binary form
is a file of our own: htslib writes it, and what it cannot write is looked at as a whole.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from genoflow.native import batch
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.sam.scan import Scan

MAGIC_BYTES = 4
SIZE_BYTES = 4  # in front of each record, and of each part of the header
# Where records are in doubt one after the other, so many are looked at without asking again.
RUN_MAX = 512
Part = tuple[int, int]  # of some records: the first to look at, and the first behind them


class Ahead:
    """Asks the extension before anybody looks at records one by one."""

    def __init__(self, scan: Scan, file: IO[bytes], findings: Findings) -> None:
        self._scan = scan
        self._file = file
        self._findings = findings
        self._header_bytes = 0  # of the binary form; 0: not yet known

    def doubtful(self, records: Sequence[Any], header: Any, first: int) -> Iterator[Part]:
        """The parts to look at, each to be looked at before the next is asked for.

        So many of them are looked at first, whatever they are.
        """
        count, data = len(records), self._binary(records, header)
        if data is None:
            yield 0, count
            return
        self._scan.tolerate(self._findings)
        at = number = 0
        run = first
        while number < count:
            if number or not first:
                at, clean = self._scan.binary(data, at)
                number += clean
                run = min(2 * run, RUN_MAX) if clean < run else 1
            end = min(number + run, count)
            if number < end:
                yield number, end
            for _ in range(number, end):
                at += SIZE_BYTES + int.from_bytes(data[at : at + SIZE_BYTES], "little")
            number = end

    def _binary(self, records: Sequence[Any], header: Any) -> bytes | None:
        import pysam  # noqa: PLC0415 -- takes 0.2 s, and only who reads bytes needs it

        handle = self._file.fileno()  # htslib writes where it stands, and leaves it behind the end
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            with pysam.AlignmentFile(handle, "wbu", header=header) as out:
                write = out.write
                for one in records:
                    write(one)
        except (OSError, ValueError):
            return None  # it may be sound and only have no place in BAM
        stored = os.pread(handle, os.lseek(handle, 0, os.SEEK_CUR), 0)
        data: bytes
        data, *_ = batch.extension().inflate_blocks(stored, 0, sys.maxsize)
        self._header_bytes = self._header_bytes or _header_bytes(data)
        return data[self._header_bytes :]


def _header_bytes(data: bytes) -> int:
    """Of a BAM: its magic, its text, and the name and length of each reference."""

    def number(at: int) -> int:
        return int.from_bytes(data[at : at + SIZE_BYTES], "little")

    at = MAGIC_BYTES + SIZE_BYTES + number(MAGIC_BYTES)
    references = number(at)
    at += SIZE_BYTES
    for _ in range(references):
        at += SIZE_BYTES + number(at) + SIZE_BYTES
    return at
