"""BCF: what is binary in it is read byte by byte, and its records are held to the rules of VCF."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.vcf.bcf import read_bcf
from genoflow.processors.validation.vcf.rules_bcf import BCF_RULES
from tests.reads import bgzf, flipped
from tests.variants import FIXED, generated, read

# The numbers of names: PASS 0, q10 1, DP 2, GT 3, NOTE 4, and X 5.
HEADER = f"""##fileformat=VCFv4.3
##FILTER=<ID=q10,Description="Quality below 10">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=NOTE,Number=1,Type=String,Description="What is of note">
##FORMAT=<ID=X,Number=.,Type=Integer,Description="Numbers">
##contig=<ID=1,length=1000000>
{FIXED}\tFORMAT\tS1
"""


def ints(*values: int) -> bytes:
    return bytes([len(values) << 4 | 1]) + struct.pack(f"{len(values)}b", *values)


def text(value: bytes) -> bytes:
    return bytes([len(value) << 4 | 7]) + value


def record(
    *,
    chrom: int = 0,
    position: int = 9,
    rlen: int = 1,
    identifier: bytes = b"\x37rs1",
    alleles: tuple[bytes, ...] = (b"A", b"C"),
    filters: bytes = b"\x11\x00",
    info: bytes = b"\x11\x02\x11\x09",  # DP=9
    samples: int = 1,
    formats: tuple[bytes, ...] = (b"\x11\x03\x21\x02\x05", b"\x11\x02\x11\x07"),  # GT 0|1, DP 7
    shorter: int = 0,
) -> bytes:
    """A record with lengths that fit, apart from so many bytes."""
    counts = (len(alleles) << 16 | 1, len(formats) << 24 | samples)
    shared = struct.pack("<iiifII", chrom, position - 1, rlen, 50.0, *counts)
    shared += identifier + b"".join(map(text, alleles)) + filters + info
    individual = b"".join(formats)
    return struct.pack("<II", len(shared) - shorter, len(individual)) + shared + individual


def content(
    *records: bytes, header: str = HEADER, end: bytes = b"\0", magic: bytes = b"\2\2"
) -> bytes:
    head = header.encode() + end
    return b"BCF" + magic + struct.pack("<I", len(head)) + head + b"".join(records)


def read_bytes(data: bytes) -> tuple[Findings, Measured | None]:
    findings = Findings()
    try:
        measured = read_bcf(Source([data]), compression_of(data), Expected("VCF"), findings)
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
        return findings, None
    return findings, measured


HEADER_OF_TWO = HEADER.replace('"Quality below 10">', '"Quality below 10",IDX=1>').replace(
    '"Depth">', '"Depth",IDX=1>', 1
)
EXAMPLES: dict[str, Callable[[], bytes]] = {
    "bcf-not-bgzf": lambda: content(record()),
    "bcf-magic": lambda: bgzf(content(magic=b"\4\2")),
    "bcf-header-cut": lambda: bgzf(b"BCF\2\2" + struct.pack("<I", 10**6) + HEADER.encode()),
    "bcf-header-end": lambda: bgzf(content(record(), end=b"")),
    "bcf-dictionary": lambda: bgzf(content(header=HEADER_OF_TWO)),
    "bcf-record-cut": lambda: bgzf(content(record())[:-1]),
    "bcf-record-length": lambda: bgzf(content(record(shorter=1))),
    "bcf-contig-index": lambda: bgzf(content(record(chrom=9))),
    "bcf-name-index": lambda: bgzf(content(record(filters=ints(99)))),
    "bcf-value-type": lambda: bgzf(content(record(identifier=b"\x14\0\0"))),
    "bcf-declared-type": lambda: bgzf(
        content(record(info=b"\x11\x02\x15" + struct.pack("<f", 9.0)))
    ),
    "bcf-text": lambda: bgzf(content(record(identifier=text(b"a\tb")))),
    "bcf-sample-count": lambda: bgzf(content(record(samples=2))),
    "bcf-allele-count": lambda: bgzf(content(record(alleles=()))),
    "bcf-rlen": lambda: bgzf(content(record(rlen=7))),
    "bcf-end-of-vector": lambda: bgzf(
        content(record(formats=(b"\x11\x03\x21\x02\x05", b"\x11\x05\x21\x81\x07")))
    ),
}


@pytest.mark.parametrize("rule", BCF_RULES, ids=lambda rule: rule.code)
def test_the_example_of_a_rule_breaks_it(rule: Rule) -> None:
    findings, _ = read_bytes(EXAMPLES[rule.code]())
    assert rule in findings.counts, [found.message for found in findings]


def test_a_valid_file_breaks_no_rule() -> None:
    note = b"\x11\x04" + text(b"so")
    data = bgzf(content(record(), record(position=20, info=note), magic=b"\2\1"))
    findings, measured = read_bytes(data)
    assert [found.message for found in findings] == []
    assert measured is not None
    assert (measured.format, measured.version, measured.metrics.variants) == ("BCF", "4.3", 2)
    assert measured.details["samples"] == {
        "S1": {"hom_ref": 0, "hom_alt": 0, "het": 2, "haploid_ref": 0, "haploid_alt": 0,
               "missing": 0},
    }  # fmt: skip


def test_records_are_held_to_the_rules_of_vcf_and_told_by_their_number() -> None:
    data = bgzf(content(record(position=20), record(position=9, alleles=(b"A", b"X"))))
    findings, _ = read_bytes(data)
    found = {(one.rule.code, one.where.record, one.where.line) for one in findings}
    assert found == {("vcf-pos-order", 2, None), ("vcf-alt", 2, None)}


def test_a_file_that_is_cut_says_so() -> None:
    findings, measured = read_bytes(bgzf(content(record()), end=False))
    assert [one.rule.code for one in findings] == ["bgzf-no-end"]
    assert measured is None


@pytest.mark.parametrize("is_gvcf", [False, True])
def test_what_htslib_writes_is_the_same_as_bcf_and_as_vcf(tmp_path, is_gvcf: bool) -> None:  # type: ignore[no-untyped-def]
    import pysam

    source, target = tmp_path / "a.vcf", tmp_path / "a.bcf"
    source.write_bytes(generated(3, 120, minor=3, is_gvcf=is_gvcf))
    with (
        pysam.VariantFile(str(source)) as lines,
        pysam.VariantFile(str(target), "wb", header=lines.header) as out,
    ):
        for line in lines:
            out.write(line)
    findings, measured = read_bytes(target.read_bytes())
    assert [found.message for found in findings] == []
    _, of_text = read(source.read_bytes())
    assert measured is not None
    assert of_text is not None
    assert measured.details == of_text.details


@pytest.mark.parametrize("seed", range(150))
def test_a_file_with_bits_turned_over_never_stops_the_reader(seed: int) -> None:
    """Whatever the bytes are: findings, and no other error than that of a damaged stream."""
    data = content(*(record(position=position) for position in range(9, 40)))
    begin = random.Random(seed).choice([0, len(content())])
    changed = data[:begin] + flipped(data[begin:], seed, flips=1 + seed % 5)
    read_bytes(bgzf(changed))
