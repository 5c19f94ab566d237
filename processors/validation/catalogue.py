"""Every rule that a file is held to, by the chapters of docs/validation.md."""

from __future__ import annotations

from typing import NamedTuple

from genoflow.processors.validation import house, stream_rules
from genoflow.processors.validation.cram import rules as cram_rules
from genoflow.processors.validation.indexes import rules as index_rules
from genoflow.processors.validation.reads import rules as reads_rules
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import rules as sam_rules
from genoflow.processors.validation.vcf import rules as vcf_rules


class Chapter(NamedTuple):
    """The rules of one kind of file; each code begins with one of its prefixes."""

    title: str
    prefixes: tuple[str, ...]
    about: str
    rules: tuple[Rule, ...]
    has_text: bool = False  # its examples are the text itself, and not words about bytes


CHAPTERS = (
    Chapter(
        "Any file", ("file-", "validator-"),
        "What is asked of every file, by the house: no specification speaks of it.",
        house.RULES,
    ),
    Chapter(
        "Compressed streams", ("gzip-", "bgzf-"),
        "gzip by RFC 1952, with any number of members, and BGZF by SAM 1.6.",
        stream_rules.RULES,
    ),
    Chapter(
        "FASTQ", ("fastq-",),
        "The format as Cock et al. (2010) wrote it down, and the names that instruments give.",
        reads_rules.RULES, has_text=True,
    ),
    Chapter(
        "SAM and BAM", ("sam-", "bam-"),
        "SAM 1.6 and its tags; a record of BAM is held to the same rules as a line of SAM.",
        sam_rules.RULES, has_text=True,
    ),
    Chapter(
        "CRAM", ("cram-", "reference-"),
        "CRAM 2.1, 3.0 and 3.1: containers, blocks, slices, and what they hold.",
        cram_rules.RULES,
    ),
    Chapter(
        "VCF and BCF", ("vcf-", "bcf-"),
        "VCF 4.1 to 4.5, by what each of them says, and BCF 2.1 and 2.2 as the same records.",
        vcf_rules.RULES, has_text=True,
    ),
    Chapter(
        "Indexes", ("index-", "crai-", "tbi-", "csi-"),
        "BAI, CSI, TBI and CRAI, alone and beside the file that they are of.",
        index_rules.RULES,
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = tuple(rule for chapter in CHAPTERS for rule in chapter.rules)
