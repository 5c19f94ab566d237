"""Runs by the thousand: what is asked for, and what an engine posts of each while it works."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import begin
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.identity import GENOFLOW
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.run_requested import RunRequested
from genoflow.processors.running.manifest import Listed, RunManifest, Submission, Tasks
from genoflow.processors.running.names import attempt_prefix, job_name, output_prefix

ENGINE, ENGINE_VERSION = "nextflow", "24.10.0"
BUCKET = "scale-results"
OUTPUT = b"what the run found"
SHA256 = hashlib.sha256(OUTPUT).hexdigest()
BY = Producer(service="scale", version="1")
STARTS_WITHIN = 0.05  # of the time of all: runs begin one after the other
ENDS_AFTER = 0.6  # of it: none ends before, so that all are at work at once
SUBMITTED, STARTED, COMPLETED = 0.0, 0.1, 0.9  # of the time of one task
NEWS_OF_A_TASK, NEWS_OF_A_RUN = 3, 2  # submitted, started, completed; begun, exited
NEVER_MS = 0


def requested(number: int) -> RunRequested:
    """A run of one sample with a pair of files, in its envelope."""
    run_id = uuid5(GENOFLOW, f"scale {number}")
    sample, case_id = f"S{number:06d}", f"C{number:06d}"
    files = tuple(
        ReadSetFile(
            read_set_id=f"{sample}.A", role=role, bucket="reads", version_id="1",
            object_key=f"{sample}/{role}.fastq.gz", size_bytes=10_000_000, sha256="0" * 64,
        )
        for role in ("R1", "R2")
    )  # fmt: skip
    member = ReadyMember(
        sample_id=sample, role="single", subject_ref=f"P{number}", declared_sex="unknown", round=1,
        files=files,
    )  # fmt: skip
    fasta = ReferenceFile(kind="fasta", uri="s3://references/g.fa", size_bytes=1, sha256="0" * 64)
    fact = RunRequested(
        run_id=run_id, case_id=case_id, case_revision=1, kind="single", assay="wgs",
        members=(member,), pipeline="germline", pipeline_version="1",
        pipeline_uri="package:nextflow/germline", pipeline_sha256="1" * 64,
        parameters_json="{}", parameters_sha256="3" * 64, reference="GRCh38",
        reference_version="1", reference_files=(fasta,), profile="wgs-30x", profile_version="1",
        thresholds=(), launcher="local", bucket=BUCKET, attempts_max=1, priority="routine",
        output_prefix=output_prefix(case_id, run_id),
        expected_outputs=(ExpectedOutput(kind="vcf", per="case", content_type="text/x-vcf"),),
    )  # fmt: skip
    actor = Actor(kind="service", id="scale")
    return begin(fact, occurred_at=datetime.now(UTC), actor=actor, by=BY)


@dataclass(frozen=True, slots=True)
class Payload:
    """What an engine posts at a time, counted in seconds from the beginning of all."""

    at: float
    event: str
    task: int = 0

    def body(self, submission: Submission, began_at: float) -> bytes:
        """As weblog sends it."""
        said: dict[str, object] = {
            "runName": job_name(submission.requested.run_id, submission.attempt),
            "runId": str(submission.job_id), "event": self.event,
        }  # fmt: skip
        if self.task:
            said |= {"trace": self._trace(submission, round((began_at + self.at) * 1_000))}
        return json.dumps(said).encode()

    def _trace(self, submission: Submission, now_ms: int) -> dict[str, object]:
        named = f"{submission.job_id} {self.task}".encode()
        digest = hashlib.sha256(named).hexdigest()
        done = self.event == "process_completed"
        begun = done or self.event == "process_started"
        return {
            "task_id": self.task, "hash": f"{digest[:2]}/{digest[2:8]}", "attempt": 1,
            "name": f"STEP_{self.task}", "process": f"STEP_{self.task}", "tag": "",
            "status": "COMPLETED" if done else "RUNNING" if begun else "SUBMITTED",
            "exit": 0 if done else 2_147_483_647, "submit": now_ms,
            "start": now_ms if begun else NEVER_MS, "complete": now_ms if done else NEVER_MS,
            "duration": 1_000, "realtime": 900, "native_id": self.task, "queue": None,
            "error_action": None,
        }  # fmt: skip


def life_of(number: int, tasks: int, seconds: float) -> Iterator[Payload]:
    """What a run posts, one task after the other; its end last."""
    source = random.Random(f"scale {number}")
    begins = seconds * STARTS_WITHIN * source.random()
    ends = seconds * (ENDS_AFTER + (1 - ENDS_AFTER) * source.random())
    yield Payload(begins, "started")
    for task in range(1, tasks + 1):
        for share, event in (
            (SUBMITTED, "process_submitted"), (STARTED, "process_started"),
            (COMPLETED, "process_completed"),
        ):  # fmt: skip
            at = begins + (ends - begins) * (task - 1 + share) / tasks
            yield Payload(at, event, task)
    yield Payload(ends, "exited")


def manifest_of(submission: Submission, tasks: int) -> bytes:
    """What the run leaves."""
    asked = submission.requested
    prefix = attempt_prefix(asked.output_prefix, submission.attempt)
    file = Listed(
        kind="vcf", object_key=f"{prefix}/called.vcf", size_bytes=len(OUTPUT), sha256=SHA256,
        content_type="text/x-vcf",
    )  # fmt: skip
    manifest = RunManifest(
        run_id=asked.run_id, attempt=submission.attempt, job_id=submission.job_id, engine=ENGINE,
        engine_version=ENGINE_VERSION, files=(file,), tasks=Tasks(completed=tasks),
    )  # fmt: skip
    return manifest.model_dump_json().encode()


def news_of(runs: int, tasks: int) -> int:
    """How many facts all of them post."""
    return runs * (NEWS_OF_A_RUN + NEWS_OF_A_TASK * tasks)


def run_ids(runs: int) -> list[UUID]:
    """The runs, in the order in which they are asked for."""
    return [uuid5(GENOFLOW, f"scale {number}") for number in range(runs)]
