"""Planted variants: who carries which, what the two haplotypes then are, and the truth as VCF.

All subjects of a genome draw from the same sites, as people do. So two strangers share some of
their variants, a child has them from its parents, and two samples of one subject share all. A
male subject has one copy of chrX, his mother's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from genoflow.deploy.generate.genome import BASES, X_CHROMOSOME, Contig, Genome

SPACING_BASES = 110  # no site is closer to the next: a read of 101 bases sees one at a time
WANDER_BASES = 80  # a site lies up to this far behind its earliest place
EDGE_BASES = 300  # reads thin out at the ends of a contig: nothing is planted there
INDEL_BASES_MAX = 6
TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
TRANSITION_FRACTION = 0.67  # Ti/Tv is then 2.0, as in whole human genomes
KINDS, KIND_WEIGHTS = ("snv", "insertion", "deletion"), (80, 10, 10)
# No copy, one or both of a site: two thirds of what a subject carries is heterozygous.
COPIES, COPY_WEIGHTS = (0, 1, 2), (40, 40, 20)
LOW_SITE_EVERY = 8  # one site of eight is kept for low-fraction variants, and never inherited
FRACTION_MIN, FRACTION_MAX = 0.1, 0.3
BOTH, ALONE = (0, 1), (0,)
FEMALE, MALE = "female", "male"


@dataclass(frozen=True, slots=True)
class Site:
    """A place where this genome varies; the position counts from 1, as in VCF."""

    contig: str
    position: int
    reference: str
    alternate: str
    kind: str
    low: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """A site as one subject has it: on which of its copies, and in which fraction of the cells."""

    site: Site
    haplotypes: tuple[int, ...]
    fraction: float = 1.0
    copies: tuple[int, ...] = BOTH  # that the subject has of this contig

    @property
    def genotype(self) -> str:
        """As VCF says it: phased where it was inherited, unphased where it is of some cells."""
        if self.site.low:
            return "0/1"
        return "|".join("1" if number in self.haplotypes else "0" for number in self.copies)

    @property
    def expected_fraction(self) -> float:
        """The share of reads that will show it."""
        return self.fraction if self.site.low else len(self.haplotypes) / len(self.copies)


@dataclass(frozen=True, slots=True)
class Subject:
    """Someone, by an opaque reference, with all variants in the order of the genome."""

    reference: str
    variants: tuple[Variant, ...]
    sex: str = FEMALE

    def copies_of(self, contig: str) -> tuple[int, ...]:
        """The numbers of its copies of a contig: a male has one of chrX."""
        return ALONE if self.sex == MALE and contig == X_CHROMOSOME else BOTH


@dataclass(frozen=True, slots=True)
class LowVariant:
    """A variant of some cells, at its place on a haplotype (counted from 0)."""

    offset: int
    alternate: str
    fraction: float
    reference_bases: int = 1  # that it takes the place of


@dataclass(frozen=True, slots=True)
class Haplotype:
    """One copy of a contig with its inherited variants in place; the low ones are drawn by read."""

    contig: str
    bases: str
    low: tuple[LowVariant, ...]


def sites_of(genome: Genome, seed: int) -> tuple[Site, ...]:
    """The sites of a genome, each as far from the next as SPACING_BASES says."""
    source = Random(f"{seed}/sites")
    found: list[Site] = []
    for contig in genome.contigs:
        place = EDGE_BASES
        while place < len(contig.bases) - EDGE_BASES:
            start = place + source.randrange(WANDER_BASES)
            low = len(found) % LOW_SITE_EVERY == LOW_SITE_EVERY - 1
            site = _site(source, contig, start, low)
            found.append(site)
            place = site.position + len(site.reference) + SPACING_BASES
    return tuple(found)


def _site(source: Random, contig: Contig, start: int, low: bool) -> Site:
    kind = "snv" if low else source.choices(KINDS, KIND_WEIGHTS)[0]
    size = source.randint(1, INDEL_BASES_MAX)
    if kind == "snv":
        base = contig.bases[start]
        others = [b for b in BASES if b not in (base, TRANSITION[base])]
        ti = source.random() < TRANSITION_FRACTION
        alternate = TRANSITION[base] if ti else source.choice(others)
        return Site(contig.name, start + 1, base, alternate, kind, low)
    if kind == "insertion":
        anchor = contig.bases[start]
        inside = "".join(source.choices(BASES, k=size - 1))
        # Callers move an indel as far left as it goes; this last base holds it where it is.
        last = source.choice([b for b in BASES if b != anchor])
        return Site(contig.name, start + 1, anchor, anchor + inside + last, kind)
    while contig.bases[start + size] == contig.bases[start]:
        start += 1
    return Site(
        contig.name, start + 1, contig.bases[start : start + size + 1], contig.bases[start], kind
    )


def make_subject(reference: str, sites: Iterable[Site], seed: int, sex: str = FEMALE) -> Subject:
    """A subject that is related to nobody, drawn from the seed and its own reference."""
    source = Random(f"{seed}/subject/{reference}")
    nobody = Subject(reference, (), sex)
    found: list[Variant] = []
    for site in sites:
        copies = source.choices(COPIES, COPY_WEIGHTS)[0]
        phase = source.randrange(2)
        if copies and not site.low:
            carried = BOTH if copies == 2 else (phase,)
            found += _variant(nobody, site, carried)
    return replace(nobody, variants=tuple(found))


def make_child(
    reference: str, mother: Subject, father: Subject, seed: int, sex: str = FEMALE
) -> Subject:
    """A child: of each parent one copy of every site, chosen anew for each site."""
    source = Random(f"{seed}/child/{reference}")
    nobody = Subject(reference, (), sex)
    inherited: dict[Site, list[int]] = {}
    for haplotype, parent in enumerate((mother, father)):
        for variant in parent.variants:
            chosen = source.randrange(2)
            if len(variant.copies) == 1:
                chosen = variant.copies[0]
            if not variant.site.low and chosen in variant.haplotypes:
                inherited.setdefault(variant.site, []).append(haplotype)
    variants = [
        one for site, carried in inherited.items() for one in _variant(nobody, site, carried)
    ]
    return replace(nobody, variants=_ordered(variants))


def _variant(subject: Subject, site: Site, carried: Iterable[int]) -> list[Variant]:
    """The site on those of the carrying copies that the subject has; nothing where it has none."""
    copies = subject.copies_of(site.contig)
    kept = tuple(number for number in carried if number in copies)
    return [Variant(site, kept, copies=copies)] if kept else []


def with_low_fraction(
    subject: Subject, sites: Iterable[Site], seed: int, count: int, indels: int = 0
) -> Subject:
    """The same subject's tumour: all that it inherited, and variants of some cells besides."""
    source = Random(f"{seed}/low/{subject.reference}")
    known, sites = {variant.site for variant in subject.variants}, tuple(sites)
    low = [site for site in sites if site.low]
    chosen = source.sample(low, min(count, len(low)))
    free = [replace(one, low=True) for one in sites if one.kind != "snv" and one not in known]
    chosen += source.sample(free, min(indels, len(free)))
    width = FRACTION_MAX - FRACTION_MIN
    added = []
    for site in chosen:
        copies = subject.copies_of(site.contig)
        fraction = round(FRACTION_MIN + width * source.random(), 2)
        added.append(Variant(site, copies, fraction, copies))
    return replace(subject, variants=_ordered((*subject.variants, *added)))


