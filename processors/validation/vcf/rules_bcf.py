"""Rules of BCF 2.1 and 2.2 for what is binary in it; its header and records are held to VCF's."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

E, V = Severity.ERROR, Severity.VIOLATION

# A rule is a row of a table: fields in the order of `Rule`, several on a line.
# fmt: off
NOT_BGZF = Rule(
    "bcf-not-bgzf", V, "VCF 4.3, 6.3", "A BCF is compressed by BGZF.",
    "write it with bcftools view -Ob", "the bytes of a BCF without compression")
MAGIC = Rule(
    "bcf-magic", E, "VCF 4.3, 6.1", "A BCF begins with BCF and its version, 2.1 or 2.2.",
    "write it as BCF 2.2 with bcftools view -Ob", "BCF 4.2 in place of BCF 2.2",
    "not this format")
HEADER_CUT = Rule(
    "bcf-header-cut", E, "VCF 4.3, 6.1",
    "The header is as long as its length says, and at most 32 MiB.",
    "send the file again whole", "a length of the header beyond the end", "truncated")
HEADER_END = Rule(
    "bcf-header-end", V, "VCF 4.3, 6.1", "The text of the header ends with a NUL.",
    "write it anew with bcftools view -Ob", "a header without its NUL")
DICTIONARY = Rule(
    "bcf-dictionary", V, "VCF 4.3, 6.2.1", "An IDX is a number, and of one name alone.",
    "write it anew with bcftools view -Ob", "two filters with IDX=1")
RECORD_CUT = Rule(
    "bcf-record-cut", E, "VCF 4.3, 6.3", "The last record is as long as its lengths say.",
    "send the file again whole", "the last byte left out", "truncated")
RECORD_LENGTH = Rule(
    "bcf-record-length", E, "VCF 4.3, 6.3",
    "What a record holds takes up exactly the bytes that its lengths say, 16 MiB at most.",
    "write it anew with bcftools view -Ob", "a length of the shared part that is one too small")
CONTIG_INDEX = Rule(
    "bcf-contig-index", E, "VCF 4.3, 6.3.1", "CHROM is the number of a contig of the header.",
    "write it anew with bcftools view -Ob", "CHROM 9 of one contig")
NAME_INDEX = Rule(
    "bcf-name-index", E, "VCF 4.3, 6.3.1",
    "FILTER and keys are numbers of names that the header declares for them.",
    "write it anew with bcftools view -Ob", "a filter 99")
VALUE_TYPE = Rule(
    "bcf-value-type", E, "VCF 4.3, 6.3.3",
    "A value is of a known type: 8, 16 or 32 bits, a float, or text.",
    "write it anew with bcftools view -Ob", "an identifier of type 4")
DECLARED_TYPE = Rule(
    "bcf-declared-type", V, "VCF 4.3, 6.3.3", "A value is stored as the Type of its key asks for.",
    "write it anew with bcftools view -Ob", "DP stored as a float")
TEXT = Rule(
    "bcf-text", V, "VCF 4.3, 6.3.3", "Text has no tabs and ends of lines, and is UTF-8.",
    "write them percent-encoded", "an identifier with a tab")
SAMPLES = Rule(
    "bcf-sample-count", E, "VCF 4.3, 6.3.1", "A record has the samples of the header.",
    "write it anew with bcftools view -Ob", "a record of two samples below a header of one")
ALLELES = Rule(
    "bcf-allele-count", E, "VCF 4.3, 6.3.1", "A record has REF, so that it has an allele.",
    "write it anew with bcftools view -Ob", "a record of no alleles")
LENGTH_ON_REFERENCE = Rule(
    "bcf-rlen", V, "VCF 4.3, 6.3.1",
    "The length on the reference is that of REF, or reaches to END.",
    "write it anew with bcftools view -Ob", "a length of 7 beside a REF of one base")
END_OF_VECTOR = Rule(
    "bcf-end-of-vector", V, "VCF 4.3, 6.3.3", "Behind the end of a vector there are ends alone.",
    "write it anew with bcftools view -Ob", "a number behind the end of a vector")
# fmt: on

BCF_RULES: tuple[Rule, ...] = (
    NOT_BGZF, MAGIC, HEADER_CUT, HEADER_END, DICTIONARY, RECORD_CUT, RECORD_LENGTH, CONTIG_INDEX,
    NAME_INDEX, VALUE_TYPE, DECLARED_TYPE, TEXT, SAMPLES, ALLELES, LENGTH_ON_REFERENCE,
    END_OF_VECTOR,
)  # fmt: skip
