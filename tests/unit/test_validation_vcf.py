"""VCF: every rule is broken by its example, and what is valid breaks none."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.text import LINE_BYTES_MAX
from genoflow.processors.validation.vcf.counts import INDEL, MNP, OTHER, SNP, kind_of
from genoflow.processors.validation.vcf.local import modified_bases
from genoflow.processors.validation.vcf.order import Variant, variants_of
from genoflow.processors.validation.vcf.reader import read_vcf
from genoflow.processors.validation.vcf.rules import RULES
from genoflow.processors.validation.vcf.rules_bcf import BCF_RULES
from tests.variants import FIXED, HEADER, file_around, generated, read

EMPTY_FILE = f"##fileformat=VCFv4.3\n{FIXED}\n".encode()
TEXT_RULES = [rule for rule in RULES if rule not in BCF_RULES]
SAMPLES = f"##fileformat=VCFv4.3\n{FIXED}\tFORMAT\tS1\tS2\n".encode()
LENGTH_OF_OLD = 249_250_621  # chromosome 1 of GRCh37
# What is no text of its own is made here, by the code of its rule.
BUILT: dict[str, tuple[bytes, dict[str, object]]] = {
    "vcf-not-utf8": (EMPTY_FILE.replace(b"\n#", b"\n##source=caf\xe9\n#", 1), {}),
    "vcf-byte-order-mark": (b"\xef\xbb\xbf" + EMPTY_FILE, {}),
    "vcf-control-character": (EMPTY_FILE.replace(b"\n#", b"\n##source=a\x07b\n#", 1), {}),
    "vcf-line-too-long": (EMPTY_FILE + b"1\t1\t.\tA\tC\t.\t.\tX=" + b"A" * LINE_BYTES_MAX, {}),
    "vcf-gzip-not-bgzf": (gzip.compress(EMPTY_FILE), {}),
    "vcf-wrong-sample": (SAMPLES, {"sample": "S3"}),
    "vcf-wrong-build": (
        EMPTY_FILE.replace(b"\n#", b"\n##contig=<ID=1,length=%d>\n#" % LENGTH_OF_OLD, 1),
        {"references": ("GRCh38",)},
    ),
}


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.code)
def test_the_example_of_a_rule_breaks_it(rule: Rule) -> None:
    text, arguments = BUILT.get(rule.code) or (file_around(rule), {})
    findings, _ = read(text, **arguments)  # type: ignore[arg-type]
    assert rule in findings.counts, [found.message for found in findings]
    # What else is said of the example must not hide what it is an example of.
    worse = {found.rule.code for found in findings if found.rule.severity == Severity.ERROR}
    assert worse <= {rule.code}


def test_codes_are_unique_and_all_rules_are_listed() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES) > 100
    assert all(rule.code.startswith(("vcf-", "bcf-")) for rule in RULES)
    assert all(rule.asks.endswith(".") and rule.remedy and rule.example for rule in RULES)


@pytest.mark.parametrize("minor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("is_gvcf", [False, True])
def test_a_valid_file_breaks_no_rule(minor: int, is_gvcf: bool) -> None:
    text = generated(minor, 200, minor=max(minor, 2), is_gvcf=is_gvcf)
    if minor == 1:  # which has no Number=R
        text = text.replace(b"VCFv4.2", b"VCFv4.1").replace(b"ID=AD,Number=R", b"ID=AD,Number=.")
    findings, measured = read(text, sample="S2")
    assert [found.message for found in findings] == []
    assert measured is not None
    assert measured.version == f"4.{minor}"
    assert measured.metrics.variants == 200


VALID_LINES = {
    "telomere": "1\t0\t.\tN\t.[2:5[\t.\t.\t.",
    "single breakend": "1\t9\t.\tA\tA.\t.\t.\t.",
    "breakend into the assembly file": "1\t9\t.\tA\tA[<ctg1>:7[\t.\t.\t.",
    "deletion that spans": "1\t9\t.\tA\t*,C\t.\t.\tAC=1,2",
    "float of any form": "1\t9\t.\tA\tC\tInf\t.\tAF=.5",
    "missing values": "1\t9\t.\tA\tC,G\t.\t.\tAC=.;AF=.,0.1",
    "several identifiers": "1\t9\trs1;rs2\tA\tC\t.\t.\t.",
    "triploid": "1\t9\t.\tA\tC\t.\t.\t.\tGT:PL\t0/0/1:1,2,3,4",
    "haploid": "1\t9\t.\tA\tC\t.\t.\t.\tGT:PL\t1:1,2",
    "dropped fields": "1\t9\t.\tA\tC\t.\t.\t.\tGT:DP:GQ\t0/1",
    "without genotype": "1\t9\t.\tA\tC\t.\t.\t.\tPL\t1,2,3",
    "no alternative": "1\t9\t.\tA\t.\t.\t.\t.\tGT:PL\t0/0:0",
}


@pytest.mark.parametrize("line", VALID_LINES.values(), ids=VALID_LINES)
def test_a_line_that_is_valid_breaks_no_rule(line: str) -> None:
    columns = FIXED if line.count("\t") == 7 else f"{FIXED}\tFORMAT\tS1"
    findings, _ = read(f"{HEADER.format(minor=3)}{columns}\n{line}\n".encode())
    assert [found.message for found in findings] == []


def test_a_file_of_the_newest_version_may_phase_alleles_one_by_one() -> None:
    head = "##fileformat=VCFv4.4\n" + f"{FIXED}\tFORMAT\tS1\n"
    line = "1\t9\t.\tA\tC,G\t.\t.\t.\tGT:PSL:PSO\t|1/0|2:a,.,b:1,.,2\n"
    findings, _ = read((head + line).encode())
    assert findings.is_valid(strict=True)


def test_local_alleles_may_be_none() -> None:
    text = "##fileformat=VCFv4.5\n" + f"{FIXED}\tFORMAT\tS1\tS2\tS3\n"
    text += "1\t9\t.\tG\tA,C,T\t.\t.\t.\tGT:LAA:LAD:LPL\t0/2:2:3,4:9,0,9\t0/0::30:0\t./.\n"
    findings, _ = read(text.encode())
    assert findings.is_valid(strict=True)


@pytest.mark.parametrize(
    ("genotype", "alleles", "due"),
    [("0/1", ("C", "CTAG"), 3), ("0|0", ("C", "."), 2), ("0/0", ("C", "."), 1),
     ("/3|1/0|4|0/0/3/1", ("C", "A", "T", "G", "ACG"), 5)],
)  # fmt: skip
def test_modified_bases_are_counted_as_the_specification_shows(
    genotype: str, alleles: tuple[str, ...], due: int
) -> None:
    assert modified_bases("M5mC", genotype, alleles) == due


def test_a_variant_has_one_shortest_form() -> None:
    assert [*variants_of(7, "TAT", ["TGT"])] == [Variant(8, "A", "G")]
    assert [*variants_of(8, "a", ["g", "A", "<DEL>", "*", "."])] == [Variant(8, "A", "G")]
    assert [*variants_of(7, "TA", ["T", "TAA"])] == [Variant(8, "A", ""), Variant(8, "", "A")]


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [("A", "C", SNP), ("A", "A", 0), ("A", ".", 0), ("A", "<NON_REF>", 0), ("A", "<DEL>", OTHER),
     ("AC", "AT", SNP), ("AC", "GT", MNP), ("A", "AC", INDEL), ("AC", "A", INDEL),
     ("ACG", "TG", OTHER), ("TAC", "TC", INDEL)],
)  # fmt: skip
def test_an_allele_is_of_the_kind_that_bcftools_says(ref: str, alt: str, kind: int) -> None:
    assert kind_of(ref, alt) == kind


def test_where_a_finding_is_can_be_looked_up() -> None:
    text = generated(1, 50).replace(b"\tPASS\t", b"\t0\t", 1)
    findings, _ = read(text, piece=700)
    line = next(n for n, row in enumerate(text.split(b"\n"), 1) if b"\t0\t" in row)
    found = [found for found in findings if found.rule.code == "vcf-filter"]
    zero = [found for found in findings if found.rule.code == "vcf-filter-zero"]
    assert not found
    assert [finding.where.line for finding in zero] == [line]
    header_lines = text[: text.index(b"#CHROM")].count(b"\n") + 1
    assert zero[0].where.record == line - header_lines


@pytest.mark.parametrize("piece", [0, 1, 7, 1000])
def test_a_file_is_the_same_however_it_comes_in(piece: int) -> None:
    text = generated(5, 60).replace(b"\t50\t", b"\t-50\t")
    whole, _ = read(text)
    cut, measured = read(text, piece=piece)
    assert [(f.rule.code, f.where.line) for f in whole] == [
        (f.rule.code, f.where.line) for f in cut
    ]
    assert measured is not None
    assert measured.metrics.variants == 60


def test_memory_stays_bounded_where_every_line_is_at_fault() -> None:
    line = b"1\t9\t.\tA\tC\tbad\t.\tX%d=1;DP=-1\n"

    def pieces() -> object:
        yield EMPTY_FILE
        for number in range(6_000):
            yield line % number

    tracemalloc.start()
    findings = Findings()
    read_vcf(Source(pieces()), "none", Expected("VCF"), findings)  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert findings.count(Severity.VIOLATION) >= 12_000
    assert peak < 30_000_000
