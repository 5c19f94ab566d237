"""From a case that is ready to collected results: real workers, a real store, real Nextflow."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pysam
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.generate.simulation import Wish, Written, simulate
from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event, begin
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from genoflow.processors.running.engine import code_sha256
from tests.e2e.workers import settings_of, succeeds, until, working
from tests.examples import somebody, someone

ROWS = ("request-run", "submit-run", "collect-results")
REFERENCE = "simulated"
DEPTH = 30.0
FOUND_FRACTION_MIN = 0.97  # of the planted variants; some lie where chance left few reads
PROFILE = {
    "kind": "qc-profile", "document_id": "wgs-small", "version": "1", "title": "Small genomes",
    "assays": ["wgs"], "run_thresholds": [], "reads_thresholds": [], "top_ups_max": 2,
    "results_thresholds": [{"metric": "mean_coverage", "unit": "x", "required_min": 20}],
}  # fmt: skip


def sha256_of(content: bytes) -> str:
    """The checksum by which everything is named."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Lab:
    """A deployment with a reference, reads and a pipeline."""

    settings: Settings
    client: Any
    written: Written

    def reference(self) -> dict[str, object]:
        """The generated genome, put into the store."""
        fasta = (self.written.run_folders[0].parent.parent / "reference/simulated.fa").read_bytes()
        bucket = self.settings.raw_bucket
        self.client.put_object(Bucket=bucket, Key="references/simulated.fa", Body=fasta)
        genome = self.written.cast.genome
        contigs = [
            {"name": one.name, "length_bases": len(one.bases), "md5": "0" * 32}
            for one in genome.contigs
        ]
        return {
            "kind": "reference", "document_id": REFERENCE, "version": "1", "title": "Simulated",
            "genome_bases": genome.length, "contigs": contigs,
            "files": [
                {"kind": "fasta", "uri": f"s3://{bucket}/references/simulated.fa",
                 "size_bytes": len(fasta), "sha256": sha256_of(fasta)}
            ],
        }  # fmt: skip

    def member(self, letter: str, role: str) -> ReadyMember:
        """A sample of the cast, its reads put into the store."""
        files = []
        for path in sorted(self.written.fastq):
            if not path.name.startswith(f"SIM-{letter}_"):
                continue
            content, bucket = path.read_bytes(), self.settings.raw_bucket
            answer = self.client.put_object(Bucket=bucket, Key=f"reads/{path.name}", Body=content)
            read_set, read = path.name.split(".")[0].split("_")[1:3]
            files.append(
                ReadSetFile(
                    read_set_id=f"SIM-{letter}.{read_set}", role=read, bucket=bucket,
                    object_key=f"reads/{path.name}", sha256=sha256_of(content),
                    version_id=answer.get("VersionId", "null"), size_bytes=len(content),
                )
            )  # fmt: skip
        return ReadyMember(
            sample_id=f"SIM-{letter}", role=role, subject_ref="P1", declared_sex="unknown",
            round=1, files=tuple(files),
        )  # fmt: skip

    def ready(self, case_id: str, kind: str, **members: str) -> None:
        """Say that a case is ready, as await-members does."""
        fact = CaseReady(
            case_id=case_id, revision=1, kind=kind, assay="wgs", material="FASTQ",
            members=tuple(self.member(letter, role) for letter, role in members.items()),
            reference=REFERENCE, priority="routine",
        )  # fmt: skip
        said = begin(fact, occurred_at=datetime.now(UTC), actor=somebody(), by=someone())

        async def append() -> None:
            async with open_log(self.settings) as log:
                await log.append(said)

        asyncio.run(append())

    def everything(self) -> list[Any]:
        """Every event about runs."""

        async def read() -> list[Event]:
            async with open_log(self.settings) as log:
                return [record.event async for record in log.read_topic(topics.RUN.name)]

        return asyncio.run(read())

    def of_run(self, run_id: UUID) -> list[Any]:
        """Every event about a run."""
        return [one for one in self.everything() if one.run_id == run_id]

    def said(self, kind: str, case_id: str) -> list[Any]:
        """Every event of a type about the runs of a case."""
        every = self.everything()
        runs = {one.run_id for one in every if getattr(one, "case_id", None) == case_id}
        return [one for one in every if one.type() == kind and one.run_id in runs]

    def ended(self, case_id: str) -> Any:
        """How the run of a case ended, once it has."""
        return next(
            (e for kind in ("RunSucceeded", "RunFailed") for e in self.said(kind, case_id)), None
        )


