"""A pipeline run for real on generated material, and what it found beside what was planted."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pysam
from pysam import bcftools

from genoflow.deploy.generate.trials import write_trial
from genoflow.deploy.pipelines import PIPELINES, Shipped, locate
from genoflow.deploy.run_pipeline import nextflow
from genoflow.deploy.settings import read_settings
from genoflow.processors.running.engine import Plan
from genoflow.processors.running.manifest import Tasks
from genoflow.processors.running.nextflow import Nextflow

SNV_MIN, INDEL_MIN = 0.98, 0.90  # of what was planted, and of what was said
CASE = "C1"
NUMBERS = itertools.count(1)  # Nextflow has no two runs of a name in one folder
Place = tuple[str, int, str, str]
Keep = Callable[[pysam.VariantRecord], bool]


def every(_: pysam.VariantRecord) -> bool:
    """All variants."""
    return True


def variants_of(path: Path, fasta: Path, sample: str, keep: Keep = every) -> set[Place]:
    """What a sample has, each alternate by itself and spelled as everybody spells it."""
    spelled = fasta.parent / f"{path.name}.{sample}.bcf"  # among the results it would be one
    bcftools.norm(
        "-f", str(fasta), "-m", "-any", "-Ob", "-o", str(spelled), str(path), catch_stdout=False
    )
    with pysam.VariantFile(str(spelled)) as records:
        return {
            (one.chrom, one.pos, one.ref or "", other)
            for one in records
            if keep(one) and any(one.samples[sample]["GT"] or ())
            for other in one.alts or ()
        }


def is_snv(place: Place) -> bool:
    """Whether it changes one base."""
    return len(place[2]) == len(place[3]) == 1


@dataclass(frozen=True)
class Score:
    """True and false positives beside what was planted."""

    planted: set[Place]
    found: set[Place]

    @property
    def recall(self) -> float:
        """Of what was planted, what was found."""
        return len(self.found & self.planted) / len(self.planted)

    @property
    def precision(self) -> float:
        """Of what was found, what was planted."""
        return len(self.found & self.planted) / len(self.found) if self.found else 0.0

    def only(self, which: Callable[[Place], bool]) -> Score:
        """The same of some variants alone."""
        return Score({p for p in self.planted if which(p)}, {p for p in self.found if which(p)})

    def holds(self, planted_min: int = 10) -> None:
        """Single bases and indels are found as well as is asked for, and both were planted."""
        for which, least in ((is_snv, SNV_MIN), (lambda p: not is_snv(p), INDEL_MIN)):
            part = self.only(which)
            assert len(part.planted) >= planted_min, "too few to say anything"
            missed, wrong = part.planted - part.found, part.found - part.planted
            assert part.recall >= least, (part.recall, missed)
            assert part.precision >= least, (part.precision, wrong)


@dataclass(frozen=True)
class Trial:
    """The folder in which a pipeline ran."""

    folder: Path
    tasks: Tasks

    @property
    def fasta(self) -> Path:
        """The reference."""
        return self.folder / "reference.fa"

    @property
    def results(self) -> Path:
        """What the pipeline left."""
        return self.folder / "results"

    def planted(self, sample: str, keep: Keep = every) -> set[Place]:
        """What a sample was given."""
        return variants_of(self.folder / f"truth/{sample}.vcf", self.fasta, sample, keep)

    def found(self, sample: str, keep: Keep = every) -> set[Place]:
        """What the pipeline says of a sample."""
        path = self.results / f"vcf/_case/{CASE}.vcf.gz"
        return variants_of(path, self.fasta, sample, keep)

    def marked(self, mark: str) -> set[Place]:
        """What the pipeline marks, whoever has it."""
        with pysam.VariantFile(str(self.results / f"vcf/_case/{CASE}.vcf.gz")) as records:
            return {
                (one.chrom, one.pos, one.ref or "", other)
                for one in records
                if mark in one.info
                for other in one.alts or ()
            }

    def measured(self, metric: str) -> dict[str | None, Any]:
        """What was measured of whom: a word where one was found, else a value."""
        rows = json.loads((self.results / "measurements.json").read_text())
        return {
            row.get("measured_on"): row.get("found", row["value"])
            for row in rows
            if row["metric"] == metric
        }

    def left(self) -> set[str]:
        """The files of the results."""
        found = self.results.rglob("*")
        return {str(path.relative_to(self.results)) for path in found if path.is_file()}


ENDINGS = {
    "bai": "bam.bai", "coverage": "coverage.json", "qc": "stats.txt", "stats": "stats.txt",
    "vcf": "vcf.gz", "tbi": "vcf.gz.tbi", "report": "html", "targets": "targets.tsv",
    "genes": "genes.tsv", "transcripts": "transcripts.tsv",
}  # fmt: skip


def owed_of(about: Shipped, *samples: str) -> set[str]:
    """The files that a pipeline owes of these samples and of the case, and what it measured."""
    whose = [(kind, sample, sample) for kind in about.per_sample for sample in samples]
    whose += [(kind, "_case", CASE) for kind in about.per_case]
    return {
        "measurements.json",
        *(f"{kind}/{folder}/{stem}.{ENDINGS.get(kind, kind)}" for kind, folder, stem in whose),
    }


def assert_stub_leaves_all(pipeline: str, trial: Trial, *samples: str) -> None:
    """Without a step that computes, every file is left that is owed."""
    stub = again(pipeline, trial.folder, "-stub-run")
    assert stub.left() == owed_of(PIPELINES[pipeline], *samples)
    assert stub.tasks.failed == stub.tasks.cached == 0


def engine(*options: str) -> Nextflow:
    """Nextflow as runs have it, with these options besides."""
    return replace(nextflow(read_settings()), options=options)


def tried(pipeline: str, folder: Path, *options: str, **parameters: Any) -> Trial:
    """Write the material of a pipeline and run it there, by its profile `test`."""
    work = folder / pipeline
    write_trial(work, pipeline)
    return again(pipeline, work, *options, **parameters)


def again(pipeline: str, folder: Path, *options: str, **parameters: Any) -> Trial:
    """Run a pipeline where its material lies."""
    code = locate(f"package:nextflow/{pipeline}")
    assert code is not None
    shutil.rmtree(folder / "results", ignore_errors=True)
    given = {"python": sys.executable, "case_id": CASE, **parameters}
    plan = Plan(code, given, folder, f"gf-trial-{next(NUMBERS)}")
    return Trial(folder, engine("-profile", "test", *options).run(plan))
