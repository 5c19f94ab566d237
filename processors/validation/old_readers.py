"""FASTQ and compressed streams have no rules of their own: of what they raise, the rule."""

from __future__ import annotations

from genoflow.processors.validation import house
from genoflow.processors.validation.fastq import read_fastq
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.port import Expected, Fault, Measured
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.source import Source

OF_FAULTS = {
    "truncated": house.TRUNCATED,
    "malformed record": house.MALFORMED,
    "empty": house.NO_READS,
    "wrong sample": house.OTHER_SAMPLE,
    "mates differ": house.MATES_DIFFER,
    "unreadable": house.UNREADABLE,
}


def rule_of(fault: Fault) -> Rule:
    """The rule of this meaning, for readers that have none of their own."""
    return OF_FAULTS[fault.code]


def fastq(source: Source, compression: str, expected: Expected, _: Findings) -> Measured:
    """Every record of reads."""
    return read_fastq(blocks_of(source, compression), expected, exact=compression == "none")
