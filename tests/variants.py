"""VCF made for tests: whole files around a line, and generated ones with every kind of record."""

from __future__ import annotations

import random
import re

from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.vcf.reader import read_vcf

FIXED = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEADER = """##fileformat=VCFv4.{minor}
##FILTER=<ID=q10,Description="Quality below 10">
##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=DB,Number=0,Type=Flag,Description="dbSNP membership">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last position">
##INFO=<ID=NOTE,Number=.,Type=String,Description="What is of note">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
##ALT=<ID=NON_REF,Description="Any other allele">
##contig=<ID=1,length=100000000>
##contig=<ID=2,length=100000000>
"""


def read(
    text: bytes, *, sample: str | None = None, references: tuple[str, ...] = (), piece: int = 0
) -> tuple[Findings, Measured | None]:
    """All findings of these bytes; nothing is measured of a file that could not be read."""
    findings = Findings()
    expected = Expected("VCF", sample_id=sample, references=references)
    pieces = [text[at : at + piece] for at in range(0, len(text), piece)] if piece else [text]
    try:
        return findings, read_vcf(Source(pieces), compression_of(text), expected, findings)
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
        return findings, None


def file_around(rule: Rule) -> bytes:
    """The example of a rule as a whole file, of the version that its section names."""
    example = rule.example
    if "\n" in example:
        return example.encode()
    found = re.match(r"VCF (4\.\d)", rule.section)
    version = f"##fileformat=VCFv{found[1] if found else '4.3'}"
    if example.startswith("##fileformat") and rule.code != "vcf-fileformat-repeated":
        lines = [example, FIXED]
    elif rule.code == "vcf-fileformat-missing":
        lines = [example, version, FIXED]
    elif rule.code == "vcf-meta-after-header":
        lines = [version, FIXED, example]
    elif example.startswith("##"):
        lines = [version, example, FIXED]
    elif example.startswith("#CHROM"):
        lines = [version, example]
    else:
        columns = FIXED if example.count("\t") < 8 else f"{FIXED}\tFORMAT\tS1"
        lines = [version, columns, example]
    return "".join(f"{line}\n" for line in lines).encode()


def generated(
    seed: int, records: int, samples: int = 3, minor: int = 2, *, is_gvcf: bool = False
) -> bytes:
    """A valid file with single bases, indels, sites of many alleles, and reference blocks."""
    draw = random.Random(seed)
    names = [f"S{number + 1}" for number in range(samples)]
    head = HEADER.format(minor=minor) + "\t".join([FIXED, "FORMAT", *names]) + "\n"
    lines, position, contig = [], 100, "1"
    for number in range(records):
        if number == records * 3 // 4:
            contig, position = "2", 100
        position += draw.randint(6, 60)
        lines.append(_record(draw, contig, position, samples, is_gvcf=is_gvcf))
    return (head + "\n".join(lines) + "\n").encode()


def _record(draw: random.Random, contig: str, position: int, samples: int, *, is_gvcf: bool) -> str:
    ref = draw.choice("ACGT")
    others = [base for base in "ACGT" if base != ref]
    draw.shuffle(others)
    shape = draw.random()
    if is_gvcf and shape < 0.6:
        alts, info = ["<NON_REF>"], f"END={position + draw.randint(0, 5)}"
    elif shape < 0.75:
        alts, info = others[:1], ""
    elif shape < 0.85:
        alts, info = others[:2], ""
    elif shape < 0.93:
        alts, info = [ref + "".join(draw.choices("ACGT", k=draw.randint(1, 4)))], ""
    else:
        ref += "".join(draw.choices("ACGT", k=draw.randint(1, 4)))
        alts, info = [ref[0]], ""
    if is_gvcf and alts != ["<NON_REF>"]:
        alts.append("<NON_REF>")
    counts = ",".join(str(draw.randint(0, 9)) for _ in alts)
    shares = ",".join(f"{draw.random():.3g}" for _ in alts)
    info = info or f"AC={counts};AF={shares};DP={draw.randint(0, 99)}"
    info += draw.choice(["", "", ";DB", ";NOTE=x,y z" if contig == "9" else ";NOTE=x,y"])
    fixed = [
        contig, str(position), draw.choice([".", f"rs{position}"]), ref, ",".join(alts),
        draw.choice([".", "50", "31.7", "1e3"]), draw.choice(["PASS", ".", "q10"]), info,
        "GT:AD:DP:GQ:PL",
    ]  # fmt: skip
    return "\t".join([*fixed, *(_sample(draw, len(alts)) for _ in range(samples))])


def _sample(draw: random.Random, alts: int) -> str:
    if draw.random() < 0.1:
        return draw.choice([".", "./.", "./.:.:.", ".|."])
    ploidy = 1 if draw.random() < 0.05 else 2
    alleles = [str(draw.randint(0, alts)) for _ in range(ploidy)]
    likelihoods = alts + 1 if ploidy == 1 else (alts + 1) * (alts + 2) // 2
    depths = ",".join(str(draw.randint(0, 50)) for _ in range(alts + 1))
    phred = ",".join(str(draw.randint(0, 999)) for _ in range(likelihoods))
    return f"{draw.choice('/|').join(alleles)}:{depths}:{draw.randint(0, 99)}:99:{phred}"
