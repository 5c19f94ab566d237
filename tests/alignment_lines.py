"""Alignments as text and in binary, out of a seed: pairs, clips, tags that fit their records."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from tests.reads import bgzf

REFERENCES = (("chr1", 50_000), ("chr2", 20_000), ("round", 3_000))
HEADER = (
    "@HD\tVN:1.6\tSO:coordinate\n"
    + "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in REFERENCES[:2])
    + "@SQ\tSN:round\tLN:3000\tTP:circular\n"
    "@RG\tID:rg1\tSM:S1\tLB:L1\tPU:HABCDEFGH.1\tPL:ILLUMINA\n"
    "@PG\tID:made\tPN:made\n"
)
OPERATIONS = "MIDNSHP=X"
CODES = "=ACMGRSVTWYHKDBN"


def lines(count: int, seed: int) -> list[str]:
    """So many templates, all of their lines in the order of coordinates."""
    chance = random.Random(seed)
    found: list[tuple[int, int, str]] = []
    for number in range(count):
        found.extend(_template(number, chance))
    found.sort(key=lambda one: one[:2])
    return [line for _, _, line in found]


def text(count: int = 200, seed: int = 1, header: str = HEADER) -> bytes:
    """A whole file of SAM."""
    return (header + "".join(line + "\n" for line in lines(count, seed))).encode()


def _template(number: int, chance: random.Random) -> list[tuple[int, int, str]]:
    name = f"I1:7:HABCDEFGH:1:{chance.randrange(1101, 2200)}:{number}:{chance.randrange(9999)}"
    ref = chance.randrange(2)
    length = REFERENCES[ref][1]
    reads = [_read(chance, length) for _ in range(2)]
    kind = chance.random()
    if kind < 0.1:
        return [(99, 0, _unmapped(name, 4, chance))]
    if kind < 0.2:
        pos, cigar, seq, tags = reads[0]
        return [(ref, pos, _line(name, 16, ref, pos, cigar, "*", 0, 0, seq, tags, chance))]
    first, second = sorted(reads, key=lambda one: one[0])
    size = second[0] - first[0] + 100
    flags = [99, 147] if kind < 0.7 else [65, 129] if kind < 0.8 else [81, 161]
    flags = [flag | (0x400 if chance.random() < 0.1 else 0) for flag in flags]
    flags = [flag | (0x200 if chance.random() < 0.05 else 0) for flag in flags]
    made = []
    for (pos, cigar, seq, tags), other, flag, sign in (
        (first, second, flags[0], 1),
        (second, first, flags[1], -1),
    ):
        mate = f"MC:Z:{other[1]}\tMQ:i:60"
        line = _line(
            name, flag, ref, pos, cigar, "=", other[0], sign * size, seq, f"{tags}\t{mate}", chance
        )
        made.append((ref, pos, line))
        if chance.random() < 0.1:
            extra = flag | chance.choice((0x100, 0x800))
            made.append((ref, pos, _line(
                name, extra, ref, pos, cigar, "=", other[0], 0, seq, tags, chance
            )))  # fmt: skip
    return made


def _read(chance: random.Random, length: int) -> tuple[int, str, str, str]:
    bases = chance.randrange(30, 120)
    pos = chance.randrange(1, length - 400)
    shape = chance.randrange(5)
    seq = "".join(chance.choices("ACGTN", (25, 25, 25, 25, 1), k=bases))
    if shape == 0:
        cigar, deleted, inserted, aligned = f"{bases}M", 0, 0, bases
    elif shape == 1:
        cigar, deleted, inserted, aligned = f"5S{bases - 5}M", 0, 0, bases - 5
    elif shape == 2:
        cigar, deleted, inserted, aligned = f"10M3D{bases - 10}M", 3, 0, bases
    elif shape == 3:
        cigar, deleted, inserted, aligned = f"10M2I{bases - 12}M4H", 0, 2, bases - 2
    else:
        cigar, deleted, inserted, aligned = f"{bases}=", 0, 0, bases
    md, mismatches = _md(chance, cigar, seq, aligned, deleted)
    return pos, cigar, seq, f"NM:i:{mismatches + deleted + inserted}\tMD:Z:{md}"


def _md(chance: random.Random, cigar: str, seq: str, aligned: int, deleted: int) -> tuple[str, int]:
    if deleted:
        return f"10^ACG{aligned - 10}", 0
    if "S" in cigar or "I" in cigar or "=" in cigar or chance.random() < 0.5:
        return str(aligned), 0
    at = chance.randrange(aligned)
    return f"{at}{'A' if seq[at] != 'A' else 'C'}{aligned - at - 1}", 1


def _line(
    name: str, flag: int, ref: int, pos: int, cigar: str, next_ref: str, next_pos: int, size: int,
    seq: str, tags: str, chance: random.Random,
) -> str:  # fmt: skip
    qual = "".join(chance.choices("#,:F", (1, 2, 4, 20), k=len(seq)))
    mapq = chance.choice((0, 20, 60))
    rest = f"AS:i:{len(seq)}\txs:f:1.5\tRG:Z:rg1\txb:B:c,1,-2\txa:A:x\txh:H:1AE3"
    fields = (name, flag, REFERENCES[ref][0], pos, mapq, cigar, next_ref, next_pos, size, seq, qual)
    return "\t".join(map(str, fields)) + f"\t{tags}\t{rest}"


def _unmapped(name: str, flag: int, chance: random.Random) -> str:
    seq = "".join(chance.choices("ACGT", k=50))
    return f"{name}\t{flag}\t*\t0\t0\t*\t*\t0\t0\t{seq}\t{'F' * 50}\tRG:Z:rg1"


def bam(text_: bytes) -> bytes:
    """The same records in binary, packed here and not by htslib."""
    return bgzf(raw_bam(text_))


def raw_bam(text_: bytes) -> bytes:
    """What is compressed in it."""
    rows = text_.decode("latin-1").splitlines()
    header = [row for row in rows if row.startswith("@")]
    names = [
        dict(f.split(":", 1) for f in row.split("\t")[1:]) for row in header if row[:3] == "@SQ"
    ]
    head = "".join(row + "\n" for row in header).encode("latin-1")
    parts = [b"BAM\x01", struct.pack("<I", len(head)), head, struct.pack("<I", len(names))]
    for one in names:
        name = one["SN"].encode() + b"\0"
        parts.append(struct.pack("<I", len(name)) + name + struct.pack("<I", int(one["LN"])))
    index = {one["SN"]: at for at, one in enumerate(names)}
    parts.extend(record(row, index) for row in rows if not row.startswith("@"))
    return b"".join(parts)


def record(row: str, index: dict[str, int]) -> bytes:
    """One record with its block_size."""
    fields = row.split("\t")
    name = fields[0].encode() + b"\0"
    ref = index.get(fields[2], -1)
    next_ref = ref if fields[6] == "=" else index.get(fields[6], -1)
    cigar = packed(fields[5])
    seq = "" if fields[9] == "*" else fields[9]
    nibbles = [CODES.index(base) for base in seq.upper()] + [0] * (len(seq) % 2)
    pairs = bytes(a << 4 | b for a, b in zip(nibbles[::2], nibbles[1::2], strict=True))
    qual = bytes([255] * len(seq)) if fields[10] == "*" else bytes(ord(q) - 33 for q in fields[10])
    flag, pos = int(fields[1]), int(fields[3]) - 1
    spanned = 0 if flag & 4 else sum(one >> 4 for one in cigar if one & 15 in {0, 2, 3, 7, 8})
    body = struct.pack(
        "<iiBBHHHIiii", ref, pos, len(name), int(fields[4]), bin_of(pos, pos + max(spanned, 1)),
        len(cigar), flag, len(seq), next_ref, int(fields[7]) - 1, int(fields[8]),
    )  # fmt: skip
    body += name + struct.pack(f"<{len(cigar)}I", *cigar) + pairs + qual
    body += b"".join(tag(field) for field in fields[11:])
    return struct.pack("<I", len(body)) + body


def packed(cigar: str) -> list[int]:
    """The operations as BAM packs them."""
    found, size = [], ""
    for letter in "" if cigar == "*" else cigar:
        if letter.isdigit():
            size += letter
        else:
            found.append(int(size) << 4 | OPERATIONS.index(letter))
            size = ""
    return found


def tag(field: str) -> bytes:
    """One optional field; whole numbers as int32."""
    name, kind, value = field.split(":", 2)
    head = name.encode() + kind.encode()
    if kind == "A":
        return head + value.encode()
    if kind == "i":
        return head + struct.pack("<i", int(value))
    if kind == "f":
        return head + struct.pack("<f", float(value))
    if kind in "ZH":
        return head + value.encode() + b"\0"
    numbers = value.split(",")[1:]
    code = {"c": "b", "C": "B", "s": "h", "S": "H", "i": "i", "I": "I", "f": "f"}[value[0]]
    cast = float if code == "f" else int
    packed_ = struct.pack(f"<{len(numbers)}{code}", *map(cast, numbers))
    return head + value[0].encode() + struct.pack("<I", len(numbers)) + packed_


def bin_of(start: int, end: int) -> int:
    """The bin of an interval, as the code in the specification computes it."""
    end -= 1
    for shift, offset in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == end >> shift:
            return (offset + (start >> shift)) & 0xFFFF
    return 0


def mutated(data: bytes, chance: random.Random, alphabet: Sequence[int]) -> bytes:
    """The same with a few bytes changed, removed or repeated."""
    found = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(found))
        kind = chance.randrange(4)
        if kind < 2:
            found[at] = chance.choice(alphabet)
        elif kind == 2:
            del found[at : at + chance.randrange(1, 4)]
        else:
            found[at:at] = found[at : at + chance.randrange(1, 4)]
    return bytes(found)
