"""Small files of every format that is validated, and what is done to them; all out of a seed."""

from __future__ import annotations

import gzip
import random
import struct
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pysam

from tests.alignments import bam, cram, cram_against, in_order, index_bcf, vcf
from tests.crams import Cram, taken_apart
from tests.reads import bgzf, fastq, members

BASES = "".join(random.Random(7).choices("ACGT", k=600))
# Numbers at the edges of what a field can hold.
EDGES = (
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    32_767,
    65_535,
    65_536,
    1 << 24,
    (1 << 31) - 1,
    -(1 << 31),
)
WORDS = (
    b"", b".", b"*", b"=", b"-1", b"0", b"1e999", b"nan", b"99999999999999999999", b"\xff\xfe",
    b"\0", b"a" * 5_000, b"0|1|2", b"10M", b"4294967295M", b"chr1", b"<DEL>", b"%", b";", b"GT:GT",
)  # fmt: skip
SAM = b"""@HD\tVN:1.6\tSO:coordinate
@SQ\tSN:one\tLN:5000
@SQ\tSN:two\tLN:3000
@RG\tID:rg1\tSM:S1\tPL:ILLUMINA
@PG\tID:aligner\tPN:aligner\tVN:1
r1\t99\tone\t10\t60\t5M1I4M\t=\t100\t100\tACGTACGTAC\tFFFFFFFFFF\tRG:Z:rg1\tNM:i:1\tXB:B:c,1,-2
r1\t147\tone\t100\t60\t10M\t=\t10\t-100\tACGTACGTAC\t::::::::::\tRG:Z:rg1\tMD:Z:10
r2\t0\ttwo\t7\t3\t2S8M\t*\t0\t0\tACGTACGTAN\t*\tXH:H:1AE3\tXF:f:1.5e3
r4\t256\ttwo\t9\t0\t10M\t*\t0\t0\t*\t*
r3\t4\t*\t0\t0\t*\t*\t0\t0\tA\t!
"""
VARIANTS = b"""##fileformat=VCFv4.3
##FILTER=<ID=q10,Description="Quality below 10">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=AF,Number=A,Type=Float,Description="Share">
##INFO=<ID=DB,Number=0,Type=Flag,Description="Known">
##INFO=<ID=END,Number=1,Type=Integer,Description="End">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
##ALT=<ID=DEL,Description="Deletion">
##contig=<ID=one,length=5000,assembly=small-1>
##contig=<ID=two,length=3000>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2
one\t10\trs1\tA\tG\t50\tPASS\tDP=14;AF=0.5;DB\tGT:AD:PL\t0/1:7,7:30,0,30\t1|1:0,9:90,9,0
one\t20\t.\tA\tG,T\t3e0\tq10\tDP=3;AF=0.3,0.1\tGT:AD\t1/2:1,1,1\t./.:.
one\t30\t.\tACG\t<DEL>\t.\t.\tEND=60\tGT\t0/1\t0/0
two\t5\t.\tN\t<*>\t.\t.\t.\tGT\t0/0\t0/0
two\t9\t.\tG\tG[one:20[\t6\tPASS\t.\tGT\t0/1\t0/0
"""


@dataclass(frozen=True)
class Base:
    """A sound file, its role, and how its text is compressed."""

    role: str
    body: bytes
    pack: Callable[[bytes], bytes] | None = None  # of the text, where it is compressed
    data: bytes = b""  # of an index: the file that it is of