@pytest.fixture
def lab(stack: Addresses, suffix: str, tmp_path: Path) -> Iterator[Lab]:
    """A deployment of this test's own."""
    settings = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", results_bucket=f"results-{suffix}",
    )  # fmt: skip
    succeeds(settings, "topics", "apply")
    asyncio.run(ensure_jars(settings.cache, NEXTFLOW_JARS, lambda _: None))
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    yield Lab(settings, client, simulate(tmp_path / "sim", Wish(depth=DEPTH, fastq=True)))
    client.close()


def published(lab: Lab, **changes: Any) -> None:
    """Publish the reference, a profile and the pipeline."""
    pipeline = json.loads(succeeds(lab.settings, "catalog", "germline")) | changes
    documents = [lab.reference(), PROFILE, pipeline]
    succeeds(lab.settings, "catalog", "publish", "-", said=json.dumps(documents))


def places(path: Path) -> set[tuple[str, int, bool]]:
    """Where the variants of a file are."""
    with pysam.VariantFile(str(path)) as variants:
        return {(one.chrom, one.pos, "SOMATIC" in one.info) for one in variants}


def variants_of(lab: Lab, collected: Any, folder: Path) -> set[tuple[str, int, bool]]:
    """Where the variants of a run are, by the very file that was collected."""
    for one in collected.files:
        if one.kind in ("vcf", "tbi"):
            answer = lab.client.get_object(Bucket=one.bucket, Key=one.object_key)
            with answer["Body"] as body:
                content = body.read()
            assert (len(content), sha256_of(content)) == (one.size_bytes, one.sha256)
            (folder / Path(one.object_key).name).write_bytes(content)
    return places(next(folder.glob("*.vcf.gz")))


def truth(lab: Lab, letter: str) -> set[tuple[str, int]]:
    """Where variants were planted."""
    path = lab.written.run_folders[0].parent.parent / "truth" / f"SIM-{letter}.vcf"
    with pysam.VariantFile(str(path)) as variants:
        return {(one.chrom, one.pos) for one in variants}


def measured(collected: Any, metric: str) -> dict[str | None, Any]:
    """What a run measured of whom: a word where one was found, else a value; nothing is judged."""
    found = [one for one in collected.measurements if one.metric == metric]
    assert {one.verdict for one in found} <= {"not judged"}
    return {one.measured_on: one.found or one.value for one in found}


def assert_measured(lab: Lab) -> None:
    """Sex, foreign reads and who is who, of one subject and of two whose samples were swapped."""
    [single], [pair], [mixed] = (
        lab.said("ResultsCollected", case_id) for case_id in ("CASE-A", "CASE-DE", "CASE-AE")
    )
    assert measured(single, "sex") == {"SIM-A": "female"}
    assert measured(pair, "sex") == {"SIM-D": "male", "SIM-E": "male"}
    assert measured(mixed, "sex") == {"SIM-A": "female", "SIM-E": "male"}
    for one, samples in ((single, "A"), (pair, "DE"), (mixed, "AE")):
        foreign = measured(one, "contamination")
        assert [*foreign] == [f"SIM-{letter}" for letter in samples]
        assert max(foreign.values()) < 0.02
        assert 1.2 < measured(one, "ti_tv")[None] < 3.6
    assert measured(single, "relatedness") == {}
    assert measured(pair, "relatedness") == {"SIM-D/SIM-E": "same"}
    assert measured(mixed, "relatedness") == {"SIM-A/SIM-E": "unrelated"}
    assert measured(pair, "concordance")["SIM-D/SIM-E"] > 0.95
    assert measured(mixed, "concordance")["SIM-A/SIM-E"] < 0.5


