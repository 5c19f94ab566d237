"""Reports: which format a file has, what is found in any file, and what is told of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from genoflow.deploy.validating import file_of_index
from genoflow.events.file_finding import FILE_FINDINGS_MAX
from genoflow.processors.validation import engine
from genoflow.processors.validation.beside import hold
from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.formats import format_of
from genoflow.processors.validation.house import RULES
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected, Measured, Report
from genoflow.processors.validation.reads.mates import compare_mates
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.telling import as_json, in_event, plain, worst_first
from tests.alignments import bam, cram, vcf
from tests.judged import judged, report
from tests.reads import bgzf, fastq

CUT = Rule("toy-cut", Severity.ERROR, "", "it is whole", "send it again", "x", "truncated")
BAD = Rule("toy-bad", Severity.ERROR, "", "it is a number", "write a number", "x")
ODD = Rule("toy-odd", Severity.VIOLATION, "", "numbers are even", "add one", "3")
BIG = Rule("toy-big", Severity.NOTE, "", "numbers are small", "nothing", "9")


# -- formats, by their bytes


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"@r1\nA\n+\nF\n", "FASTQ"),
        (b"@CO\tx\nA\n+CO\tx\nF\n", "FASTQ"),  # a read may be called so
        (b"@CO\tx\n@SQ\tSN:1\tLN:9\n", "SAM"),
        (b"@PG\tID:x\n", "SAM"),
        (b"r1\t4\t*\t0\t0\t*\t*\t0\t0\tA\tF\n", "SAM"),
        (b"##fileformat=VCFv4.3\n", "VCF"),
        (b"#CHROM\tPOS\n", "VCF"),
        (b"0\t1\t2\t3\t4\t5\n", "CRAI"),
        (b"BAM\x01", "BAM"),
        (b"CRAM\x03", "CRAM"),
        (b"BCF\x02\x02", "BCF"),
        (b"BAI\x01", "BAI"),
        (b"hello", "unknown"),
        (b"B", ""),
        (b"", ""),
    ],
)
def test_a_format_is_found_in_the_bytes_however_they_are_stored(text: bytes, form: str) -> None:
    assert format_of(text) == form
    for stored in (gzip.compress(text), bgzf(text), gzip.compress(b"") + gzip.compress(text)):
        assert format_of(stored) == form


def test_a_file_without_a_role_is_read_as_what_it_is() -> None:
    for body, form in ((fastq(3), "FASTQ"), (bam(), "BAM"), (vcf(), "VCF")):
        found = report([body], Expected())
        assert (found.format, found.is_valid(strict=True)) == (form, True)
    found = report([b"hello"], Expected())
    assert (found.format, found.measured) == (None, None)


@pytest.mark.parametrize("named", ["", "FASTQ", "VCF"])
@pytest.mark.parametrize("stored", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_a_name_is_believed_only_of_a_file_without_bytes(named: str, stored: bytes) -> None:
    found = report([stored], Expected(named=named))
    said = [one.rule.code for one in found.findings]
    assert ("file-empty" in said) == (named != "FASTQ")
    assert report([fastq(3)], Expected(named=named)).format == "FASTQ"


def test_a_stream_that_breaks_before_its_format_is_known_says_so() -> None:
    for stored in (bgzf(fastq(3))[:30], gzip.compress(fastq(3))[:15]):
        found = report([stored], Expected())
        assert [one.rule.kind for one in found.findings] in (["truncated"], ["unreadable"])
    found = report([gzip.compress(b"B")], Expected())
    assert [one.rule.code for one in found.findings] == ["file-format-unknown"]


# -- the rules of the house, each with its example


def _other_md5() -> Report:
    return report([fastq(3)], Expected(role="R1", declared_md5="0" * 32))


HOUSE: dict[str, Callable[[], Report]] = {
    "file-empty": lambda: report([b""], Expected(role="VCF")),
    "file-format-unknown": lambda: report([b"PK\x03\x04"], Expected()),
    "file-not-its-format": lambda: report([vcf()], Expected(role="R1")),
    "file-checksum-mismatch": _other_md5,
    "file-size-changed": lambda: report([fastq(3)], Expected(role="R1", size_bytes=9)),
    "file-without-reads": lambda: report([bam(0)], Expected(role="BAM")),
}
# Told by whoever fetches the bytes, or looks after the process: their own tests have them.
ELSEWHERE = {"file-gone", "validator-died"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_of_the_house_finds_its_example(rule: Rule) -> None:
    if rule.code in ELSEWHERE:
        return
    assert rule.code in [one.rule.code for one in HOUSE[rule.code]().findings]


def test_all_that_is_wrong_with_a_file_is_found_and_its_checksums_are_known() -> None:
    body = bam()[:-100]
    expected = Expected(role="BAM", size_bytes=9, declared_sha256="0" * 64)
    found = report([body], expected)
    assert [one.rule.code for one in found.findings] == [
        "bgzf-truncated", "file-size-changed", "file-checksum-mismatch",
    ]  # fmt: skip
    assert found.sha256 == hashlib.sha256(body).hexdigest()
    assert found.refusal(strict=False) is not None


# -- what readers raise and find


def reading(monkeypatch: pytest.MonkeyPatch, *found: Rule, broken: Rule | None = None) -> Report:
    """What is told where the reader of FASTQ finds this."""

    def read(source: Source, _: str, expected: Expected, findings: Findings) -> Measured:
        assert expected == Expected()
        for number, rule in enumerate(found):
            findings.add(rule, f"{number} breaks it", Where(record=number))
        if broken is not None:
            raise Broken(broken, "it goes no further", Where(byte=7))
        source.drain()
        return Measured("FASTQ", version="2", details={"total_reads": 9})

    monkeypatch.setitem(engine.READERS, "FASTQ", read)
    return report([fastq(3)], Expected())


def test_violations_reject_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reading(monkeypatch, BIG, ODD)
    assert found.refusal(strict=False) is None
    refusal = found.refusal(strict=True)
    assert refusal is not None
    assert refusal.reason_code == "malformed record"
    assert refusal.reason == "1 breaks it; add one"
    assert refusal.where == Where(record=1)


def test_errors_come_before_violations_and_what_stops_a_reader_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = reading(monkeypatch, ODD, broken=CUT)
    for strict in (True, False):
        refusal = found.refusal(strict=strict)
        assert refusal is not None
        assert (refusal.reason_code, refusal.where) == ("truncated", Where(byte=7))
    assert found.measured is None
    assert (found.md5, found.size_bytes) == (hashlib.md5(fastq(3)).hexdigest(), len(fastq(3)))
    # A reader that could not go on never leaves a valid file, whatever its rule is called.
    assert not reading(monkeypatch, broken=ODD).is_valid(strict=False)


def test_an_event_holds_the_worst_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reading(monkeypatch, *[BIG] * 30, *[ODD] * 40, *[BAD] * 25, CUT)
    told = in_event(found, strict=True)
    assert (told["violations"], told["notes"], told["is_strict"]) == (40, 30, True)
    codes = [one.code for one in told["findings"]]
    assert len(codes) == FILE_FINDINGS_MAX
    assert codes[:3] == ["toy-bad", "toy-cut", "toy-bad"]
    assert codes.count("toy-odd") == 20
    assert [one.rule.code for one in worst_first(found.findings)][-1] == "toy-big"


def test_what_an_event_cannot_hold_is_left_out() -> None:
    assert plain("a\x00b\udc80") == "ab?"


def test_a_line_of_json_holds_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(json.dumps(as_json("x.fq", reading(monkeypatch, ODD), strict=True)))
    assert told["metrics"]["total_reads"] == 9
    unknown = {name for name, value in told["metrics"].items() if value is None}
    assert unknown == {*told["metrics"]["unknown"]}
    assert told == {
        "file": "x.fq", "format": "FASTQ", "version": "2", "compression": "none",
        "size_bytes": len(fastq(3)), "valid": False,
        "counts": {"errors": 0, "violations": 1, "notes": 0},
        "findings": [
            {
                "code": "toy-odd", "severity": "violation", "message": "0 breaks it",
                "where": {"line": None, "record": 0, "byte": None}, "remedy": "add one",
            }
        ],
        "md5": hashlib.md5(fastq(3)).hexdigest(), "sha256": hashlib.sha256(fastq(3)).hexdigest(),
        "metrics": told["metrics"],
    }  # fmt: skip


# -- mates


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (fastq(9, mate=2), ""),
        (bgzf(fastq(9, mate=2)), ""),
        (fastq(8, mate=2), "the first file has 9 reads, and the other 8"),
        (fastq(10, mate=2), "the second file has 10 reads, and the other 9"),
        (fastq(9, seed=2, mate=2), "read 1 is 'VH1:7:AAC:1:1101:1:0' in the first file "
         "and 'VH1:7:AAC:1:1101:2:0' in the second"),
    ],
)  # fmt: skip
def test_the_first_read_that_parts_mates_is_named(second: bytes, words: str) -> None:
    def source(body: bytes) -> tuple[Source, str]:
        made = Source(body[at : at + 99] for at in range(0, len(body), 99))
        return made, compression_of(made.peek(100))

    findings = Findings()
    compare_mates(source(fastq(9)), source(second), findings)
    assert [one.message for one in findings] == ([words] if words else [])


# -- an index and its file


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ("a.bam.bai", "a.bam"),
        ("a.bai", "a.bam"),
        ("a.bam.csi", "a.bam"),
        ("a.cram.crai", "a.cram"),
        ("d/a.vcf.gz.tbi", "d/a.vcf.gz"),
        ("b.bam.bai", None),
        ("a.bam", None),
    ],
)
def test_the_file_of_an_index_is_the_one_that_it_is_named_like(
    index: str, name: str | None
) -> None:
    given = {"a.bam", "a.cram", "d/a.vcf.gz", index}
    assert file_of_index(index, given) == name


def test_an_index_is_held_against_its_file(tmp_path: Path) -> None:
    index, of = tmp_path / "a.bam.bai", tmp_path / "a.bam"
    of.write_bytes(bam())
    index.write_bytes(b"BAI\x01" + struct.pack("<i", 1) + bytes(8))
    found = report([index.read_bytes()], Expected())
    assert found.is_valid(strict=True)
    hold(found, index, of)
    assert [one.rule.code for one in found.findings] == ["index-references-differ"]
    other = report([fastq(3)], Expected())
    hold(other, tmp_path / "a.fq", of)
    assert list(other.findings) == []


def test_a_file_that_is_none_leaves_its_index_with_a_finding(tmp_path: Path) -> None:
    index, of = tmp_path / "a.cram.crai", tmp_path / "a.cram"
    index.write_bytes(b"0\t1\t2\t3\t4\t5\n")
    for body in (cram()[:100], b"CRAM", b""):
        of.write_bytes(body)
        found = report([index.read_bytes()], Expected())
        hold(found, index, of)
        assert not found.is_valid(strict=True)


def test_strict_is_asked_for_where_a_file_is_judged() -> None:
    assert judged([fastq(3)], Expected(role="R1"), strict=True) == judged(
        [fastq(3)], Expected(role="R1")
    )