@cache
def bases() -> Mapping[str, Base]:
    """One of each kind; made once in a process."""
    reads, known = fastq(6, length=30), BASES
    against = cram_against(known[:300])
    sound = {
        "FASTQ": Base("R1", reads),
        "FASTQ.gz": Base("R1", members(reads[:300], reads[300:]), members),
        "FASTQ.bgzf": Base("R1", bgzf(reads, 300), lambda text: bgzf(text, 300)),
        "SAM": Base("SAM", SAM),
        "SAM.gz": Base("SAM", bgzf(SAM), bgzf),
        "BAM": Base("BAM", bgzf(gzip.decompress(bam(12))), bgzf),
        "BAM of one base": Base("BAM", bgzf(one_base()), bgzf),
        "CRAM 2.1": Base("CRAM", cram(12, 1, "version=2.1")),
        "CRAM 3.0": Base("CRAM", cram(20, 2, "version=3.0", "seqs_per_slice=10")),
        "CRAM 3.1": Base("CRAM", cram(12, 3, "version=3.1", "use_arith=1", "use_tok=1")),
        "CRAM raw": Base("CRAM", cram(12, 4, "version=3.0", "level=0")),
        "CRAM with a reference": Base("CRAM", against),
        "CRAM with its reference": Base("CRAM", cram_against(known[:300], "embed_ref=1")),
        "VCF": Base("VCF", VARIANTS),
        "VCF.gz": Base("VCF", bgzf(VARIANTS), bgzf),
        "BCF": Base("VCF", bgzf(gzip.decompress(vcf(8, "wb"))), bgzf),
    }
    return {**sound, **_indexes()}


def one_base() -> bytes:
    """The text of a BAM with reads of one base, which libraries have tripped over."""
    text = SAM[: SAM.index(b"r1\t")] + b"".join(
        b"n%d\t4\t*\t0\t0\t*\t*\t0\t0\tA\t%c\n" % (quality, quality + 33) for quality in range(90)
    )
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "a.sam"), Path(folder, "a.bam")
        source.write_bytes(text)
        with (
            pysam.AlignmentFile(str(source)) as file,
            pysam.AlignmentFile(str(made), "wb", template=file) as other,
        ):
            for record in file:
                other.write(record)
        return gzip.decompress(made.read_bytes())


def _indexes() -> dict[str, Base]:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        of = {"a.bam": in_order("wb", count=80), "a.vcf.gz": vcf(60, "wz"), "a.bcf": vcf(60, "wb")}
        of["a.cram"] = in_order("wc", "no_ref=1", "seqs_per_slice=20", count=80)
        for name, body in of.items():
            (room / name).write_bytes(body)
        for name in ("a.bam", "a.cram"):
            pysam.index(str(room / name))
        pysam.tabix_index(str(room / "a.vcf.gz"), preset="vcf")
        index_bcf(room / "a.bcf")
        made = {name: (room / name).read_bytes() for name in ("a.bam.bai", "a.cram.crai")}
        text = {name: (room / name).read_bytes() for name in ("a.vcf.gz.tbi", "a.bcf.csi")}
    small = {name: bgzf(gzip.decompress(body)) for name, body in text.items()}
    return {
        "BAI": Base("BAI", made["a.bam.bai"], None, of["a.bam"]),
        "CSI": Base("BAI", small["a.bcf.csi"], bgzf, of["a.bcf"]),
        "TBI": Base("TBI", small["a.vcf.gz.tbi"], bgzf, of["a.vcf.gz"]),
        "CRAI": Base("CRAI", made["a.cram.crai"], gzip.compress, of["a.cram"]),
    }


def mutated(base: Base, chance: random.Random) -> bytes:
    """The file with something done to it: to its text, to its blocks, or to its bytes."""
    body, way = base.body, chance.random()
    if base.role == "CRAM" and way < 0.6:
        return _rebuilt(body, chance)
    if base.pack is not None and way < 0.7:
        body = base.pack(_changed(gzip.decompress(body), chance))
    if base.pack is None or way > 0.6:
        body = _changed(body, chance)
    return _gzip_games(body, chance) if base.pack and chance.random() < 0.1 else body


def _changed(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        body = chance.choice(CHANGES)(body, chance)
    return body


def _flip(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 8)) if body else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(body: bytes, chance: random.Random) -> bytes:
    begin, end = _range(body, chance)
    return body[:begin] if chance.random() < 0.5 else body[:begin] + body[end:]


