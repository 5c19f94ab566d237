"""Text in blocks of whole lines, with the number of the first and its place as stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from genoflow.native.batch import extension
from genoflow.processors.validation.findings import Broken, Where
from genoflow.processors.validation.inflate import Block
from genoflow.processors.validation.rules import Rule

LINE_BYTES_MAX = 16 * 1024**2  # of a VCF: 500,000 samples with 32 bytes each


class Lines(NamedTuple):
    """Some whole lines; only the last ones of a file may lack their last line feed."""

    number: int  # of the first, counted from 1
    stored_at: int  # where the block begins, as stored, that holds the first
    text: bytes


def whole_lines(blocks: Iterable[Block], too_long: Rule) -> Iterator[Lines]:
    """The same text, cut behind line feeds; Broken by this rule where a line is too long to hold.

    A line that is longer than a block is held in memory until its end.
    """
    number, held, held_at, held_bytes = 1, [b""], 0, 0
    for stored_at, text in blocks:
        if not any(held):
            held_at = stored_at
        end = text.rfind(b"\n") + 1
        if end:
            whole = b"".join((*held, memoryview(text)[:end]))
            yield Lines(number, held_at, whole)
            number += _line_feeds(whole)
            held, held_at, held_bytes = [text[end:]], stored_at, len(text) - end
        else:
            held.append(text)
            held_bytes += len(text)
        if held_bytes > LINE_BYTES_MAX:
            said = f"line {number} has more than {LINE_BYTES_MAX} bytes"
            raise Broken(too_long, said, Where(line=number, byte=held_at))
    if rest := b"".join(held):
        yield Lines(number, held_at, rest)


def _line_feeds(text: bytes) -> int:
    rust = extension()
    return text.count(b"\n") if rust is None else rust.count_lines(text)
