"""A small sequencing run out of a seed: sheet, reads and counts, the same for the same number."""

from __future__ import annotations

import gzip
import hashlib
import random
from dataclasses import dataclass
from datetime import date

READS_PER_FILE = 400  # compresses to some 30 kB: six files land within a second
READ_LENGTH = 101
INSTRUMENT = "M00001"
SAMPLES_PER_RUN = 3
# Binned qualities as current instruments write them: Q2, Q12, Q23, Q37.
QUALITIES, WEIGHTS = "#-8F", (1, 3, 10, 86)
INDEXES = (("ATTACTCG", "TATAGCCT"), ("TCCGGAGA", "ATAGAGGC"), ("CGCTCATT", "CCTATCCT"))


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """One FASTQ file as it leaves the demultiplexer."""

    role: str
    name: str
    body: bytes

    @property
    def md5(self) -> str:
        """The checksum that its sender declares."""
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class GeneratedSample:
    """One sample of the run, with the files of its one read set."""

    sample_id: str
    library_id: str
    index1: str
    index2: str
    files: tuple[GeneratedFile, ...]


@dataclass(frozen=True, slots=True)
class GeneratedRun:
    """The run as the instrument and the demultiplexer leave it."""

    run_id: str
    run_number: int
    flow_cell_id: str
    sheet: bytes
    samples: tuple[GeneratedSample, ...]


def generate(number: int, day: date) -> GeneratedRun:
    """The nth run of the demonstration instrument on this day."""
    random_source = random.Random(f"run {number}")
    flow_cell = f"000000000-D{number:04d}"
    run_id = f"{day:%y%m%d}_{INSTRUMENT}_{number:04d}_{flow_cell}"
    samples = tuple(
        _sample(random_source, f"DEMO-{number:03d}{letter}", flow_cell, *indexes)
        for letter, indexes in zip("ABC", INDEXES, strict=True)
    )
    return GeneratedRun(run_id, number, flow_cell, _sheet(samples), samples)


def _sample(
    random_source: random.Random, sample_id: str, flow_cell: str, index1: str, index2: str
) -> GeneratedSample:
    files = tuple(
        GeneratedFile(role, f"{sample_id}_L001_{role}.fastq.gz", body)
        for role, body in _pair(random_source, flow_cell, f"{index1}+{index2}")
    )
    return GeneratedSample(sample_id, f"{sample_id}-lib1", index1, index2, files)


def _pair(random_source: random.Random, flow_cell: str, index: str) -> list[tuple[str, bytes]]:
    mates: dict[str, list[str]] = {"R1": [], "R2": []}
    for count in range(READS_PER_FILE):
        x, y = random_source.randrange(1000, 30000), 1000 + count
        for mate, lines in enumerate(mates.values(), start=1):
            bases = "".join(random_source.choices("ACGT", k=READ_LENGTH))
            scores = "".join(random_source.choices(QUALITIES, WEIGHTS, k=READ_LENGTH))
            name = f"@{INSTRUMENT}:1:{flow_cell}:1:1101:{x}:{y} {mate}:N:0:{index}"
            lines.append(f"{name}\n{bases}\n+\n{scores}\n")
    return [
        (role, gzip.compress("".join(lines).encode(), mtime=0)) for role, lines in mates.items()
    ]


def _sheet(samples: tuple[GeneratedSample, ...]) -> bytes:
    rows = "\n".join(f"1,{s.sample_id},{s.index1},{s.index2}" for s in samples)
    return (
        "[Header]\nFileFormatVersion,2\nInstrumentPlatform,MiSeq\n\n"
        f"[Reads]\nRead1Cycles,{READ_LENGTH}\nRead2Cycles,{READ_LENGTH}\n"
        "Index1Cycles,8\nIndex2Cycles,8\n\n"
        f"[BCLConvert_Data]\nLane,Sample_ID,Index,Index2\n{rows}\n"
    ).encode()
