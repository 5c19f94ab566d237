"""One sample, one run, one order: the facts of quality control that tests put together."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.contig import Contig
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_violations import FileViolations
from genoflow.events.measured import Measured
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.threshold import Threshold
from genoflow.events.validated import Validated

SAMPLE = "S1"
RUN = "RUN1"
GENOME_BASES = 1_000
COVERAGE = Threshold(metric="mean_coverage", unit="x", required_min=30.0)
Q30 = Threshold(metric="q30_fraction", unit="fraction", required_min=0.8, warn_min=0.9)
UNDETERMINED = Measured(
    metric="undetermined_fraction", value=0.7, unit="fraction", required_max=0.5, verdict="fail"
)


def sha(word: str) -> str:
    """A digest that is this word's own."""
    return hashlib.sha256(word.encode()).hexdigest()


def registered(read_set: str = "A", *, of_sample: int = 1, **fields: Any) -> ReadSetRegistered:
    """A read set of two files; of a run where one is named."""
    known: dict[str, Any] = {
        "sample_id": SAMPLE, "read_set_id": read_set, "material": "FASTQ",
        "expected_files": (ExpectedFile(role="R1", lane=1), ExpectedFile(role="R2", lane=1)),
        "read_sets_of_sample": of_sample,
    }  # fmt: skip
    return ReadSetRegistered(**known | fields)


def place(read_set: str, role: str, version: str = "1") -> dict[str, Any]:
    """Where a file is."""
    return {
        "bucket": "raw", "object_key": f"{read_set}/{role}.fastq.gz", "version_id": version,
        "size_bytes": 1_000,
    }  # fmt: skip


def validated(
    read_set: str = "A", role: str = "R1", version: str = "1", **fields: Any
) -> Validated:
    """A file of 100 reads of 150 bases, in the same order as its mate."""
    known: dict[str, Any] = {
        "sample_id": SAMPLE, "read_set_id": read_set, "role": role, "lane": 1,
        **place(read_set, role, version), "md5": "0" * 32,
        "sha256": sha(f"{read_set}{role}{version}"),
        "format": "FASTQ", "compression": "bgzf", "reads": 100, "bases": 15_000,
        "read_names_sha256": sha(f"names {read_set}"),
        "metrics": FileMetrics(q30_fraction=0.9, n_fraction=0.0, gc_fraction=0.5),
        "engine": "tests", "engine_version": "1",
    }  # fmt: skip
    return Validated(**known | fields)


def both(read_set: str = "A", **fields: Any) -> tuple[Validated, Validated]:
    """The two files of a read set."""
    return validated(read_set, "R1", **fields), validated(read_set, "R2", **fields)


def rejected(read_set: str = "A", role: str = "R1", version: str = "1") -> FileRejected:
    """A file that is cut off."""
    return FileRejected(
        sample_id=SAMPLE, read_set_id=read_set, role=role, **place(read_set, role, version),
        reason_code="truncated", reason="it ends early", engine="tests", engine_version="1",
    )  # fmt: skip


def invalidated(read_set: str = "A") -> ReadSetInvalidated:
    """A read set that does not count any more."""
    return ReadSetInvalidated(
        sample_id=SAMPLE, read_set_id=read_set, reason_code="withdrawn", reason="it was spilt"
    )


def left(case_id: str = "C1") -> CaseLeft:
    """The order is cancelled."""
    return CaseLeft(sample_id=SAMPLE, case_id=case_id, outcome="cancelled", reason="ordered twice")


def joined(case_id: str = "C1", **fields: Any) -> CaseJoined:
    """An order for the whole genome."""
    known: dict[str, Any] = {
        "sample_id": SAMPLE, "case_id": case_id, "case_kind": "single", "role": "single",
        "subject_ref": "P1", "declared_sex": "unknown", "assay": "wgs", "material": "FASTQ",
        "reference": "GRCh38", "priority": "routine",
    }  # fmt: skip
    return CaseJoined(**known | fields)


def run_passed(sample_id: str | None = SAMPLE, number: int = 1) -> SequencingRunQcPassed:
    """The run was good enough."""
    measured = (Measured(metric="reads_total", value=1_000.0, unit="reads", verdict="pass"),)
    return SequencingRunQcPassed(
        instrument_run_id=RUN, sample_id=sample_id, round=number, profile="runs",
        profile_version="1", measured=measured,
    )  # fmt: skip


