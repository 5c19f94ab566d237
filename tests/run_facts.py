"""One case, one run: the facts that tests of running put together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from genoflow.events.case_ready import CaseReady
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.measured import Measured
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.result_file import ResultFile
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_superseded import RunSuperseded
from genoflow.processors.running.names import output_prefix

CASE = "C1"
RUN_ID = UUID(int=7)
EARLIER_ID = UUID(int=6)
LATER_ID = UUID(int=8)
OUTPUTS = (
    ExpectedOutput(kind="bam", per="sample", content_type="application/octet-stream"),
    ExpectedOutput(kind="vcf", per="case", content_type="text/x-vcf"),
)


def member(sample_id: str = "S1", role: str = "single") -> ReadyMember:
    """A member with a pair of files."""
    return ReadyMember(
        sample_id=sample_id, role=role, subject_ref="P1", declared_sex="unknown", round=1,
        files=tuple(
            ReadSetFile(
                read_set_id=f"{sample_id}.A", role=read, bucket="raw",
                object_key=f"{sample_id}/{read}.fastq.gz", version_id="1", size_bytes=10,
                sha256="0" * 64,
            )
            for read in ("R1", "R2")
        ),
    )  # fmt: skip


def ready(revision: int = 1, **fields: Any) -> CaseReady:
    """A case of one sample."""
    known: dict[str, Any] = {
        "case_id": CASE, "revision": revision, "kind": "single", "assay": "wgs",
        "material": "FASTQ", "members": (member(),), "reference": "GRCh38",
        "priority": "routine",
    }  # fmt: skip
    return CaseReady(**known | fields)


def pipeline(version: str = "1", **fields: Any) -> PipelinePublished:
    """A pipeline for single samples."""
    known: dict[str, Any] = {
        "document_id": "germline", "version": version, "title": "Germline", "engine": "nextflow",
        "uri": "package:nextflow/germline", "code_sha256": "1" * 64, "case_kinds": ("single",),
        "materials": ("FASTQ",), "assays": ("wgs",), "parameters_schema_json": "{}",
        "parameters_schema_sha256": "2" * 64, "parameters_json": '{"ploidy":2}',
        "parameters_sha256": "3" * 64, "expected_outputs": OUTPUTS,
    }  # fmt: skip
    return PipelinePublished(**known | fields)


def requested(**fields: Any) -> RunRequested:
    """A run of that case."""
    run_id = fields.get("run_id", RUN_ID)
    file = ReferenceFile(kind="fasta", uri="s3://references/g.fa", size_bytes=1, sha256="0" * 64)
    known: dict[str, Any] = {
        "run_id": run_id, "case_id": CASE, "case_revision": 1, "kind": "single", "assay": "wgs",
        "members": (member(),), "pipeline": "germline", "pipeline_version": "1",
        "pipeline_uri": "package:nextflow/germline", "pipeline_sha256": "1" * 64,
        "parameters_json": '{"ploidy":2}', "parameters_sha256": "3" * 64, "reference": "GRCh38",
        "reference_version": "1", "reference_files": (file,), "profile": "wgs-30x",
        "profile_version": "1", "thresholds": (), "expected_outputs": OUTPUTS,
        "launcher": "local", "bucket": "genoflow-results",
        "output_prefix": output_prefix(CASE, run_id), "attempts_max": 1, "priority": "routine",
    }  # fmt: skip
    return RunRequested(**known | fields)


def result(kind: str = "vcf", sample_id: str | None = None, sha256: str = "4" * 64) -> ResultFile:
    """A file that a run left."""
    return ResultFile(
        kind=kind, sample_id=sample_id, bucket="genoflow-results", object_key=f"{CASE}/{kind}",
        version_id="v1", size_bytes=8, sha256=sha256, content_type="text/x-vcf",
    )  # fmt: skip


def collected(*measurements: Measured, **fields: Any) -> ResultsCollected:
    """What that run left."""
    known: dict[str, Any] = {
        "run_id": RUN_ID, "case_id": CASE, "attempt": 1, "bucket": "genoflow-results",
        "manifest_key": "manifest.json", "manifest_sha256": "5" * 64, "files": (result(),),
        "measurements": measurements,
    }  # fmt: skip
    return ResultsCollected(**known | fields)


def cancelled() -> RunCancelled:
    """Nobody wants it any more."""
    return RunCancelled(run_id=RUN_ID, case_id=CASE, request_id="q1", reason="not wanted")


def superseded(run_id: UUID = RUN_ID, by: UUID = LATER_ID, **fields: Any) -> RunSuperseded:
    """A later run counts."""
    known = {"reason_code": "top-up", "reason": "more reads"}
    return RunSuperseded(run_id=run_id, case_id=CASE, superseded_by_run_id=by, **known | fields)


def published(**fields: Any) -> ResultsPublished:
    """Its answer."""
    known: dict[str, Any] = {
        "run_id": RUN_ID, "case_id": CASE, "case_revision": 1, "sample_ids": ("S1",),
        "pipeline": "germline", "pipeline_version": "1", "reference": "GRCh38",
        "files": (result(),), "manifest_sha256": "5" * 64,
    }  # fmt: skip
    return ResultsPublished(**known | fields)
