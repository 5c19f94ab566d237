"""GT: the alleles of a sample, and which of them are phased."""

from __future__ import annotations

import re
from typing import NamedTuple

GENOTYPE_CHARACTERS_MAX = 10_000  # a thousand copies of alleles with nine digits
GENOTYPE = re.compile(r"(?:\.|[0-9]{1,9})(?:[/|](?:\.|[0-9]{1,9}))*")
GENOTYPE_NEW = re.compile(r"[/|]?" + GENOTYPE.pattern)
ALLELES = re.compile(r"([/|]?)([.0-9]+)")


class Genotype(NamedTuple):
    """The alleles of a sample, each with whether it is phased."""

    alleles: tuple[str, ...]
    phased: tuple[bool, ...]

    @property
    def ploidies(self) -> tuple[int, ...]:
        """What the ploidy may be: a single dot stands for any genotype that is missing."""
        return (1, 2) if self.alleles == (".",) else (len(self.alleles),)


def genotype_of(text: str) -> Genotype:
    """The genotype of a text that has the form of one."""
    parts = ALLELES.findall(text)
    marks = [mark for mark, _ in parts]
    marks[0] = marks[0] or ("/" if "/" in marks else "|")
    return Genotype(tuple(allele for _, allele in parts), tuple(mark == "|" for mark in marks))
