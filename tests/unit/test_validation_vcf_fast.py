"""VCF with the extension and without: the same findings and the same sums, whatever the bytes."""

from __future__ import annotations

import random

import pytest

from genoflow.native.batch import COMPILED
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.inflate import Block
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.text import whole_lines
from genoflow.processors.validation.vcf.reader import VcfReader
from genoflow.processors.validation.vcf.rules_file import FILE_RULES, LINE_TOO_LONG
from genoflow.processors.validation.vcf.rules_meta import META_RULES
from genoflow.processors.validation.vcf.rules_record import RECORD_RULES
from genoflow.processors.validation.vcf.rules_sample import SAMPLE_RULES
from tests.variants import FIXED, file_around, generated

pytestmark = pytest.mark.skipif(not COMPILED, reason="there is one way only, and it is tested")
SEEDS = range(25)
ALPHABET = b'\t\t\t\n;:,./|=01239-+ACGTN<>*[]%"# \rePASSDPGTxyz\xc3'


def outcome(text: bytes, *, is_fast: bool, piece: int = 0) -> object:
    """What a reader says of a text, as far as it is the same by either way."""
    findings = Findings()
    reader = VcfReader(Expected("VCF"), findings, is_fast=is_fast)
    blocks = [Block(at, text[at : at + piece]) for at in range(0, len(text), piece or len(text))]
    try:
        for lines in whole_lines(blocks if piece else [Block(0, text)], LINE_TOO_LONG):
            reader.take(lines)
        measured = reader.finish()
    except Broken as broken:
        return (broken.rule.code, broken.message, broken.where)
    found = [(one.rule.code, one.message, one.where) for one in findings]
    return found, {rule.code: n for rule, n in findings.counts.items()}, measured


@pytest.mark.parametrize("minor", [2, 3, 4, 5])
@pytest.mark.parametrize("is_gvcf", [False, True])
def test_a_clean_file_is_counted_alike(minor: int, is_gvcf: bool) -> None:
    text = generated(minor, 300, minor=minor, is_gvcf=is_gvcf)
    assert outcome(text, is_fast=True) == outcome(text, is_fast=False)
    assert outcome(text, is_fast=True, piece=5000) == outcome(text, is_fast=False, piece=5000)


@pytest.mark.parametrize(
    "rule", [*FILE_RULES, *META_RULES, *RECORD_RULES, *SAMPLE_RULES], ids=lambda rule: rule.code
)
def test_examples_of_rules_are_found_alike(rule: object) -> None:
    text = file_around(rule)  # type: ignore[arg-type]
    assert outcome(text, is_fast=True) == outcome(text, is_fast=False)


def test_records_without_a_contig_are_told_every_time() -> None:
    lines = ["##fileformat=VCFv4.3", FIXED, *(f"\t{at}\t.\tA\tG\t.\t.\t." for at in range(10, 15))]
    found = outcome("".join(f"{line}\n" for line in lines).encode(), is_fast=True)
    assert found[1]["vcf-chrom"] == 5  # type: ignore[index]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_file_with_changed_bytes_is_judged_alike(seed: int) -> None:
    draw = random.Random(seed)
    text = bytearray(generated(seed, 60, minor=2 + seed % 4, is_gvcf=seed % 3 == 0))
    begin = text.index(b"#CHROM") if seed % 4 else 0
    for _ in range(draw.randint(1, 12)):
        at = draw.randrange(begin, len(text))
        match draw.randrange(3):
            case 0:
                text[at] = draw.choice(ALPHABET)
            case 1:
                del text[at]
            case _:
                text.insert(at, draw.choice(ALPHABET))
    piece = draw.choice([0, 0, 900])
    slow = outcome(bytes(text), is_fast=False, piece=piece)
    assert outcome(bytes(text), is_fast=True, piece=piece) == slow


@pytest.mark.parametrize("seed", SEEDS)
def test_records_in_disorder_are_judged_alike(seed: int) -> None:
    """Contigs that come again, positions that go back, and variants that are written twice."""
    draw = random.Random(seed)
    lines = [f"##fileformat=VCFv4.3\n{FIXED}\tFORMAT\tS1"]
    position = 10
    for _ in range(80):
        contig = "1" if draw.random() < 0.95 else "2"
        position = max(0, position + draw.choice([0, 0, 1, 1, 2, 5, 9, -3]))
        ref = "".join(draw.choices("AC", k=draw.choice([1, 1, 2, 3, 9])))
        alts = {"".join(draw.choices("AC", k=draw.choice([1, 1, 2, 3]))) for _ in range(2)}
        alt = draw.choice([",".join(sorted(alts)), "*", ".", "<DEL>", "C[1:9["])
        info = draw.choice([".", "DP=1", "X=1", "DB", "AC=1", "END=3", "DP=1;DP=2"])
        genotype = draw.choice(["0/1:1", "0|0", "./.", "1", "0/0/1:3", "0/9", "x", "0/1:a"])
        filters = draw.choice([".", "PASS", "q10", "q10;q20", "q10;q10", "0"])
        row = [contig, str(position), ".", ref, alt, ".", filters, info, "GT:DP", genotype]
        lines.append("\t".join(row))
    text = ("\n".join(lines) + "\n").encode()
    for piece in (0, 300, 1111):
        slow = outcome(text, is_fast=False, piece=piece)
        assert outcome(text, is_fast=True, piece=piece) == slow
