"""Alignments, variants and indexes: whole ones, cut ones, damaged ones, and those of others."""

from __future__ import annotations

import errno
import gzip
import hashlib
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest

from genoflow.events.errors import Retry
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.scratch import scratch
from tests.alignments import bam, contigs, cram, cram_against, vcf
from tests.judged import Passed, Refused, judged
from tests.reads import bgzf, fastq, flipped

MAKE: dict[str, Callable[[], bytes]] = {
    "BAM": bam,
    "CRAM": cram,
    "VCF": vcf,
    "VCF.gz": lambda: vcf(mode="wz"),
    "BCF": lambda: vcf(mode="wb"),
}
every = pytest.mark.parametrize("kind", MAKE)
GRCH37, GRCH38 = (249_250_621, 243_199_373), (248_956_422, 242_193_529)


def role_of(kind: str) -> str:
    return kind if kind in ("BAM", "CRAM") else "VCF"


def judge(body: bytes, role: str, **known: Any) -> Passed | Refused:
    pieces = [body[at : at + 777] for at in range(0, len(body), 777)]
    return judged(pieces, Expected(role=role, **known))


def validated(body: bytes, role: str, **known: Any) -> Passed:
    found = judge(body, role, **known)
    assert isinstance(found, Passed), found
    return found


def rejected(body: bytes, role: str, **known: Any) -> Refused:
    found = judge(body, role, **known)
    assert isinstance(found, Refused), found
    return found


@every
def test_a_whole_file_is_validated(kind: str) -> None:
    body = MAKE[kind]()
    found = validated(body, role_of(kind), sample_id="S1", references=("small-1",))
    assert found.sha256 == hashlib.sha256(body).hexdigest()
    assert found.md5 == hashlib.md5(body).hexdigest()
    measured = found.measured
    assert measured.format == {"VCF.gz": "VCF"}.get(kind, kind)
    assert found.compression == ("bgzf" if kind in ("BAM", "VCF.gz", "BCF") else "none")
    assert measured.reference == "small-1"
    if role_of(kind) == "VCF":
        assert (measured.metrics.variants, measured.reads) == (20, None)


def test_alignments_are_measured_by_read_and_not_by_line() -> None:
    of_bam, of_cram = validated(bam(), "BAM").measured, validated(cram(), "CRAM").measured
    assert (of_bam.reads, of_bam.bases) == (50, 2_500)  # 20 lines are secondary or supplementary
    metrics = of_bam.metrics
    assert (metrics.mapped_fraction, metrics.duplicate_fraction) == (0.8, 0.2)
    assert metrics.gc_fraction == pytest.approx(0.5, abs=0.05)
    assert metrics.n_fraction is not None
    assert (of_cram.reads, of_cram.bases) == (50, 2_500)
    same = (
        "quality_mean", "q30_fraction", "mapped_fraction", "duplicate_fraction", "gc_fraction",
        "n_fraction",
    )  # fmt: skip
    for name in same:
        assert getattr(of_cram.metrics, name) == getattr(metrics, name)


@every
@pytest.mark.parametrize("every_size", [5, pytest.param(1, marks=pytest.mark.long)])
def test_no_truncation_is_ever_validated(kind: str, every_size: int) -> None:
    body = MAKE[kind]()
    for size in range(0, len(body), every_size):
        found = judge(body[:size], role_of(kind))
        # A text of variants may be cut between two lines, and nothing in it says how many are due.
        if kind == "VCF" and body[:size].endswith(b"\n"):
            continue
        assert isinstance(found, Refused), size
        if size > 30:
            assert found.reason_code == "truncated", (size, found)


def test_what_only_a_sender_knows_finds_a_text_cut_between_lines() -> None:
    body = vcf()
    cut = body[: body.rindex(b"\n", 0, -1) + 1]
    assert validated(cut, "VCF").measured.metrics.variants == 19
    found = rejected(cut, "VCF", declared_md5=hashlib.md5(body).hexdigest())
    assert found.reason_code == "checksum mismatch"


@every
def test_turned_bits_are_a_finding_or_harmless_and_never_an_error(kind: str) -> None:
    body = MAKE[kind]()
    rejections = 0
    for seed in range(300):
        found = judge(flipped(body, seed, 1 + seed % 3), role_of(kind))
        assert isinstance(found, Passed | Refused)
        rejections += isinstance(found, Refused)
    # Text has no checksum of its own. A CRAM's first bytes hold a name that means nothing.
    least = {"VCF": 30, "CRAM": 285}.get(kind, 295)
    assert rejections >= least


def test_a_cram_is_read_without_its_reference() -> None:
    bases = "".join(random.Random(7).choices("ACGT", k=2_000))
    found = validated(cram_against(bases), "CRAM").measured
    assert (found.reads, found.bases, found.metrics.quality_mean) == (195, 195 * 50, 37)