def _swap(body: bytes, chance: random.Random) -> bytes:
    first, second = sorted((_range(body, chance), _range(body, chance)))
    if first[1] > second[0]:
        return body
    return b"".join(
        (body[: first[0]], body[slice(*second)], body[first[1] : second[0]], body[slice(*first)],
         body[second[1] :])
    )  # fmt: skip


def _repeat(body: bytes, chance: random.Random) -> bytes:
    begin, end = _range(body, chance)
    return body[:end] + body[begin:end] * chance.choice((1, 1, 3)) + body[end:]


def _number(body: bytes, chance: random.Random) -> bytes:
    form = chance.choice(("<i", "<q", ">i", "<h"))
    size = struct.calcsize(form)
    bits = 8 * size
    edge = (chance.choice(EDGES) + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    at = chance.randrange(max(1, len(body) - size))
    return body[:at] + struct.pack(form, edge) + body[at + size :]


def _noise(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    noise = chance.choice((chance.randbytes(8), b"\0" * 40, b"\xff" * 40, b"\n", b"\r\n", b"\t"))
    return body[:at] + noise + body[at + chance.choice((0, len(noise))) :]


def _lines(body: bytes, chance: random.Random) -> bytes:
    lines = body.split(b"\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    way = chance.randrange(4)
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(other, lines[at])
    elif way == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = b""
    return b"\n".join(lines)


def _field(body: bytes, chance: random.Random) -> bytes:
    lines = body.split(b"\n")
    at = chance.randrange(len(lines))
    mark = chance.choice((b"\t", b"\t", b":", b";", b",", b"="))
    fields = lines[at].split(mark)
    fields[chance.randrange(len(fields))] = chance.choice(WORDS)
    lines[at] = mark.join(fields)
    return b"\n".join(lines)


CHANGES = (_flip, _flip, _cut, _swap, _repeat, _number, _number, _noise, _lines, _field, _field)


def _range(body: bytes, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(body) + 1)
    return begin, min(len(body), begin + chance.choice((1, 4, 30, 400)))


def _gzip_games(body: bytes, chance: random.Random) -> bytes:
    way = chance.randrange(6)
    if way == 0:
        return body[:3] + bytes([chance.randrange(256)]) + body[4:]  # flags of fields that follow
    if way == 1:
        return body + gzip.compress(b"", mtime=0) * chance.randrange(1, 50)
    if way == 2:
        return body + b"\0" * chance.choice((1, 27, 512))
    if way == 3:
        return body[:-8] + struct.pack("<II", chance.getrandbits(32), chance.choice((0, 1 << 31)))
    if way == 4:
        return body[:10] + struct.pack("<H", chance.choice((0, 6, 65_535))) + body[12:]
    long = zlib.compressobj(9, zlib.DEFLATED, 31)  # little that becomes much
    return body + long.compress(bytes(1 << chance.choice((16, 20, 23)))) + long.flush()


def _rebuilt(body: bytes, chance: random.Random) -> bytes:
    """Changed blocks and headers whose checksums agree: what only a decoder can refuse."""
    file = taken_apart(body)
    for _ in range(chance.choice((1, 1, 2, 3))):
        _change_part(file, chance)
    return file.written()


def _change_part(file: Cram, chance: random.Random) -> None:
    made = chance.choice(file.made)
    way = chance.random()
    if way < 0.15:
        name = chance.choice(
            ("reference", "start", "span", "records", "counter", "count", "length")
        )
        setattr(made, name, chance.choice(EDGES))
    elif way < 0.2:
        file.made.insert(chance.randrange(len(file.made)), made)
    elif way < 0.25 and len(file.made) > 1:
        file.made.remove(made)
    elif made.parts:
        part = chance.choice(made.parts)
        if way < 0.35:
            part.method = chance.randrange(10)
        elif way < 0.45:
            part.raw = chance.choice((*EDGES[:9], len(part.data) + 1))
        elif way < 0.5:
            part.content_id = chance.choice((0, 1, 11, 99))
        else:
            part.data = _changed(part.data, chance)
