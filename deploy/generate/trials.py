"""Tiny material for each pipeline, with its truth: what the profile `test` of a pipeline reads.

A folder holds reference.fa, samples.tsv and the files that it names; targets.bed for a panel,
genes.gtf for RNA; and below truth/ what was planted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from genoflow.deploy.generate.fastq import ROLES, fastq_files
from genoflow.deploy.generate.genome import Genome, fasta, make_genome, targets
from genoflow.deploy.generate.instruments import INSTRUMENTS
from genoflow.deploy.generate.libraries import Library, Run
from genoflow.deploy.generate.reads import Pair, Recipe, make_pairs, pairs_for
from genoflow.deploy.generate.transcripts import expressed, gtf, rna_pairs, transcripts_of
from genoflow.deploy.generate.variants import (
    MALE,
    Site,
    Subject,
    make_child,
    make_subject,
    sites_of,
    vcf,
    with_low_fraction,
    with_new,
)

LENGTHS = (20_000, 12_000)  # enough for a hundred variants, and aligned in a second
DEPTH, TUMOUR_DEPTH, PANEL_DEPTH = 30.0, 100.0, 60.0
LOW_VARIANTS, LOW_INDELS, NEW_VARIANTS = 20, 10, 12
OFF_TARGET_EVERY = 20  # one fragment of twenty of a panel lies anywhere
RECIPE = Recipe()
INDEXES = ("ACGTACGT", "TTGGCCAA")
COLUMNS = ("sample", "read_set", "r1", "r2", "alignment", "variants", "role")


@dataclass(frozen=True, slots=True)
class Material:
    """What every trial begins with: a folder, and a genome where it varies."""

    folder: Path
    seed: int
    genome: Genome
    sites: tuple[Site, ...]

    def reads(self, subject: Subject, sample: str, depth: float) -> tuple[Pair, ...]:
        """Pairs of a subject."""
        count = pairs_for(depth, self.genome, RECIPE)
        return make_pairs(self.genome, subject, f"{self.seed}/{sample}", count, RECIPE)

    def write(self, name: str, content: bytes) -> None:
        """A file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def sample(self, name: str, role: str, pairs: tuple[Pair, ...]) -> dict[str, str]:
        """The row of a sample, whose reads are written."""
        library = Library(name, f"{name}-lib1", 1, *INDEXES, pairs=pairs)
        run = Run(INSTRUMENTS["MiSeq"], 1, self.seed, (library,))
        row = {"sample": name, "read_set": f"{name}.L1", "role": role}
        for file in fastq_files(run, library):
            self.write(file.name, file.content)
            row[f"r{ROLES.index(file.role) + 1}"] = file.name
        return row

    def truth(self, name: str, subject: Subject) -> None:
        """What was planted in a sample."""
        self.write(f"truth/{name}.vcf", vcf(self.genome, subject, name))

    def table(self, rows: Iterable[Mapping[str, str]]) -> None:
        """The table of samples."""
        lines = [COLUMNS, *(tuple(row.get(one, "") for one in COLUMNS) for row in rows)]
        self.write("samples.tsv", "".join("\t".join(line) + "\n" for line in lines).encode())


def _germline(given: Material) -> None:
    subject = make_subject("subject-1", given.sites, given.seed)
    given.truth("S1", subject)
    given.table([given.sample("S1", "single", given.reads(subject, "S1", DEPTH))])


def _panel(given: Material) -> None:
    subject = make_subject("subject-1", given.sites, given.seed)
    bed = targets(given.genome)
    given.write("targets.bed", bed)
    pairs = given.reads(subject, "S1", PANEL_DEPTH)
    given.truth("S1", subject)
    given.table([given.sample("S1", "single", _captured(pairs, bed, given.seed))])


