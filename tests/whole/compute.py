"""Compute that costs nothing: what tools and pipelines leave, as a function of what they are told.

The rows are the real ones; replaced is only what reads bytes, by an engine that knows the cohort.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.event import Event
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.processors.demultiplexing.manifest import Completed, Manifest, Request
from genoflow.processors.demultiplexing.names import object_key, read_set_id
from genoflow.processors.intake import landing
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import ByteAttempt, Deployment, JobOrder, Progress
from genoflow.processors.processor import Bytes, Processor
from genoflow.processors.running.manifest import Listed, RunManifest, Submission, Tasks
from genoflow.processors.running.names import attempt_prefix, manifest_key
from genoflow.processors.validate_files import Read, verdict
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.port import Expected, Measured, Report
from genoflow.processors.validation.reads.rules import TRUNCATED
from tests import qc_facts, run_facts
from tests.fakes import FakeCatalog, FakeStore
from tests.qc_facts import sha
from tests.whole.cohort import ASSAY, Cohort, Fate, Sample

CALLED = 150  # bases of a read
ENOUGH_READS, FEW_READS = 400, 40  # the build has 1,000 bases and 30 x are wanted: 60x and 6x
CUT = b"cut"  # how the bytes begin of a file that ends early
WHOLE = b"whole"
ROLES = ("R1", "R2")
DEPLOYMENT = Deployment()


def catalog() -> FakeCatalog:
    """What is published: one profile, one build, one pipeline for every kind of case."""
    limits = (qc_facts.COVERAGE,)
    profile = qc_facts.profile(reads_thresholds=limits)
    pipeline = run_facts.pipeline(case_kinds=("single", "tumour-normal", "trio"), assays=(ASSAY,))
    of_runs: QcProfilePublished | None = None
    documents = [profile, qc_facts.reference(), pipeline, of_runs]
    return FakeCatalog(*(one for one in documents if one is not None))


# -- programs that a launcher runs


class Programs:
    """What `demultiplex` and `run_pipeline` would leave in the store."""

    def __init__(self, cohort: Cohort, store: FakeStore) -> None:
        self._samples = {one.name: one for one in cohort.samples}
        self._bad = {run.name for run in cohort.runs if run.is_bad}
        self._store = store

    def __call__(self, order: JobOrder) -> JobOutcome:
        """Do what the order says, and tell it as the program would."""
        if order.program[-1].endswith("demultiplex"):
            return self._demultiplex(Request.model_validate_json(order.document))
        leave_results(self._store, Submission.model_validate_json(order.document))
        return JobOutcome(exit_code=0)

    def _demultiplex(self, request: Request) -> JobOutcome:
        asked = request.requested
        libraries = []
        for row in asked.rows:
            sample = self._samples[row.sample_id]
            reads = _reads(sample)
            named = read_set_id(row.library_id, asked.flow_cell_id, row.lane, asked.attempt)
            if reads:
                for role in ROLES:
                    key = object_key(asked.output_prefix, named, role)
                    self._put_reads(asked.output_bucket, key, sample, named, role)
            libraries.append(
                DemultiplexedLibrary(
                    lane=row.lane, sample_id=row.sample_id, library_id=row.library_id,
                    read_set_id=named if reads else None, reads=reads,
                )
            )  # fmt: skip
        told = sum(one.reads for one in libraries)
        total = told * 10 if asked.instrument_run_id in self._bad else told
        completed = Completed(
            tool="tests", tool_version="1", libraries=tuple(libraries), expected_roles=ROLES,
            # Nobody's reads are only counted: a bad run is one that belongs to nobody.
            reads_total=total, reads_undetermined=0,
            undetermined_fraction=(total - told) / total if total else 0.0,
        )  # fmt: skip
        return JobOutcome(exit_code=0, output=Manifest(completed=completed).model_dump_json())

    def _put_reads(self, bucket: str, key: str, sample: Sample, named: str, role: str) -> None:
        is_cut = sample.fate is Fate.CUT and role == "R1"
        self._store.keep(bucket, key, CUT if is_cut else WHOLE, metadata_of(sample, named, role))


def leave_results(store: FakeStore, submission: Submission) -> None:
    """Put what a run owes, and its manifest."""
    asked = submission.requested
    prefix = attempt_prefix(asked.output_prefix, submission.attempt)
    files = []
    for owed in asked.expected_outputs:
        of = [one.sample_id for one in asked.members] if owed.per == "sample" else [None]
        for sample in of:
            key = f"{prefix}/{sample or asked.case_id}.{owed.kind}"
            body = f"{owed.kind} of {sample or asked.case_id}".encode()
            digest = hashlib.sha256(body).hexdigest()
            store.keep(asked.bucket, key, body, {landing.SHA256: digest})
            files.append(
                Listed(
                    kind=owed.kind, sample_id=sample, object_key=key, size_bytes=len(body),
                    sha256=digest, content_type=owed.content_type,
                )
            )  # fmt: skip
    manifest = RunManifest(
        run_id=asked.run_id, attempt=submission.attempt, job_id=submission.job_id,
        engine="tests", engine_version="1", files=tuple(files), tasks=Tasks(completed=3),
    )  # fmt: skip
    key = manifest_key(asked.output_prefix, submission.attempt)
    store.keep(asked.bucket, key, manifest.model_dump_json().encode(), {})


def _reads(sample: Sample) -> int:
    return {Fate.EMPTY: 0, Fate.LOW: FEW_READS}.get(sample.fate, ENOUGH_READS)


def metadata_of(sample: Sample, read_set: str, role: str) -> Mapping[str, str]:
    """What a file of reads says of itself."""
    return {
        landing.SAMPLE: sample.name, landing.READ_SET: read_set, landing.ROLE: role,
        landing.LANE: "1",
    }  # fmt: skip


# -- files of reads


class Engine:
    """Tells of each file what the cohort says of its sample."""

    name = "tests"
    version = "1"

    def __init__(self, samples: Mapping[str, Sample]) -> None:
        self._samples = samples

    def validate(self, pieces: Iterable[bytes], expected: Expected) -> Report:
        """The verdict on a file: cut ones say so themselves."""
        body = b"".join(pieces)
        assert expected.sample_id is not None
        sample, findings = self._samples[expected.sample_id], Findings()
        if body.startswith(CUT):
            findings.add(TRUNCATED, "it ends early")
            return Report("bgzf", len(body), "", "", findings, "FASTQ")
        reads = _reads(sample)
        measured = Measured(
            format="FASTQ", reads=reads, bases=reads * CALLED,
            read_names_sha256=sha(f"names {sample.name}"),
            metrics=FileMetrics(q30_fraction=0.9, n_fraction=0.0, gc_fraction=0.5),
        )  # fmt: skip
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        whole = hashlib.sha256(f"{sample.name} {expected.role}".encode()).hexdigest()
        return Report("bgzf", len(body), md5, whole, findings, "FASTQ", measured)


class Bodies:
    """ByteStore without a store: the bytes of a file follow from its name and version."""

    def __init__(self, samples: Mapping[str, Sample]) -> None:
        self._samples = samples

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        """The bytes in one piece."""
        sample = self._samples.get(key.rpartition("/")[0].rpartition("/")[2].partition("_")[0])
        is_first = version_id == "v1" and key.rpartition("/")[2].startswith("R1")
        yield CUT if sample and sample.fate is Fate.CUT and is_first else WHOLE

    def span(
        self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
    ) -> bytes:
        """A part of them."""
        return b"".join(self.chunks(bucket, key, version_id, end, etag))[start:end]


class InPlace:
    """Effects on bytes, done where the worker runs."""

    def __init__(self, cohort: Cohort) -> None:
        self._store = Bodies({one.name: one for one in cohort.samples})

    async def perform(
        self, processor: str, effect: OpenEffect, kind: Bytes, number: int, progress: Progress
    ) -> Sequence[Event]:
        """Do one effect."""
        attempt = ByteAttempt(effect.effect_id, number, self._store, progress)
        return kind.perform(kind.arguments(**effect.arguments), attempt)


def computing(rows: Iterable[Processor], cohort: Cohort) -> tuple[Processor, ...]:
    """The rows of the flow, with an engine that reads files of this cohort."""
    engine = Engine({one.name: one for one in cohort.samples})

    def read(arguments: Any, attempt: ByteAttempt) -> Sequence[Event]:
        return [verdict(arguments, attempt, engine)]

    return tuple(
        replace(
            row,
            effects=tuple(
                replace(kind, perform=read)
                if isinstance(kind, Bytes) and kind.arguments is Read
                else kind
                for kind in row.effects
            ),
        )
        for row in rows
    )


def is_refused_once(body: str) -> bool:
    """Whether a receiver does not take this hook the first time."""
    return zlib.crc32(body.partition('"subject":')[2].encode()) % 10 == 0
