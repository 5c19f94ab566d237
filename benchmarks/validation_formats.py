"""One pass over SAM, BAM, CRAM and VCF: hashes and validation beside programs that only count.

As for FASTQ each contestant is a process over the same file, of 150 MB as BAM or VCF.gz; CRAM of
the same reads is smaller, and SAM larger. samtools and bcftools are those that pysam brings where
no other is installed.

    samtools stats       counts all that ours counts, and more; no hash, no rules
    samtools quickcheck  looks at the beginning and the end
    bcftools stats       the counts of sites; `--samples -`: those of genotypes, as ours
    pysam                a loop over all records, as a script would have it
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import alignments_material, variants_material
from benchmarks.contest import (
    CPU_SECONDS,
    MEBIBYTES,
    SECONDS,
    Comparison,
    Contestant,
    Row,
    compete,
    row_of,
)
from benchmarks.material import Material
from benchmarks.validation import MEMORY, MEMORY_MEBIBYTES_MAX, RUN, TWO, timed
from genoflow.events.log.kafka import KafkaLog

# A thousand of `--only` are 150 MB of each as they are stored.
PAIRS_PER_EVENT = 680
RECORDS_PER_EVENT = 3_000
OURS, STATS, QUICKCHECK, LOOP = "every rule", "samtools stats", "samtools quickcheck", "pysam"
SITES, GENOTYPES = "bcftools stats", "bcftools stats --samples -"
FORMATS = {  # with the anchors of each
    "SAM": (STATS,),
    "BAM": (STATS, QUICKCHECK, LOOP),
    "CRAM": (STATS, QUICKCHECK, LOOP),
    "VCF": (SITES, GENOTYPES, LOOP),
}
TARGETS = {STATS: 1.2, SITES: 1.5}  # of CPU time
BROUGHT = "as pysam brings it"

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class File:
    """A file with what runs over it: ours, and each anchor by its name."""

    form: str
    path: Path
    ours: Command
    anchors: Mapping[str, Command]


def tool(name: str, *arguments: str) -> Command:
    """A command of samtools or bcftools: the one that is installed, or pysam's."""
    if shutil.which(name) is not None:
        return (name, *arguments)
    return (sys.executable, "-m", "benchmarks.foreign", name, *arguments)


def files(folder: Path, events: int) -> Iterator[File]:
    """All four, written one after the other."""
    aligned = alignments_material.write(folder, events * PAIRS_PER_EVENT)
    loop = (sys.executable, "-m", "benchmarks.foreign", "pysam")
    for form, path in (("SAM", aligned.sam), ("BAM", aligned.bam), ("CRAM", aligned.cram)):
        given = (str(aligned.fasta),) if form == "CRAM" else ()
        options = ("--reference", *given) if given else ()
        anchors = {STATS: tool("samtools", "stats", *options, str(path))}
        if form != "SAM":
            anchors[QUICKCHECK] = tool("samtools", "quickcheck", str(path))
            anchors[LOOP] = (*loop, str(path), *given)
        yield File(form, path, (*RUN, "whole", str(path), *given), anchors)
        path.unlink()
    path = variants_material.write(folder, events * RECORDS_PER_EVENT)
    anchors = {
        SITES: tool("bcftools", "stats", str(path)),
        GENOTYPES: tool("bcftools", "stats", "--samples", "-", str(path)),
        LOOP: (*loop, str(path)),
    }
    yield File("VCF", path, (*RUN, "whole", str(path)), anchors)


def comparisons(form: str) -> Iterator[Comparison]:
    """The rows of one file."""
    for name in FORMATS[form]:
        note = BROUGHT if name.startswith("samtools") and not shutil.which("samtools") else ""
        yield Comparison(form, OURS, name, CPU_SECONDS, TARGETS.get(name), note)
    yield Comparison(form, OURS, FORMATS[form][0], SECONDS, None, "clock")
    yield Comparison(form, OURS, MEMORY, MEBIBYTES, 1.0, "peak")
    if form == "BAM":
        note = "clock; 1.0 is two cores of their own"
        yield Comparison(form, TWO, OURS, SECONDS, None, note)


async def measure(_: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Each file in turn, every contestant over it."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="genoflow-formats-") as folder:
        every = files(Path(folder), len(material.events))
        while (file := await asyncio.to_thread(next, every, None)) is not None:
            print(f"  {file.form}: {file.path.stat().st_size / 1e6:.0f} MB", flush=True)
            best = await compete([*_contestants(file)], rounds, warm=False)
            best[MEMORY] = {MEBIBYTES: MEMORY_MEBIBYTES_MAX}
            rows += [row_of(comparison, best) for comparison in comparisons(file.form)]
    return rows


def _contestants(file: File) -> Iterator[Contestant]:
    def one(name: str, *runs: Command) -> Contestant:
        return Contestant(name, lambda: timed(*runs, at_once=True))

    yield one(OURS, file.ours)
    if file.form == "BAM":
        yield one(TWO, file.ours, file.ours)
    for name, command in file.anchors.items():
        yield one(name, command)