def _captured(pairs: Iterable[Pair], bed: bytes, seed: int) -> tuple[Pair, ...]:
    """Those that a probe would catch: by where they begin, give or take the indels before it."""
    source = Random(f"{seed}/captured")
    regions: dict[str, list[tuple[int, int]]] = {}
    for line in bed.decode().splitlines():
        contig, start, end, _ = line.split("\t")
        regions.setdefault(contig, []).append((int(start), int(end)))
    return tuple(
        pair
        for pair in pairs
        if source.randrange(OFF_TARGET_EVERY) == 0
        or any(
            pair.origin.start < end and pair.origin.start + pair.origin.size > start
            for start, end in regions[pair.origin.contig]
        )
    )


def _somatic(given: Material) -> None:
    normal = make_subject("subject-1", given.sites, given.seed)
    tumour = with_low_fraction(normal, given.sites, given.seed, LOW_VARIANTS, LOW_INDELS)
    rows = []
    for name, subject, depth in (("T1", tumour, TUMOUR_DEPTH), ("N1", normal, DEPTH)):
        given.truth(name, subject)
        role = "tumour" if name == "T1" else "normal"
        rows.append(given.sample(name, role, given.reads(subject, name, depth)))
    given.table(rows)


def _trio(given: Material) -> None:
    mother = make_subject("mother", given.sites, given.seed)
    father = make_subject("father", given.sites, given.seed, MALE)
    child = make_child("child", mother, father, given.seed, MALE)
    child = with_new(child, given.sites, given.seed, NEW_VARIANTS)
    rows = []
    for name, role, subject in (
        ("K1", "proband", child), ("M1", "mother", mother), ("F1", "father", father),
    ):  # fmt: skip
        given.truth(name, subject)
        rows.append(given.sample(name, role, given.reads(subject, name, DEPTH)))
    given.table(rows)


def _rnaseq(given: Material) -> None:
    transcripts = transcripts_of(given.genome, given.seed)
    given.write("genes.gtf", gtf(transcripts))
    fragments = expressed(transcripts, given.seed, "R1")
    lines = [f"{one.name}\t{one.gene}\t{fragments[one.name]}" for one in transcripts]
    head = "transcript\tgene\tfragments"
    given.write("truth/R1.fragments.tsv", ("\n".join([head, *lines]) + "\n").encode())
    pairs = rna_pairs(given.genome, transcripts, fragments, f"{given.seed}/R1")
    given.table([given.sample("R1", "single", pairs)])


def _vcf(given: Material) -> None:
    rows = []
    contigs = {one.name: one.bases for one in given.genome.contigs}
    for name in ("V1", "V2"):
        subject = make_subject(name, given.sites, given.seed)
        given.truth(name, subject)
        other = tuple(
            replace(one, site=_otherwise(one.site, contigs[one.site.contig]))
            for one in subject.variants
        )
        spelled = replace(subject, variants=other)
        given.write(f"{name}.vcf", vcf(given.genome, spelled, name))
        rows.append({"sample": name, "read_set": f"{name}.V", "variants": f"{name}.vcf"})
    given.table(rows)


def _otherwise(site: Site, bases: str) -> Site:
    """An indel as far right as it goes and with a base too many, as other callers spell it."""
    if site.kind == "snv":
        return site
    place, longer = site.position, max(site.reference, site.alternate, key=len)[1:]
    behind = place + (len(longer) if site.kind == "deletion" else 0)
    while bases[behind] == longer[0]:
        longer = longer[1:] + longer[0]
        place, behind = place + 1, behind + 1
    anchor, after = bases[place - 1], bases[behind]
    short, long = anchor + after, anchor + longer + after
    changed = (long, short) if site.kind == "deletion" else (short, long)
    return replace(site, position=place, reference=changed[0], alternate=changed[1])


TRIALS: Mapping[str, Callable[[Material], None]] = {
    "germline": _germline, "panel": _panel, "somatic": _somatic, "trio": _trio,
    "rnaseq": _rnaseq, "vcf": _vcf,
}  # fmt: skip


def write_trial(folder: Path, pipeline: str, seed: int = 1) -> None:
    """Write the material of a pipeline; the same seed gives the same bytes."""
    genome = make_genome(seed, LENGTHS)
    given = Material(folder, seed, genome, sites_of(genome, seed))
    given.write("reference.fa", fasta(genome))
    TRIALS[pipeline](given)
