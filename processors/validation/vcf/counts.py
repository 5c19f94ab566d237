"""What is counted in a VCF, as `bcftools stats` counts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genoflow.processors.validation.vcf.genotype import Genotype

SNP, MNP, INDEL, OTHER, BREAKEND, OVERLAP = 1, 2, 4, 8, 16, 32
# Of all records; a kind counts a record once, however many of its alleles are of it.
SITES = (
    "records", "no_alts", "snps", "mnps", "indels", "others", "multiallelic_sites",
    "multiallelic_snp_sites", "ts", "tv", "novel_variants",
)  # fmt: skip
# Of each sample; hom_alt and het over records with SNPs or without alleles alone.
GENOTYPES = ("hom_ref", "hom_alt", "het", "haploid_ref", "haploid_alt", "missing")
TRANSITIONS = frozenset(("AG", "GA", "CT", "TC"))


def kind_of(ref: str, alt: str) -> int:
    """Of which kind an allele is; 0 where it is no variant."""
    if alt == "*":
        return OVERLAP
    if len(ref) == len(alt) == 1:
        return 0 if alt in (".", "X", ref) else SNP
    if alt.startswith("<"):
        return 0 if alt in ("<*>", "<X>", "<NON_REF>") else OTHER
    if alt[0] in "[]" or alt[-1] in "[]":
        return BREAKEND
    return _kind_of_bases(ref.upper(), alt.upper())


def _kind_of_bases(ref: str, alt: str) -> int:
    begin, most = 0, min(len(ref), len(alt))
    while begin < most and ref[begin] == alt[begin]:
        begin += 1
    if begin == most:
        return INDEL if len(ref) != len(alt) else 0
    # At least one base of each stays, so that both have a first and a last one.
    end, most = 0, most - begin - 1
    while end < most and ref[-1 - end] == alt[-1 - end]:
        end += 1
    left = (len(ref) - begin - end, len(alt) - begin - end)
    if left == (1, 1):
        return SNP
    if min(left) == 1 and ref[-1 - end] == alt[-1 - end]:
        return INDEL
    return MNP if left[0] == left[1] else OTHER


class Counts:
    """Sums over records."""

    def __init__(self, samples: Sequence[str]) -> None:
        self.sites = [0] * len(SITES)
        self._samples = samples
        self.genotypes = [0] * (len(samples) * len(GENOTYPES))

    def take(
        self, identifier: str, ref: str, alts: Sequence[str], genotypes: Sequence[Genotype | None]
    ) -> None:
        """One more record; a genotype that cannot be read is counted nowhere."""
        kinds = [kind_of(ref, alt) for alt in alts if alt]
        of_record = 0
        for kind in kinds:
            of_record |= kind
        steps = [
            ref[0].upper() + alt[0].upper() for alt in alts if alt and kind_of(ref, alt) == SNP
        ]
        turns = sum(step in TRANSITIONS for step in steps)
        others = sum(step[0] != step[1] and {*step} <= {*"ACGT"} for step in steps) - turns
        many = len(alts) > 1
        row = (
            1, of_record == 0, bool(of_record & SNP), bool(of_record & MNP),
            bool(of_record & INDEL), bool(of_record & (OTHER | BREAKEND)), many,
            many and of_record == SNP, turns, others, of_record != 0 and identifier == ".",
        )  # fmt: skip
        for index, value in enumerate(row):
            self.sites[index] += value
        is_counted = of_record == 0 or bool(of_record & SNP)
        for sample, genotype in enumerate(genotypes):
            if genotype is not None:
                which = _class_of(genotype.alleles)
                if is_counted or which not in (1, 2):
                    self.genotypes[sample * len(GENOTYPES) + which] += 1

    def add(self, sites: Sequence[int], genotypes: Sequence[int]) -> None:
        """The same sums over other records."""
        self.sites = [a + b for a, b in zip(self.sites, sites, strict=True)]
        self.genotypes = [a + b for a, b in zip(self.genotypes, genotypes, strict=True)]

    def details(self) -> Mapping[str, object]:
        """Under their names; a ratio is None where there is nothing to divide by."""
        named: dict[str, object] = dict(zip(SITES, self.sites, strict=True))
        sites = dict(zip(SITES, self.sites, strict=True))
        width = len(GENOTYPES)
        of_samples = {
            sample: dict(zip(GENOTYPES, self.genotypes[at * width : (at + 1) * width], strict=True))
            for at, sample in enumerate(self._samples)
        }
        het = sum(self.genotypes[2::width])
        hom = sum(self.genotypes[1::width])
        return named | {
            "total_variants": sites["records"] - sites["no_alts"],
            "ts_tv": sites["ts"] / sites["tv"] if sites["tv"] else None,
            "het_hom": het / hom if hom else None,
            "samples": of_samples,
        }


def _class_of(alleles: Sequence[str]) -> int:
    """The place in GENOTYPES."""
    if "." in alleles:
        return 5
    numbers = {int(allele) for allele in alleles}
    if len(alleles) == 1:
        return 3 if numbers == {0} else 4
    if len(numbers) > 1:
        return 2
    return 0 if numbers == {0} else 1