def run_failed(sample_id: str | None = SAMPLE, number: int = 1) -> SequencingRunQcFailed:
    """The run was not."""
    return SequencingRunQcFailed(
        instrument_run_id=RUN, sample_id=sample_id, round=number, profile="runs",
        profile_version="1", reason="most of it belongs to nobody", measured=(UNDETERMINED,),
    )  # fmt: skip


def overridden(number: int) -> QcOverridden:
    """A person lets a round go on."""
    return QcOverridden(
        sample_id=SAMPLE, round=number, overridden_event_id=UUID(int=number),
        request_id=f"q{number}", role="director", reason="it is enough for this question",
        failed_metrics=("any",),
    )  # fmt: skip


def handed_on(*files: Validated) -> tuple[ReadSetFile, ...]:
    """The files as a request names them."""
    return tuple(
        ReadSetFile(**{name: getattr(one, name) for name in ReadSetFile.model_fields})
        for one in files
    )


def violations(one: Validated) -> FileViolations:
    """A file and its violations, as a request names them."""
    named = {name: getattr(one, name) for name in FileViolations.model_fields}
    return FileViolations(**named)


def requested(number: int = 1, *files: Validated, **fields: Any) -> QcRequested:
    """The question about these files."""
    some = handed_on(*(files or both()))
    known: dict[str, Any] = {
        "sample_id": SAMPLE, "round": number, "assay": "wgs", "material": "FASTQ",
        "profile": "wgs-30x", "profile_version": "1", "profile_sha256": "0" * 64,
        "thresholds": (COVERAGE, Q30), "reference": "GRCh38", "reference_version": "1",
        "genome_bases": GENOME_BASES, "files": some,
        "read_set_ids": tuple(dict.fromkeys(one.read_set_id for one in some)),
    }  # fmt: skip
    return QcRequested(**known | fields)


def failed(number: int = 1, **fields: Any) -> QcFailed:
    """Reads that are not enough."""
    known: dict[str, Any] = {
        "sample_id": SAMPLE, "round": number, "reason_code": "below threshold",
        "reason": "too few", "reads_missing": 50,
        "measured": (
            Measured(
                metric="mean_coverage", value=15.0, unit="x", required_min=30.0, verdict="fail"
            ),
        ),
    }  # fmt: skip
    return QcFailed(**known | fields)


def profile(version: str = "1", **fields: Any) -> QcProfilePublished:
    """A profile of reads of the whole genome."""
    known: dict[str, Any] = {
        "document_id": "wgs-30x", "version": version, "title": "Whole genome", "assays": ("wgs",),
        "run_thresholds": (), "reads_thresholds": (COVERAGE, Q30), "results_thresholds": (),
        "top_ups_max": 2, "content_sha256": "0" * 64,
    }  # fmt: skip
    return QcProfilePublished(**known | fields)


def reference(name: str = "GRCh38", version: str = "1") -> ReferencePublished:
    """A small build."""
    file = ReferenceFile(kind="fasta", uri="s3://references/g.fa", size_bytes=1, sha256="0" * 64)
    return ReferencePublished(
        document_id=name, version=version, title="A build", genome_bases=GENOME_BASES,
        contigs=(Contig(name="1", length_bases=GENOME_BASES, md5="0" * 32),), files=(file,),
    )  # fmt: skip


def target_set(name: str = "exome", build: str = "GRCh38") -> TargetSetPublished:
    """Some regions of it."""
    return TargetSetPublished(
        document_id=name, version="1", title="Some regions", reference=build,
        reference_version="1", uri="s3://references/t.bed", sha256="0" * 64, regions=2,
        target_bases=100,
    )  # fmt: skip


def demultiplexed(attempt: int = 1, **fields: Any) -> DemultiplexCompleted:
    """A run of two samples, one of them without reads."""
    known: dict[str, Any] = {
        "instrument_run_id": RUN, "attempt": attempt, "sheet_revision": attempt,
        "tool": "tests", "tool_version": "1", "flow_cell_id": "F1",
        "libraries": (
            DemultiplexedLibrary(
                lane=1, sample_id=SAMPLE, library_id="L1", read_set_id="A", reads=900,
                bases=90_000, q30_fraction=0.9,
            ),
            DemultiplexedLibrary(lane=1, sample_id="S2", library_id="L2", reads=0),
        ),
        "expected_roles": ("R1", "R2"), "reads_total": 1_000, "reads_undetermined": 100,
        "undetermined_fraction": 0.1,
    }  # fmt: skip
    return DemultiplexCompleted(**known | fields)
