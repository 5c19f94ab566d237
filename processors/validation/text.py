"""Text in blocks of whole lines, with the number of the first and its place as stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from genoflow.processors.validation.inflate import Block


class Lines(NamedTuple):
    """Some whole lines; only the last ones of a file may lack their last line feed."""

    number: int  # of the first, counted from 1
    stored_at: int  # where the block begins, as stored, that holds the first
    text: bytes


def whole_lines(blocks: Iterable[Block]) -> Iterator[Lines]:
    """The same text, cut behind line feeds; a line longer than a block is held in memory."""
    number, held, held_at = 1, [b""], 0
    for stored_at, text in blocks:
        if not any(held):
            held_at = stored_at
        end = text.rfind(b"\n") + 1
        if end:
            whole = b"".join((*held, text[:end]))
            yield Lines(number, held_at, whole)
            number += whole.count(b"\n")
            held, held_at = [text[end:]], stored_at
        else:
            held.append(text)
    if rest := b"".join(held):
        yield Lines(number, held_at, rest)
