"""Seeded files of reads, plain and compressed in every way that a lab sends."""

from __future__ import annotations

import gzip
import random
import struct
import zlib

from genoflow.processors.validation.inflate import BGZF_EOF

BINNED = b"#,:F"  # the four qualities that newer instruments write


def fastq(
    count: int, seed: int = 1, *, length: int = 60, lane: int = 1, mate: int = 1, extra: str = ""
) -> bytes:
    """So many reads named as Illumina names them; both mates of a seed bear the same names."""
    chance = random.Random(f"{seed}/{mate}")
    records = []
    for number in range(count):
        bases = bytes(chance.choices(b"ACGTN", (30, 20, 20, 29, 1), k=length))
        qualities = bytes(chance.choices(BINNED, k=length))
        name = f"@VH1:7:AAC:{lane}:1101:{seed}:{number}{extra} {mate}:N:0:ACGT+TTGA"
        records.append(b"%b\n%b\n+\n%b\n" % (name.encode(), bases, qualities))
    return b"".join(records)


def bgzf(text: bytes, block_bytes: int = 1_000, *, end: bool = True) -> bytes:
    """The text in BGZF blocks, and the block that ends the file."""
    blocks = [_block(text[at : at + block_bytes]) for at in range(0, len(text), block_bytes)]
    return b"".join(blocks) + (BGZF_EOF if end else b"")


def _block(text: bytes) -> bytes:
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
    content = deflater.compress(text) + deflater.flush()
    header = struct.pack("<4s6sH2BHH", b"\x1f\x8b\x08\x04", b"\0\0\0\0\0\xff", 6, 66, 67, 2,
                         len(content) + 25)  # fmt: skip
    return header + content + struct.pack("<II", zlib.crc32(text), len(text))


def members(*texts: bytes) -> bytes:
    """One gzip member each, one behind the other."""
    return b"".join(gzip.compress(text, mtime=0) for text in texts)


def flipped(body: bytes, seed: int, flips: int = 1) -> bytes:
    """The same bytes with so many bits turned over."""
    chance = random.Random(seed)
    changed = bytearray(body)
    for _ in range(flips):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def library(count: int, seed: int, *, longest: int = 120) -> bytes:
    """Reads as a sequencer makes them: copies, adapters, N, ends without signal, many lengths."""
    chance = random.Random(f"library/{seed}")
    records: list[bytes] = []
    made: list[bytes] = []
    for number in range(count):
        length = chance.choice((longest, longest, longest - 1, chance.randint(30, longest)))
        if made and chance.random() < 0.2:
            bases = chance.choice(made[: max(1, len(made) // 4)])[:length]
        else:
            bases = bytes(chance.choices(b"ACGTN", (28, 22, 21, 28, 1), k=length))
        if chance.random() < 0.1:
            at = chance.randint(0, len(bases))
            adapter = chance.choice((b"AGATCGGAAGAGCACACG", b"CTGTCTCTTATACACATCT", b"A" * 20))
            bases = (bases[:at] + adapter + b"G" * 40)[: len(bases)]
        made.append(bases)
        worst = [chance.randint(2, 41) for _ in range(4)]
        qualities = bytes(
            33 + min(41, max(2, chance.choice(worst) + 20 - at // 8)) for at in range(len(bases))
        )
        name = f"@VH1:7:AAC:1:1101:{seed}:{number} 1:N:0:ACGT+TTGA".encode()
        records.append(b"%b\n%b\n+\n%b\n" % (name, bases, qualities))
    return b"".join(records)
