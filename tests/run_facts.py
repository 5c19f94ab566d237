"""One case, one run: the facts that tests of running put together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from genoflow.events.case_ready import CaseReady
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.run_requested import RunRequested
from genoflow.processors.running.names import output_prefix

CASE = "C1"
RUN_ID = UUID(int=7)
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
