"""Every rule of SAM and BAM: its example yields it, and files without fault yield nothing."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from genoflow.native import batch
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import header as header_module
from genoflow.processors.validation.sam import read as read_module
from genoflow.processors.validation.sam import rules_bam
from genoflow.processors.validation.sam.read import read_bam, read_sam
from genoflow.processors.validation.sam.rules import RULES
from genoflow.processors.validation.source import Source
from tests import alignment_lines as made
from tests.reads import bgzf

ANY = Expected(role="BAM")
REFERENCE = "@SQ\tSN:chr1\tLN:1000\n"
BASES = "ACGT" * 250
LINE = "r\t0\tchr1\t1\t9\t4M\t*\t0\t0\tACGT\tIIII\txa:i:1\n"
PLAIN = "@HD\tVN:1.6\tSO:coordinate\n" + REFERENCE + LINE

Builder = Callable[[Path], tuple[bytes, Expected]]


def found(data: bytes, expected: Expected = ANY, *, fast: bool = True) -> list[str]:
    """The codes that a file yields, each once."""
    return [*dict.fromkeys(one.rule.code for one in findings_of(data, expected, fast=fast))]


def findings_of(data: bytes, expected: Expected = ANY, *, fast: bool = True) -> Findings:
    findings = Findings()
    compression = compression_of(data)
    is_bam = compression != "none"
    with pytest.MonkeyPatch.context() as without:
        if not fast:
            without.setattr(batch, "_rust", None)
        try:
            read = read_bam if is_bam else read_sam
            read(Source([data]), compression, expected, findings)
        except Broken as broken:
            findings.add(broken.rule, broken.message, broken.where)
    return findings


def packed(text: str = PLAIN) -> bytearray:
    return bytearray(made.raw_bam(text.encode()))


def header_bytes(raw: bytearray) -> int:
    """How long the header of these bytes is: the first record begins behind it."""
    at = 8 + struct.unpack_from("<I", raw, 4)[0]
    count, at = struct.unpack_from("<I", raw, at)[0], at + 4
    for _ in range(count):
        at += 8 + struct.unpack_from("<I", raw, at)[0]
    return int(at)


def changed(offset: int, value: bytes, *, text: str = PLAIN, from_record: bool = True) -> Builder:
    """A file with other bytes at a place, counted from the first record behind its block_size."""

    def build(_: Path) -> tuple[bytes, Expected]:
        raw = packed(text)
        at = offset + (header_bytes(raw) + 4 if from_record else 0)
        raw[at : at + len(value)] = value
        return bgzf(bytes(raw)), ANY

    return build


def text(content: str | bytes, **expected: object) -> Builder:
    data = content if isinstance(content, bytes) else content.encode()
    return lambda _: (data, Expected(role="BAM", **expected))  # type: ignore[arg-type]


def reference(tmp: Path, content: str) -> Expected:
    path = tmp / "genome.fa"
    path.write_text(content, "ascii")
    return Expected(role="BAM", reference_path=path)


def bam_of(content: str) -> Builder:
    return lambda _: (bgzf(bytes(packed(content))), ANY)


def cut(_: Path) -> tuple[bytes, Expected]:
    return bgzf(bytes(packed())[:-3]), ANY


def without_last_byte(_: Path) -> tuple[bytes, Expected]:
    raw = packed()[:-1]
    at = header_bytes(raw)
    raw[at : at + 4] = struct.pack("<I", len(raw) - at - 4)
    return bgzf(bytes(raw)), ANY


def without_text(_: Path) -> tuple[bytes, Expected]:
    raw = packed()
    size = struct.unpack_from("<I", raw, 4)[0]
    return bgzf(b"BAM\x01" + bytes(4) + bytes(raw[8 + size :])), ANY


def no_length(_: Path) -> tuple[bytes, Expected]:
    return bgzf(bytes(packed(PLAIN.replace("LN:1000", "LN:0")))), ANY


AFTER_NAME = 32 + 2  # of the record in LINE: its fixed fields and the name with its NUL
L_REF = 8 + len(PLAIN) - len(LINE) + 4 + 4 + 5
L_NAME = L_REF - 5
BUILT: dict[str, Builder] = {
    "sam-header-encoding": text(b"@CO\t\xe9\n"),
    "sam-header-large": text("@CO\t" + "x" * 2_000 + "\n"),
    "sam-line-long": text(PLAIN + "r" * 5_000),
    "sam-last-line-end": text(PLAIN.rstrip("\n")),
    "sam-reference-differs": lambda tmp: (
        PLAIN.replace("LN:1000", f"LN:1000\tM5:{'0' * 32}").encode(),
        reference(tmp, f">chr1 first\n{BASES}\n"),
    ),
    "sam-reference-lacks": lambda tmp: (PLAIN.encode(), reference(tmp, f">chr2\n{BASES}\n")),
    "sam-wrong-build": text("@SQ\tSN:chr1\tLN:249250621\n", references=("GRCh38",)),
    "sam-wrong-sample": text("@RG\tID:1\tSM:B\n", sample_id="A"),
    "sam-wrong-unit": text("@RG\tID:1\tSM:A\tPU:HXYZABC.2\n", flow_cell="HABCXYZ"),
    "bam-not-bgzf": lambda _: (gzip.compress(bytes(packed())), ANY),
    "bam-magic": changed(0, b"C", from_record=False),
    "bam-truncated": cut,
    "bam-header-length": changed(4, struct.pack("<I", 2**31), from_record=False),
    "bam-reference-count": changed(L_NAME - 8, struct.pack("<I", 2**32 - 1), from_record=False),
    "bam-reference-name": changed(L_REF - 1, b"x", from_record=False),
    "bam-reference-length": no_length,
    "bam-reference-differs": changed(L_REF, struct.pack("<I", 999), from_record=False),
    "bam-reference-alone": without_text,
    "bam-record-length": changed(-4, struct.pack("<I", 31)),
    "bam-field-lengths": changed(16, struct.pack("<I", 1_000_000)),
    "bam-name": changed(33, b"x"),
    "bam-reference-id": changed(0, struct.pack("<i", 1)),
    "bam-position": changed(4, struct.pack("<i", -2)),
    "bam-cigar-code": changed(AFTER_NAME, struct.pack("<I", 4 << 4 | 9)),
    "bam-cigar-placeholder": bam_of(PLAIN.replace("xa:i:1", "CG:B:I,64")),
    "bam-quality": changed(AFTER_NAME + 4 + 2, b"\x5e"),
    "bam-bin": changed(10, b"\x00\x00"),
    "bam-tag-length": without_last_byte,
    "bam-tag-type": changed(AFTER_NAME + 4 + 2 + 4 + 2, b"Q"),
}


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_module, "HEADER_BYTES_MAX", 1_000)
    monkeypatch.setattr(read_module, "HEADER_BYTES_MAX", 1_000)
    monkeypatch.setattr(read_module, "RECORD_BYTES_MAX", 2_000)


def completed(example: str) -> bytes:
    """An example as a file: lines of alignments get a reference in front of them."""
    before = "" if example.startswith("@") else REFERENCE
    return f"{before}{example}\n".encode()


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "python"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_of_a_rule_yields_it(rule: Rule, fast: bool, tmp_path: Path) -> None:
    if rule.code in BUILT:
        data, expected = BUILT[rule.code](tmp_path)
    else:
        assert rule not in rules_bam.RULES, f"{rule.code} has no builder"
        data, expected = completed(rule.example), ANY
    assert rule.code in found(data, expected, fast=fast)


def test_every_rule_has_a_code_of_its_own_and_says_what_to_do() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"(sam|bam)(-[a-z0-9]+)+", rule.code), rule.code
        assert all((rule.asks, rule.remedy, rule.example)), rule.code
        assert len(rule.asks) < 160, rule.code
    assert {*BUILT} <= {rule.code for rule in RULES}


TWINS = (
    "@HD\tVN:1.6\tSO:queryname\tSS:queryname:natural\n"
    "r9\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\nr10\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n",
    "@HD\tVN:1.6\tSO:queryname\nr10\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n"
    "r9\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n",
    "@HD\tVN:1.6\tGO:query\n@SQ\tSN:chr1\tLN:1000\nr\t0\tchr1\t1\t9\t4M\t*\t0\t0\tACGT\tIIII\n"
    "r\t2048\tchr1\t9\t9\t2H2M\t*\t0\t0\tGT\tII\nr\t256\tchr1\t5\t9\t4M\t*\t0\t0\t*\t*\n",
    "@HD\tVN:1.6\n@SQ\tSN:c:1\tLN:10\tAN:one,uno\tM5:" + "a" * 32 + "\tTP:circular\tAH:*\n"
    "@RG\tID:x\tSM:S\tDT:2024-05-31T12:00:00+02:00\tPL:ONT\tPI:-3\tFO:*\tKS:TCAG\tBC:ACG-T\n"
    "@PG\tID:a\tCL:echo \u2603\n@PG\tID:b\tPP:a\n@CO\t\n"
    "r\t0\tc:1\t8\t9\t2H1S4M1S2H\t*\t0\t0\tACGTAA\t*\tRG:Z:x\tPG:Z:b\tMD:Z:2A1\tNM:i:1\n",
    "@HD\tVN:1.6\nr\t4\t*\t0\t0\t*\t*\t0\t0\tACCGT\tI#:~!\tzz:f:-.5e-3\tzi:i:-0007\tzh:H:\tzt:Z:\t"
    "zb:B:f,1,2.5\tMM:Z:C+mh?,0,0;N+n,4;\tML:B:C,1,2,3,4,5\tMN:i:5\n",
    "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:1000\n"
    "r\t99\tchr1\t10\t60\t2M1I2M1D3M2N2M\t=\t100\t94\tACGTACGTAC\t*\tMD:Z:1A2^G5\tNM:i:3\t"
    "MC:Z:4M\tSA:Z:chr1,1,+,4M,9,0;\tTS:A:+\n",
)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "python"])
@pytest.mark.parametrize("content", TWINS, ids=range(len(TWINS)))
def test_a_file_without_fault_yields_nothing(
    content: str, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(content.encode(), fast=fast) == []
    if "c:1" not in content:
        assert found(bgzf(bytes(packed(content))), fast=fast) == []


def test_the_reference_may_be_given_and_agree(tmp_path: Path) -> None:
    digest = hashlib.md5(BASES.encode(), usedforsecurity=False).hexdigest()
    lines = "\n".join(BASES[at : at + 60] for at in range(0, len(BASES), 60)).lower()
    expected = reference(tmp_path, f">chr1 first\n{lines}\n>chr2\nAC\n")
    data = PLAIN.replace("LN:1000", f"LN:1000\tM5:{digest}").encode()
    assert found(data, expected) == []


def test_a_long_cigar_may_stand_in_its_tag() -> None:
    content = PLAIN.replace("4M", "4S4N").replace("xa:i:1", "CG:B:I,32,18,32")
    assert found(bgzf(bytes(packed(content)))) == ["bam-cigar-placeholder"]
    content = PLAIN.replace("4M", "4S5N").replace("xa:i:1", "CG:B:I,32,18,32")
    assert found(bgzf(bytes(packed(content)))) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [("X9:7:HABCXYZ:1:1:2:3", "instrument"), ("I1:7:HOTHERX:1:1:2:3", "flow cell"),
     ("I1:7:HABCXYZ:3:1:2:3", "lane"), ("I1:7:HABCXYZ:1:1:2:3", ""), ("SRR1.7", "")],
)  # fmt: skip
def test_read_names_are_held_against_the_read_set(name: str, says: str) -> None:
    expected = Expected(role="BAM", instrument="I1", flow_cell="HABCXYZ", lane=1)
    data = PLAIN.replace("r\t0", f"{name}\t0").encode()
    messages = [one.message for one in findings_of(data, expected)]
    assert [says in message for message in messages] == ([True] if says else [])


def test_a_finding_says_where() -> None:
    data = PLAIN.replace("4M", "3M").encode()
    (one,) = findings_of(data)
    assert (one.where.line, one.where.record, one.where.byte) == (3, 1, 0)
    (one,) = findings_of(bgzf(bytes(packed(PLAIN.replace("4M", "3M")))))
    assert (one.where.line, one.where.record, one.where.byte) == (None, 1, 0)