def test_cases_that_are_ready_are_run_and_what_was_planted_is_found(
    lab: Lab, tmp_path: Path
) -> None:
    published(lab)
    lab.ready("CASE-A", "single", A="single")
    jobs = lab.settings.home / "jobs"
    with working(lab.settings, tmp_path / "killed.log", "--once", *ROWS) as worker:
        until(lambda: [*jobs.glob("*/begun")], "the job has begun")
        worker.kill()
        worker.wait()
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        done = until(lambda: lab.ended("CASE-A"), "the run has ended")
        assert done.type() == "RunSucceeded", done.payload()
        assert len([*jobs.iterdir()]) == 1, "the job outlived its worker, and was found again"
        lab.ready("CASE-DE", "tumour-normal", D="tumour", E="normal")
        pair = until(lambda: lab.ended("CASE-DE"), "the other run has ended")
        assert pair.type() == "RunSucceeded", pair.payload()
        lab.ready("CASE-AE", "tumour-normal", A="tumour", E="normal")
        mixed = until(lambda: lab.ended("CASE-AE"), "the run of two people has ended")
        assert mixed.type() == "RunSucceeded", mixed.payload()
    for case_id in ("CASE-A", "CASE-DE"):
        order = ("RunRequested", "RunSubmitted", "RunExited", "ResultsCollected", "RunSucceeded")
        assert [len(lab.said(kind, case_id)) for kind in order] == [1] * len(order)
    [submitted], [exited] = lab.said("RunSubmitted", "CASE-A"), lab.said("RunExited", "CASE-A")
    assert submitted.job_id == exited.job_id == done.job_id
    assert submitted.job_id in {job.name for job in jobs.iterdir()}
    assert (exited.exit_code, done.tasks_completed, done.outputs) == (0, 6, 6)
    assert pair.outputs == 2 * 3 + 3
    tasks = [one for one in lab.of_run(done.run_id) if one.type() == "TaskCompleted"]
    assert sorted((one.process, one.sample_id) for one in tasks) == [
        ("ALIGN", "SIM-A"), ("CALL", None), ("COVERAGE", "SIM-A"), ("INDEX", None),
        ("REPORT", None), ("SORT", "SIM-A"),
    ]  # fmt: skip
    stories = {one.envelope.correlation_id for one in (*tasks, done)}
    assert len(stories) == 1, "news of tasks belong to the story of their run"
    [single] = lab.said("ResultsCollected", "CASE-A")
    assert 0.8 * DEPTH < measured(single, "mean_coverage")["SIM-A"] < 1.2 * DEPTH
    assert_measured(lab)
    (tmp_path / "a").mkdir()
    (tmp_path / "de").mkdir()
    found = {(name, place) for name, place, _ in variants_of(lab, single, tmp_path / "a")}
    planted = truth(lab, "A")
    assert len(found & planted) >= FOUND_FRACTION_MIN * len(planted)
    assert len(found - planted) <= 0.03 * len(planted)
    [both] = lab.said("ResultsCollected", "CASE-DE")
    somatic = {(n, p) for n, p, marked in variants_of(lab, both, tmp_path / "de") if marked}
    only_tumour = truth(lab, "D") - truth(lab, "E")
    assert only_tumour
    assert len(somatic & only_tumour) >= 0.8 * len(only_tumour)
    assert len(somatic - only_tumour) <= 2
    assert succeeds(lab.settings, "parked", "list") == "nothing is parked\n"


def test_a_pipeline_that_ends_well_and_leaves_nothing_has_failed(lab: Lab, tmp_path: Path) -> None:
    idle = tmp_path / "idle"
    idle.mkdir()
    (idle / "main.nf").write_text("workflow { }\n")
    published(lab, uri=idle.as_uri(), code_sha256=code_sha256(idle))
    lab.ready("CASE-A", "single", A="single")
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        failed = until(lambda: lab.ended("CASE-A"), "the run has ended")
    assert (failed.type(), failed.reason_code) == ("RunFailed", "manifest incomplete")
    assert "ended well and left 0 files as bam of SIM-A" in failed.reason
    assert lab.said("ResultsCollected", "CASE-A") == []
    shutil.rmtree(idle)
