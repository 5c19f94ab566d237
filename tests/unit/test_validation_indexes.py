"""Indexes: each rule by a file that breaks it, those that htslib writes, and what they are of."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pysam
import pytest

from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.indexes.binning import UNPLACED_BYTES, read_index
from genoflow.processors.validation.indexes.crai import read_crai
from genoflow.processors.validation.indexes.held import hold_index
from genoflow.processors.validation.indexes.rules import RULES
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.source import Source
from tests.alignments import in_order, index_bcf, vcf
from tests.reads import bgzf, flipped

BESIDE = ("index-offset-elsewhere", "index-references-differ", "crai-slice-elsewhere")
MISSING = "crai-slice-missing"
CONTIG = "##contig=<ID=one,length=50000>"
CRAI = b"0\t1\t100\t395\t201\t5000\n-1\t0\t0\t9999\t201\t5000\n"


def judged(body: bytes, of: str, piece: int = 777) -> tuple[Findings, Measured | None]:
    findings, measured = Findings(), None
    source = Source(body[at : at + piece] for at in range(0, len(body), piece))
    read = read_crai if of.startswith("crai") else read_index
    try:
        measured = read(source, compression_of(body), Expected("BAI"), findings)
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
    return findings, measured


def chunk(number: int, *offsets: int, first: int | None = None) -> bytes:
    loffset = b"" if first is None else struct.pack("<Q", first)
    count = struct.pack("<i", len(offsets) // 2)
    return struct.pack("<I", number) + loffset + count + struct.pack(f"<{len(offsets)}Q", *offsets)


def bai(
    *bins: bytes, intervals: tuple[int, ...] = (1 << 16,), more: bytes = b"", n: int = 1
) -> bytes:
    linear = struct.pack(f"<i{len(intervals)}Q", len(intervals), *intervals)
    return b"BAI\x01" + struct.pack("<2i", n, len(bins)) + b"".join(bins) + linear + more


def csi(*bins: bytes, shift: int = 14, depth: int = 5) -> bytes:
    head = struct.pack("<5i", shift, depth, 0, 1, len(bins))
    return bgzf(b"CSI\x01" + head + b"".join(bins))


def tbi(
    form: int = 2, columns: tuple[int, ...] = (1, 2, 0), names: bytes = b"one\0", n: int = 1
) -> bytes:
    head = struct.pack("<8i", n, form, *columns, ord("#"), 0, len(names))
    each = struct.pack("<i", 1) + CHUNK + struct.pack("<iQ", 1, 1 << 16)
    return b"TBI\x01" + head + names + each * n


CHUNK = chunk(4681, 1 << 16, 2 << 16)
BREAK: dict[str, Callable[[], bytes]] = {
    "index-magic": lambda: b"X" + bai(CHUNK)[1:],
    "index-truncated": lambda: bai(CHUNK)[:-20],
    "index-trailing": lambda: bai(CHUNK, more=bytes(8) + b"more"),
    "index-counts": lambda: bai(CHUNK, n=-1),
    "index-compression": tbi,
    "index-bin": lambda: bai(chunk(40_000, 1 << 16, 2 << 16)),
    "index-pseudo-bin": lambda: bai(CHUNK, chunk(37_450, 1 << 16, 2 << 16)),
    "index-chunks": lambda: bai(chunk(4681, 2 << 16, 1 << 16)),
    "index-intervals": lambda: bai(CHUNK, intervals=(2 << 16, 1 << 16)),
    "csi-loffset": lambda: csi(chunk(4681, 1 << 16, 2 << 16, first=2 << 16)),
    "csi-scheme": lambda: csi(depth=20),
    "tbi-columns": lambda: bgzf(tbi(0, (0, 4, 5))),
    "tbi-format": lambda: bgzf(tbi(7)),
    "tbi-names": lambda: bgzf(tbi(n=2)),
    "crai-compression": lambda: CRAI,
    "crai-line": lambda: gzip.compress(b"0\t1\t100\t395\t201\n"),
    "crai-numbers": lambda: gzip.compress(b"-2\t0\t0\t395\t201\t5000\n"),
}


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RULES if rule.code not in (*BESIDE, MISSING)],
    ids=lambda one: one.code,
)
def test_each_rule_is_found_in_what_breaks_it(rule: Rule) -> None:
    findings, _ = judged(BREAK[rule.code](), rule.code)
    assert rule in findings.counts, list(findings)


def test_what_is_written_by_hand_is_sound_before_it_is_broken() -> None:
    for body in (
        bai(CHUNK), bai(CHUNK, more=bytes(8)), bai(), csi(chunk(4681, 1 << 16, 2 << 16, first=1)),
        bgzf(tbi()), bgzf(tbi(n=2, names=b"one\0two\0")),
    ):  # fmt: skip
        assert not list(judged(body, "bai")[0]), body
    for body in (gzip.compress(CRAI), gzip.compress(b""), gzip.compress(CRAI.rstrip())):
        assert not list(judged(body, "crai")[0]), body


def made(folder: Path, kind: str) -> tuple[Path, Path]:
    """An index and the file that it is of, both written by htslib."""
    form, of = kind.split(" ")
    data = folder / f"file.{form}"
    if kind == "cram crai":
        data.write_bytes(in_order("wc", "no_ref=1", "seqs_per_slice=50", count=300))
        pysam.index(str(data))
    elif kind.startswith("bam"):
        data.write_bytes(in_order("wb"))
        pysam.index(*(["-c"] if of == "csi" else []), str(data))
    elif kind.startswith("vcf.gz"):
        data.write_bytes(vcf(3_000, "wz", lines=(CONTIG,)))
        pysam.tabix_index(str(data), preset="vcf", csi=of == "csi")
    else:
        data.write_bytes(vcf(3_000, "wb", lines=(CONTIG,)))
        index_bcf(data)
    return Path(f"{data}.{of}"), data


KINDS = ("bam bai", "bam csi", "vcf.gz tbi", "vcf.gz csi", "bcf csi", "cram crai")


@pytest.mark.parametrize("kind", KINDS)
def test_what_htslib_writes_is_sound_alone_and_beside_its_file(kind: str, tmp_path: Path) -> None:
    index, data = made(tmp_path, kind)
    findings, measured = judged(index.read_bytes(), kind.split(" ")[1])
    assert not list(findings)
    assert measured is not None
    assert measured.format == kind.split(" ")[1].upper()
    hold_index(index, data, findings)
    assert not list(findings)


def held(index: Path, data: Path) -> set[str]:
    findings = Findings()
    hold_index(index, data, findings)
    return {rule.code for rule in findings.counts}


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_an_index_of_another_file_is_found(kind: str, tmp_path: Path) -> None:
    index, data = made(tmp_path, kind)
    other = tmp_path / "other"
    # The same records, in blocks of another size.
    other.write_bytes(bgzf(gzip.decompress(data.read_bytes()), 3_000))
    assert held(index, other) == {"index-offset-elsewhere"}


def test_an_index_of_a_file_with_other_sequences_is_found(tmp_path: Path) -> None:
    index, data = made(tmp_path, "bam bai")
    body = index.read_bytes()
    index.write_bytes(body[:4] + struct.pack("<i", 1) + body[8:])
    assert "index-references-differ" in held(index, data)


@pytest.mark.parametrize("code", ["crai-slice-elsewhere", MISSING])
def test_a_cram_index_is_held_against_the_slices(code: str, tmp_path: Path) -> None:
    index, data = made(tmp_path, "cram crai")
    lines = gzip.decompress(index.read_bytes()).splitlines(keepends=True)
    if code == MISSING:
        last = lines[-1].split(b"\t")[3]
        lines = [line for line in lines if line.split(b"\t")[3] != last]
    else:
        fields = lines[0].split(b"\t")
        fields[3] = b"%d" % (int(fields[3]) + 1)
        lines.insert(0, b"\t".join(fields))
    index.write_bytes(gzip.compress(b"".join(lines)))
    assert held(index, data) == {code}


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_found_and_no_damage_is_an_error_of_ours(kind: str, tmp_path: Path) -> None:
    index, data = made(tmp_path, kind)
    body = index.read_bytes()
    of = kind.split(" ")[1]
    for size in range(1, len(body) - 1, max(1, len(body) // 100)):
        findings, _ = judged(body[:size], of)
        assert not findings.is_valid(strict=True) or size == len(body) - UNPLACED_BYTES, size
    for seed in range(100):
        index.write_bytes(flipped(body, seed, 1 + seed % 3))
        with suppress(Broken):
            hold_index(index, data, Findings())
