"""What the program of a run is told and what it leaves: the same words for every engine."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from genoflow.events.failure import EVIDENCE_MAX, Evidence, FailureClass
from genoflow.events.measured import Measured
from genoflow.events.run_requested import RunRequested
from genoflow.events.types import (
    METRICS_MAX,
    ROWS_MAX,
    Bytes,
    Choices,
    ContentType,
    Count,
    ExitCode,
    Name,
    ObjectKey,
    Ordinal,
    Part,
    Reason,
    SampleId,
    Seconds,
    Sha256,
    Text,
)
from genoflow.processors.decision import Arguments

EXIT_PASSES = 75  # of the program, as sysexits.h says it: something that it needs was away
FAULTS = (
    "exit code",
    "manifest missing",
    "manifest incomplete",
    "refused by the launcher",
    "out of memory",
    "out of time",
    "input missing",
    "lost",
    "inputs disagree",
    "output damaged",
)


class Submission(Arguments):
    """A run, and the one try of it that this job is."""

    requested: RunRequested
    attempt: Ordinal
    job_id: UUID
    caused_by: UUID | None = None  # the RunRequested, and its story: for what is said on the way
    correlation_id: UUID | None = None


class Listed(Part):
    """A file that was put into the store."""

    kind: Name
    sample_id: SampleId | None = None
    object_key: ObjectKey
    size_bytes: Bytes
    sha256: Sha256
    content_type: ContentType


class Fault(Part):
    """Why a run did not leave what it owed."""

    reason_code: Annotated[str, Choices(*FAULTS)]
    reason: Reason
    exit_code: ExitCode | None = None
    signal: Name | None = None
    failed_process: Name | None = None
    failed_task_id: Name | None = None
    may_pass: bool = False  # another attempt may end otherwise, though nobody has mended anything
    rule: Name | None = None  # of failures.py, where whoever found it knows which one it is
    failure_class: FailureClass | None = None  # none until it is judged by that table
    advice: Text = ""
    evidence: Evidence = Field((), max_length=EVIDENCE_MAX)


class Tasks(Part):
    """How the tasks of a run ended."""

    completed: Count = 0
    cached: Count = 0
    failed: Count = 0


class RunManifest(Part):
    """What one submission left; a fault says that it is not whole."""

    run_id: UUID
    attempt: Ordinal
    job_id: UUID
    engine: Name
    engine_version: Name
    files: tuple[Listed, ...] = Field((), max_length=ROWS_MAX)
    measurements: tuple[Measured, ...] = Field((), max_length=METRICS_MAX)
    tasks: Tasks = Tasks()
    fault: Fault | None = None
    duration_seconds: Seconds | None = None
