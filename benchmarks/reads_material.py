"""Reads as a laboratory has them, on disk: written once for a run, compressed in both ways."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LEVEL = 6  # bgzip's and gzip's own choice
BASES = 150
GENOME_BASES = 2_000_000
BATCH = 20_000  # reads, 7 MB of text
BGZF_TEXT_BYTES = 65_280  # bgzip's own choice: a block that does not shrink still fits
BGZF_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
ADAPTER = b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCACACTTGAATCTCGTATGC"
# The four qualities of newer instruments, how often a run of one begins, and how long it is.
GRADES = {b"F": (90, 25.0), b":": (6, 1.5), b",": (3, 1.5), b"#": (1, 1.5)}


@dataclass(frozen=True, slots=True)
class Files:
    """The same reads twice, and how large they are."""

    bgzf: Path
    gzip: Path
    text_bytes: int


def reads(count: int, seed: int) -> Iterator[bytes]:
    """So many reads of a random genome, in pieces: 2 % with an adapter, qualities in runs."""
    chance = random.Random(seed)
    genome = bytes(chance.choices(b"ACGT", k=GENOME_BASES))
    grades = _grades(chance, 600_000)
    for first in range(0, count, BATCH):
        batch = []
        for number in range(first, min(count, first + BATCH)):
            at, grade = chance.randrange(GENOME_BASES - BASES), chance.randrange(600_000 - BASES)
            bases = genome[at : at + BASES]
            if number % 50 == 0:
                bases = bases[: BASES - len(ADAPTER)] + ADAPTER
            batch.append(
                b"@A00123:45:HXXYZDSXX:1:%d:%d:%d 1:N:0:ACGTACGT+TTGCATGC\n%b\n+\n%b\n"
                % (1101 + number // 10_000, chance.randrange(1_000, 32_000),
                   chance.randrange(1_000, 32_000), bases, grades[grade : grade + BASES])
            )  # fmt: skip
        yield b"".join(batch)


def _grades(chance: random.Random, size: int) -> bytes:
    found = bytearray()
    letters, weights = list(GRADES), [often for often, _ in GRADES.values()]
    while len(found) < size:
        (letter,) = chance.choices(letters, weights)
        found += letter * (1 + int(chance.expovariate(1 / GRADES[letter][1])))
    return bytes(found[:size])


def write(folder: Path, count: int, seed: int = 5) -> Files:
    """Both files, each by a process of its own."""
    found = Files(folder / "reads.bgzf.gz", folder / "reads.gzip.gz", 0)
    with ProcessPoolExecutor(2) as pool:
        blocks = pool.submit(_write_bgzf, found.bgzf, count, seed)
        members = pool.submit(_write_gzip, found.gzip, count, seed)
        return Files(found.bgzf, found.gzip, max(blocks.result(), members.result()))


def _write_gzip(path: Path, count: int, seed: int) -> int:
    size = 0
    with gzip.open(path, "wb", LEVEL) as file:
        for text in reads(count, seed):
            size += file.write(text)
    return size


def _write_bgzf(path: Path, count: int, seed: int) -> int:
    size, waiting = 0, b""
    with path.open("wb") as file:
        for text in reads(count, seed):
            size += len(text)
            waiting += text
            whole = len(waiting) // BGZF_TEXT_BYTES * BGZF_TEXT_BYTES
            for at in range(0, whole, BGZF_TEXT_BYTES):
                file.write(_block(waiting[at : at + BGZF_TEXT_BYTES]))
            waiting = waiting[whole:]
        file.write(_block(waiting) + BGZF_EOF)
    return size


def _block(text: bytes) -> bytes:
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = deflater.compress(text) + deflater.flush()
    header = struct.pack("<4s6sH2BHH", b"\x1f\x8b\x08\x04", b"\0\0\0\0\0\xff", 6, 66, 67, 2,
                         len(content) + 25)  # fmt: skip
    return header + content + struct.pack("<II", zlib.crc32(text), len(text))
