"""What comes by courier from another lab: reads, an alignment to our reference, or variants.

The same seed gives the same files with the same releases of the aligner and of htslib.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genoflow.deploy.generate.cast import Cast
from genoflow.deploy.generate.fastq import fastq_files
from genoflow.deploy.generate.faults import FAULTS, ReadsFault
from genoflow.deploy.generate.genome import Contig, Genome, fasta
from genoflow.deploy.generate.libraries import Library, Run
from genoflow.deploy.generate.packing import bgzf
from genoflow.deploy.generate.variants import Subject, vcf
from genoflow.deploy.pipelines import program
from genoflow.events.errors import Refused

MATERIALS = ("FASTQ", "BAM", "CRAM", "VCF")
CAME_FIRST = "damaged"  # below it what came short, before the same was sent again whole
STEP_SECONDS_MAX = 300  # 1,000x of 50 kb, the most that can be asked for, take 25 s
SHOWN_CHARACTERS_MAX = 1_000
CUT_SHARE = 0.6  # of a file that broke off on its way
SAMTOOLS = (
    "import sys, pysam; getattr(pysam.samtools, sys.argv[1])(*sys.argv[2:], catch_stdout=False)"
)


def write_courier(folder: Path, cast: Cast, material: str, packing: str) -> tuple[Path, ...]:
    """What comes from elsewhere, and below `damaged` the file that came short at first."""
    written: list[Path] = []
    for library in cast.by_courier.libraries:
        if material == "FASTQ":
            written += _write_fastq(folder, cast, library, packing)
            continue
        sample = library.sample_id
        if material == "VCF":
            files = variants(folder, cast.genome, cast.subjects[sample], sample)
        else:
            files = alignment(folder, cast.genome, cast.by_courier, library, material)
        whole = files[0].read_bytes()
        _write(folder / CAME_FIRST / files[0].name, whole[: int(CUT_SHARE * len(whole))])
        written += files
    return tuple(written)


def _write_fastq(folder: Path, cast: Cast, library: Library, packing: str) -> list[Path]:
    faults = {one.sample_id: one.fault for one in cast.members if one.by_courier and one.fault}
    whole = fastq_files(cast.by_courier, library, packing)
    fault = FAULTS[faults[library.sample_id]]
    assert isinstance(fault, ReadsFault)
    written = []
    for file, first in zip(whole, fault.apply(whole), strict=True):
        written.append(_write(folder / file.name, file.content))
        if first != file:
            _write(folder / CAME_FIRST / first.name, first.content)
    return written


def alignment(
    folder: Path, genome: Genome, run: Run, library: Library, material: str
) -> tuple[Path, Path]:
    """A library aligned and sorted, as BAM or CRAM, with its index; Refused without an aligner."""
    if find_spec("pybwa") is None:
        raise Refused(
            f"{material}: needs pybwa, which aligns; install genoflow[run], or ask for FASTQ or VCF"
        )
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and most of what is simulated does without

    path = folder / f"{library.sample_id}.{material.lower()}"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        work = Path(name)
        _write(work / "reference.fa", fasta(genome))
        _python(work, str(program("index")), "reference.fa", "index")
        reads = [_write(work / one.name, one.content) for one in fastq_files(run, library, "gzip")]
        words = ("index", library.sample_id, library.library_id, "one.bam", "5")
        _python(work, str(program("align")), *words, *(one.name for one in reads))
        # No command line in its header (--no-PG): it would name a folder that is gone.
        _python(work, "-c", SAMTOOLS, "sort", "--no-PG", "-o", "sorted.bam", "one.bam")
        with pysam.AlignmentFile(str(work / "sorted.bam"), "rb") as given:
            _copy(given, work / "told.bam", genome)
        if material == "CRAM":
            # The reference by its checksums: where it is named, its place stands in the header.
            for one in genome.contigs:
                _write(work / _md5(one), one.bases.encode())
            _python(work, "-c", SAMTOOLS, "view", "--no-PG", "-C", "-o", "told.cram", "told.bam")
        shutil.copyfile(work / f"told.{material.lower()}", path)
        pysam.samtools.index(str(path), catch_stdout=False)
    return path, Path(f"{path}.{'bai' if material == 'BAM' else 'crai'}")


def _python(folder: Path, *words: str) -> None:
    """Python apart: what bwa and htslib say is not for who generates."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={"REF_PATH": f"{folder}/%s"}, check=False,
        capture_output=True, text=True, timeout=STEP_SECONDS_MAX,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr[-SHOWN_CHARACTERS_MAX:]
        raise Refused(f"{' '.join(words)}: failed; mend what it says: {said}")


def _copy(given: Any, path: Path, genome: Genome) -> None:
    """With a header that says of which build it is, and which bases that has."""
    import pysam  # noqa: PLC0415 -- see above

    sequences = [_sequence(one, genome) for one in genome.contigs]
    header = {**given.header.to_dict(), "SQ": sequences}
    with pysam.AlignmentFile(str(path), "wb", header=header) as target:
        for record in given:
            target.write(record)


def _md5(contig: Contig) -> str:
    return hashlib.md5(contig.bases.encode(), usedforsecurity=False).hexdigest()


def _sequence(contig: Contig, genome: Genome) -> dict[str, object]:
    length = len(contig.bases)
    return {"SN": contig.name, "LN": length, "AS": genome.name, "M5": _md5(contig)}


def variants(folder: Path, genome: Genome, subject: Subject, sample: str) -> tuple[Path, Path]:
    """The truth about a sample, packed and with its index."""
    import pysam  # noqa: PLC0415 -- see above

    path = _write(folder / f"{sample}.vcf.gz", bgzf(vcf(genome, subject, sample)))
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path, Path(f"{path}.tbi")


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
