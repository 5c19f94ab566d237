"""Where two files of mates part: the first read that has another name, or none, in the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest

from genoflow.processors.validation.fastq import name_of
from genoflow.processors.validation.findings import Findings, Where
from genoflow.processors.validation.house import MATES_DIFFER
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.text import whole_lines

LINES_OF_A_READ = 4
NAME_CHARACTERS_MAX = 100  # of each name, in a sentence with two of them


def compare_mates(
    first: tuple[Source, str], second: tuple[Source, str], findings: Findings
) -> None:
    """A finding for the first read that differs; each is a source with its compression.

    Both can be read as FASTQ without errors.
    """
    pairs = zip_longest(_names(*first), _names(*second))
    for number, (one, other) in enumerate(pairs, start=1):
        if one == other:
            continue
        if one is None or other is None:
            longer, shorter = ("R2", "R1") if one is None else ("R1", "R2")
            name = _said(other if one is None else one)
            said = f"read {number}, {name}, stands in {longer} and {shorter} has {number - 1} reads"
        else:
            said = f"read {number} is {_said(one)} in R1 and {_said(other)} in R2"
        findings.add(MATES_DIFFER, said, Where(record=number))
        return


def _names(source: Source, compression: str) -> Iterator[bytes]:
    lines = (
        line
        for whole in whole_lines(blocks_of(source, compression))
        for line in whole.text.splitlines()
    )
    return map(name_of, islice(lines, 0, None, LINES_OF_A_READ))


def _said(name: bytes | None) -> str:
    return repr((name or b"")[:NAME_CHARACTERS_MAX])[1:]