def with_new(subject: Subject, sites: Iterable[Site], seed: int, count: int) -> Subject:
    """The same subject with variants that it has of nobody, each on one of its copies."""
    source = Random(f"{seed}/new/{subject.reference}")
    never_inherited = [site for site in sites if site.low]
    chosen = source.sample(never_inherited, min(count, len(never_inherited)))
    added = []
    for site in chosen:
        copies = subject.copies_of(site.contig)
        added.append(Variant(replace(site, low=False), (source.choice(copies),), copies=copies))
    return replace(subject, variants=_ordered((*subject.variants, *added)))


def _ordered(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    # The contigs of our genomes are named so that the length and then the name give their order.
    return tuple(
        sorted(variants, key=lambda v: (len(v.site.contig), v.site.contig, v.site.position))
    )


def haplotypes_of(genome: Genome, subject: Subject) -> tuple[tuple[Haplotype, ...], ...]:
    """Each contig's copies as this subject has them: two, and of chrX as many as its sex has."""
    return tuple(
        tuple(_haplotype(contig, subject, n) for n in subject.copies_of(contig.name))
        for contig in genome.contigs
    )


def _haplotype(contig: Contig, subject: Subject, number: int) -> Haplotype:
    parts: list[str] = []
    low: list[LowVariant] = []
    done, length = 0, 0
    for variant in subject.variants:
        site = variant.site
        if site.contig != contig.name or number not in variant.haplotypes:
            continue
        before = contig.bases[done : site.position - 1]
        length += len(before)
        written = site.alternate
        if site.low:
            bases = len(site.reference)
            low.append(LowVariant(length, site.alternate, variant.fraction, bases))
            written = site.reference
        parts += [before, written]
        length += len(written)
        done = site.position - 1 + len(site.reference)
    return Haplotype(contig.name, "".join(parts) + contig.bases[done:], tuple(low))


def panel(genome: Genome, seed: int) -> bytes:
    """The common variants of one base of a genome, as VCF: AF is how often people carry them."""
    often = sum(n * weight for n, weight in zip(COPIES, COPY_WEIGHTS, strict=True))
    frequency = often / (len(BOTH) * sum(COPY_WEIGHTS))
    lines = ["##fileformat=VCFv4.2", "##source=genoflow simulate"]
    lines += [f"##contig=<ID={c.name},length={len(c.bases)}>" for c in genome.contigs]
    lines += [
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency in the population">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    lines += [
        f"{one.contig}\t{one.position}\t.\t{one.reference}\t{one.alternate}\t.\tPASS\t"
        f"AF={frequency:g}"
        for one in sites_of(genome, seed)
        if one.kind == "snv" and not one.low
    ]
    return ("\n".join(lines) + "\n").encode()


def vcf(genome: Genome, subject: Subject, sample: str) -> bytes:
    """The truth about a sample, as VCF: AF is the share of reads that will show the variant."""
    lines = ["##fileformat=VCFv4.2", "##source=genoflow simulate"]
    lines += [f"##contig=<ID={c.name},length={len(c.bases)}>" for c in genome.contigs]
    lines += [
        '##INFO=<ID=KIND,Number=1,Type=String,Description="snv, insertion or deletion">',
        '##INFO=<ID=LOW,Number=0,Type=Flag,Description="of some cells only, not inherited">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=AF,Number=A,Type=Float,Description="Expected share of the reads">',
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}",
    ]
    for variant in subject.variants:
        site = variant.site
        info = f"KIND={site.kind}" + (";LOW" if site.low else "")
        lines.append(
            f"{site.contig}\t{site.position}\t.\t{site.reference}\t{site.alternate}\t.\tPASS\t"
            f"{info}\tGT:AF\t{variant.genotype}:{variant.expected_fraction:g}"
        )
    return ("\n".join(lines) + "\n").encode()