@pytest.mark.parametrize("kind", ["BAM", "BCF"])
def test_nonsense_in_whole_blocks_is_a_finding_or_harmless_and_never_an_error(kind: str) -> None:
    text = gzip.decompress(MAKE[kind]())
    for seed in range(600):
        found = judge(bgzf(flipped(text, seed, 1 + seed % 3)), role_of(kind), sample_id="S1")
        assert isinstance(found, Passed | Refused)


def test_a_quality_beyond_the_scale_is_a_violation() -> None:
    text = gzip.decompress(bam(3))
    at = text.index(b"read0\0")
    fixed = 32 + 6 + 4 + 25  # the record up to its qualities: fields, name, one operation, bases
    start = at - 32 + fixed
    for quality, ok in ((93, True), (94, False), (200, False)):
        body = bgzf(text[:start] + bytes([quality]) + text[start + 1 :])
        assert isinstance(judge(body, "BAM"), Passed)
        found = judged([body], Expected(role="BAM"), strict=True)
        assert isinstance(found, Passed) is ok, found
        if isinstance(found, Refused):
            assert (found.reason_code, found.at_record) == ("malformed record", 1)


def test_a_damaged_block_of_cram_that_no_record_needs_is_found() -> None:
    body = cram(700)
    for at in range(60, len(body) - 60, 97):
        damaged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        found = rejected(damaged, "CRAM")
        assert found.reason_code in ("unreadable", "truncated")


def test_a_record_that_is_none_is_named() -> None:
    lines = vcf().split(b"\n")
    first = next(n for n, line in enumerate(lines) if not line.startswith(b"#"))
    lines[first + 4] = b"one\tnowhere\t.\tA\tG\t50\t.\t.\tGT\t0/1"
    found = rejected(b"\n".join(lines), "VCF")
    assert (found.reason_code, found.at_record) == ("malformed record", 5)
    # A BAM whose blocks are whole and whose third record is not.
    text = bytearray(gzip.decompress(bam()))
    at = _first_record(text)
    for _ in range(2):
        at += 4 + struct.unpack_from("<i", text, at)[0]
    struct.pack_into("<i", text, at, 7)
    found = rejected(bgzf(bytes(text)), "BAM")
    assert (found.reason_code, found.at_record) == ("malformed record", 3)
    assert "block_size of record 3 is 7" in found.reason


def _first_record(text: bytearray) -> int:
    (header_bytes,) = struct.unpack_from("<i", text, 4)
    at = 8 + header_bytes
    (count,) = struct.unpack_from("<i", text, at)
    at += 4
    for _ in range(count):
        at += 8 + struct.unpack_from("<i", text, at)[0]
    return int(at)


