"""A deployment on which cases are run: a reference, reads and a pipeline in a real store."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.generate.simulation import Wish, Written, simulate
from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event, begin
from genoflow.events.pipeline_activated import PipelineActivated
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from tests.e2e.workers import settings_of, succeeds
from tests.examples import somebody, someone

ROWS = ("request-run", "submit-run", "collect-results")
REFERENCE = "simulated"
DEPTH = 30.0
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

    def regions(self, name: str, bed: bytes) -> dict[str, object]:
        """A target set of the reference with these bytes, put into the store."""
        bucket = self.settings.raw_bucket
        self.client.put_object(Bucket=bucket, Key=f"targets/{name}.bed", Body=bed)
        return {
            "kind": "target-set", "document_id": name, "version": "1", "title": name,
            "reference": REFERENCE, "reference_version": "1",
            "uri": f"s3://{bucket}/targets/{name}.bed", "sha256": sha256_of(bed), "regions": 1,
            "target_bases": 100,
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

    def ready(
        self, case_id: str, kind: str, named: Mapping[str, str] | None = None, **members: str
    ) -> None:
        """Say that a case is ready, as await-members does; `named` is what its order names."""
        fact = CaseReady(
            case_id=case_id, revision=1, kind=kind, assay="wgs", material="FASTQ",
            members=tuple(self.member(letter, role) for letter, role in members.items()),
            priority="routine", **{"reference": REFERENCE, **(named or {})},
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


@contextmanager
def opened(
    stack: Addresses, suffix: str, folder: Path, depth: float = DEPTH, **changes: Any
) -> Iterator[Lab]:
    """A deployment of one test's own, with reads of this depth."""
    settings = settings_of(
        stack, suffix, folder / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", results_bucket=f"results-{suffix}", **changes,
    )  # fmt: skip
    succeeds(settings, "topics", "apply")
    asyncio.run(ensure_jars(settings.cache, NEXTFLOW_JARS, lambda _: None))
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    yield Lab(settings, client, simulate(folder / "sim", Wish(depth=depth, fastq=True)))
    client.close()


def published(lab: Lab, **changes: Any) -> None:
    """Publish the reference, a profile and the pipeline, which is active whatever its code does."""
    pipeline = json.loads(succeeds(lab.settings, "catalog", "germline")) | changes
    documents = [lab.reference(), PROFILE, pipeline]
    succeeds(lab.settings, "catalog", "publish", "-", said=json.dumps(documents))
    if "uri" in changes:  # other code than that of the package begins as a draft
        asyncio.run(_activated(lab.settings, pipeline["code_sha256"]))


async def _activated(settings: Settings, code_sha256: str) -> None:
    at = datetime.now(UTC)
    facts = (
        PipelineValidated(
            document_id="germline", version="1", code_sha256=code_sha256, profile="test",
            engine="nextflow", engine_version="24.10.0", evidence="run",
            tested_at=at, duration_seconds=1.0, outputs=("vcf",),
        ),
        PipelineActivated(document_id="germline", version="1", tested_at=at),
    )  # fmt: skip
    async with open_log(settings) as log:
        for fact in facts:
            said = begin(fact, occurred_at=datetime.now(UTC), actor=somebody(), by=someone())
            await log.append(said)
