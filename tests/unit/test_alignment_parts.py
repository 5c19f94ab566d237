"""The parts of a BAM that hold what lies over a place: as much as htslib reads, and little more."""

from __future__ import annotations

import random
from pathlib import Path

import pysam
import pytest

from genoflow.processors.alignment_parts import (
    END_BYTES,
    Span,
    gathered,
    read_bai,
    span_of_header,
    spans_of,
    write_parts,
)

LENGTHS = {"chr1": 400_000, "chr2": 150_000, "chr3": 150_000}
EMPTY = "chr2"


def write_bam(path: Path, count: int, longest: int, seed: int) -> None:
    """Reads of up to so many bases on two of three sequences, in order, with an index."""
    chance = random.Random(seed)
    bases, qualities = (
        "".join(chance.choices(one, k=90_000)) for one in ("ACGT", "9:;<=>?@ABCDEF")
    )
    sequences = [{"SN": name, "LN": length} for name, length in LENGTHS.items()]
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": sequences}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for number, (name, length) in enumerate(LENGTHS.items()):
            reads = 0 if name == EMPTY else count
            for start in sorted(chance.choices(range(length - longest), k=reads)):
                size, at = chance.randint(50, longest), chance.randrange(60_000)
                read = pysam.AlignedSegment(file.header)
                read.query_name, read.flag, read.reference_id = f"{chance.random()}", 0, number
                read.query_sequence = bases[at : at + size]
                read.query_qualities_str = qualities[at : at + size]
                read.reference_start, read.cigarstring, read.mapping_quality = start, f"{size}M", 60
                file.write(read)
    pysam.index(str(path))


def names_at(path: Path, index: Path, sequence: str, place: int) -> list[str | None]:
    with pysam.AlignmentFile(str(path), index_filename=str(index)) as file:
        return [one.query_name for one in file.fetch(sequence, place, place + 1)]


@pytest.mark.parametrize(
    ("count", "longest", "share_max"), [(20_000, 100, 0.15), (400, 30_000, 1.0), (400, 100, 1.0)]
)
def test_the_parts_hold_every_read_over_a_place(
    count: int, longest: int, share_max: float, tmp_path: Path
) -> None:
    whole, part, index = (tmp_path / name for name in ("whole.bam", "part.bam", "whole.bam.bai"))
    write_bam(whole, count, longest, seed=count)
    content, placed = whole.read_bytes(), read_bai(index.read_bytes())
    size_bytes = len(content)

    def fetch(start: int, end: int) -> bytes:
        return content[start:end]

    chance, taken, seen = random.Random(7), list[int](), 0
    for _ in range(40):
        number, (name, length) = chance.choice(list(enumerate(LENGTHS.items())))
        place = chance.randrange(length)
        spans = list(spans_of(placed[number], place))
        ends: list[Span] = [(size_bytes - END_BYTES, size_bytes)]
        spans_with = [*spans, span_of_header(placed, size_bytes), *ends]
        with part.open("wb+") as file:
            write_parts(file, gathered(spans_with, size_bytes), size_bytes, fetch)
        expected = names_at(whole, index, name, place)
        assert names_at(part, index, name, place) == expected
        seen += len(expected)
        taken.append(sum(end - start for start, end in gathered(spans, size_bytes)))
    assert seen > 0
    assert sum(taken) / len(taken) < share_max * size_bytes