def test_a_header_that_is_none_is_unreadable() -> None:
    for length in (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff"):
        found = rejected(bgzf(b"BAM\x01" + length + b"xx"), "BAM")
        assert found.reason_code == "unreadable"
    assert rejected(bgzf(b"BCF\x02\x02zz"), "VCF").reason_code == "truncated"
    assert rejected(b"##fileformat=VCFv4.3\nhello\n", "VCF").reason_code == "unreadable"


def test_a_read_set_without_reads_is_empty_and_variants_may_be_none() -> None:
    for body, role in ((bam(0), "BAM"), (cram(0), "CRAM")):
        assert rejected(body, role).reason_code == "empty"
        assert validated(body, role, reads=0).measured.reads == 0
        # No specification asks for records, and nobody has said what this one is.
        assert validated(body, "").measured.reads == 0
    assert validated(vcf(0), "VCF").measured.metrics.variants == 0
    for role in ("BAM", "CRAM", "VCF", "BAI"):
        assert rejected(b"", role).reason_code == "empty"


@every
def test_another_format_is_named(kind: str) -> None:
    for role in {"BAM", "CRAM", "VCF", "R1", "TBI", "CRAI"} - {role_of(kind)}:
        found = rejected(MAKE[kind](), role)
        assert found.reason_code == "not this format"
        assert f"asks for {'FASTQ' if role == 'R1' else role}" in found.reason
    assert rejected(fastq(3), role_of(kind)).reason_code == "not this format"


def test_alignments_outside_of_their_blocks_are_refused() -> None:
    text = gzip.decompress(bam())
    for body, compression in ((text, "none"), (gzip.compress(text), "gzip")):
        found = rejected(body, "BAM")
        assert found.reason_code == "not this format"
        assert f"its compression is {compression}" in found.reason
    of_bcf = gzip.compress(gzip.decompress(vcf(mode="wb")))
    validated(of_bcf, "VCF")
    assert isinstance(judged([of_bcf], Expected(role="VCF"), strict=True), Refused)
    validated(gzip.compress(vcf()), "VCF")


def test_a_cram_that_is_not_read_is_refused_by_its_version() -> None:
    body = cram()
    for version in ((2, 0), (4, 0)):
        found = rejected(body[:4] + bytes(version) + body[6:], "CRAM")
        assert found.reason_code == "not this format"
        assert f"it is CRAM {version[0]}.{version[1]}, and 2.1, 3.0" in found.reason


# -- whose, and of which build


def test_a_header_of_another_sample_is_refused() -> None:
    for body, role in ((bam(), "BAM"), (cram(), "CRAM"), (vcf(), "VCF"), (vcf(mode="wb"), "VCF")):
        found = rejected(body, role, sample_id="S2")
        assert found.reason_code == "wrong sample"
        assert "its header names S1, and it was sent for S2" in found.reason
    mixed = [{"ID": "a", "SM": "S1"}, {"ID": "b", "SM": "S2"}]
    assert rejected(bam(RG=mixed), "BAM", sample_id="S1").reason_code == "wrong sample"
    validated(vcf(samples=("S0", "S1")), "VCF", sample_id="S1")
    validated(vcf(samples=()), "VCF", sample_id="S1")
    validated(bam(RG=[{"ID": "a"}]), "BAM", sample_id="S1")


@pytest.mark.parametrize(
    ("header", "declared", "build", "fits"),
    [
        (contigs(*GRCH37), ("GRCh37",), "GRCh37", True),
        (contigs(*GRCH37, name=""), ("hg19",), "GRCh37", True),
        (contigs(*GRCH38), ("GRCh38.p14",), "GRCh38", True),
        (contigs(*GRCH38), ("GRCh37",), "GRCh38", False),
        (contigs(*GRCH38), ("hs37d5", "GRCh38"), "GRCh38", True),
        (contigs(*GRCH38, AS="GRCh37"), ("GRCh37",), "GRCh38", False),  # lengths do not lie
        (contigs(9_000, AS="hg19"), ("GRCh38",), "GRCh37", False),
        (contigs(9_000, AS="small-1"), ("small-1",), "small-1", True),
        (contigs(9_000, AS="small"), ("small-1",), "small", True),
        (contigs(9_000, AS="other"), ("small-1",), "other", False),
        (contigs(*GRCH38), ("house-7",), "GRCh38", True),  # nothing to compare
        (contigs(9_000), ("GRCh38",), None, True),
        (contigs(*GRCH38), (), "GRCh38", True),
    ],
)
def test_the_build_of_a_header_is_held_against_the_orders(
    header: list[dict[str, Any]], declared: tuple[str, ...], build: str | None, fits: bool
) -> None:
    body = bam(SQ=header)
    if fits:
        assert validated(body, "BAM", references=declared).measured.reference == build
        return
    found = rejected(body, "BAM", references=declared)
    assert found.reason_code == "wrong build"
    assert f"its header is of {build}, and the order names {' and '.join(declared)}" in found.reason


@pytest.mark.parametrize(
    ("lines", "build"),
    [
        (("##contig=<ID=chr1,length=248956422>",), "GRCh38"),
        (("##contig=<ID=1,length=249250621>",), "GRCh37"),
        (("##contig=<ID=1,assembly=b37>",), "GRCh37"),
        (("##reference=file:///data/ref/hg19.fa", "##contig=<ID=1>"), "GRCh37"),
        (("##reference=file:///data/ref/our.fa", "##contig=<ID=1>"), None),
    ],
)
def test_the_build_of_variants_is_found(lines: tuple[str, ...], build: str | None) -> None:
    body = vcf(lines=lines)
    assert validated(body, "VCF").measured.reference == build
    declared = ("GRCh38",)
    assert isinstance(judge(body, "VCF", references=declared), Refused) is (build == "GRCh37")


# -- indexes, and the copy


def test_indexes_are_known_by_their_magic_and_read_to_their_end() -> None:
    tbi = bgzf(b"TBI\x01" + struct.pack("<8i", 0, 2, 1, 2, 0, 35, 0, 0))
    crai = gzip.compress(b"0\t1\t2\t3\t4\t5\n")
    assert validated(b"BAI\x01" + bytes(12), "BAI").measured.format == "BAI"
    csi = b"CSI\x01" + struct.pack("<iiii", 14, 5, 0, 0)
    assert validated(bgzf(csi), "BAI").measured.format == "CSI"
    assert validated(tbi, "TBI").measured.format == "TBI"
    assert validated(crai, "CRAI").measured.format == "CRAI"
    for body, role in ((tbi, "TBI"), (crai, "CRAI")):
        for size in range(20, len(body)):
            assert rejected(body[:size], role).reason_code == "truncated"
    assert rejected(b"hello", "BAI").reason_code == "not this format"


def test_a_machine_without_room_tries_again() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(Retry, match=r"no room in .*; free some, or set TMPDIR"), scratch():
        raise full
    with pytest.raises(OSError, match="Input/output error"), scratch():
        raise OSError(errno.EIO, "Input/output error")
