"""CRAI: the lines of a CRAM index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.indexes.rules import (
    CRAI_COMPRESSION,
    CRAI_LINE,
    CRAI_NUMBERS,
)
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.source import Source

# Six whole numbers within 64 bits: a start before the first base is written by some programs.
LINE = re.compile(rb"(-?\d{1,18})" + rb"\t(-?\d{1,18})" * 5)
LINE_BYTES_MAX = 120  # six numbers of 19 characters with tabs between: what is longer is none
DEFINITION_BYTES = 26  # no container begins before


class Line(NamedTuple):
    """One slice, or one sequence of a slice of several."""

    reference: int
    start: int
    span: int
    container: int
    slice_at: int
    size: int


def read_lines(source: Source, compression: str, findings: Findings) -> Iterator[Line]:
    """The lines that can be read; the others are findings."""
    if compression == "none":
        findings.add(CRAI_COMPRESSION, "it is not compressed")
    rest, number = b"", 1
    for block in blocks_of(source, compression):
        *whole, rest = (rest + block.text).split(b"\n")
        for text in whole:
            if (line := _line(text, number, findings)) is not None:
                yield line
            number += 1
        if len(rest) > LINE_BYTES_MAX:
            shown = rest[:LINE_BYTES_MAX].decode("latin-1")
            raise Broken(CRAI_LINE, f"its line goes on behind {shown!r}", Where(line=number))
    if rest and (line := _line(rest, number, findings)) is not None:
        yield line


def _line(text: bytes, number: int, findings: Findings) -> Line | None:
    found, where = LINE.fullmatch(text), Where(line=number)
    if found is None:
        shown = text[:LINE_BYTES_MAX].decode("latin-1")
        findings.add(CRAI_LINE, f"its line is {shown!r}", where)
        return None
    line = Line(*(int(value) for value in found.groups()))
    impossible = min(line.span, line.slice_at) < 0 or line.container < DEFINITION_BYTES
    if line.reference < -1 or line.size < 1 or impossible:
        findings.add(CRAI_NUMBERS, f"its line is {text.decode()!r}", where)
    return line


def read_crai(
    source: Source, compression: str, _expected: Expected, findings: Findings
) -> Measured:
    """Each line by itself; Broken where its stream is cut or damaged."""
    count = sum(1 for _ in read_lines(source, compression, findings))
    return Measured("CRAI", details={"lines": count})
