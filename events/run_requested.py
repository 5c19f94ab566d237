"""A pipeline run was asked for, with all that it needs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.archived_file import ArchivedFile
from genoflow.events.event import About, Event
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.input_finding import InputFinding
from genoflow.events.ready_member import ReadyMember
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.threshold import Threshold
from genoflow.events.types import (
    ITEMS_MAX,
    MEMBERS_MAX,
    METRICS_MAX,
    Bucket,
    CaseId,
    CaseKind,
    DocumentId,
    LongText,
    Name,
    ObjectKey,
    Ordinal,
    Priority,
    ProjectId,
    RunId,
    Sha256,
    Uri,
    Utc,
    Version,
)


class RunRequested(Event):
    """Pipeline, parameters, reference and files stand here by version and checksum."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.3")

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    case_revision: Ordinal = Field(description="the revision of the case")
    kind: CaseKind = Field(description="single, tumour-normal or trio")
    assay: Name = Field(description="what was ordered")
    members: tuple[ReadyMember, ...] = Field(
        min_length=1, max_length=MEMBERS_MAX, description="with their files"
    )
    pipeline: DocumentId = Field(description="the pipeline")
    pipeline_version: Version = Field(description="its version")
    pipeline_uri: Uri = Field(description="where its code is")
    pipeline_sha256: Sha256 = Field(description="of its code")
    parameters_json: LongText = Field(description="canonical JSON of every parameter")
    parameters_sha256: Sha256 = Field(description="of that text")
    reference: DocumentId = Field(description="the reference build")
    reference_version: Version = Field(description="its version")
    reference_files: tuple[ReferenceFile, ...] = Field(
        min_length=1, max_length=100, description="the files of the bundle"
    )
    target_set: DocumentId | None = Field(None, description="the regions; none for a whole genome")
    target_set_version: Version | None = Field(None, description="their version")
    target_set_uri: Uri | None = Field(None, description="their BED")
    target_set_sha256: Sha256 | None = Field(None, description="of that BED")
    profile: DocumentId = Field(description="the QC profile for results")
    profile_version: Version = Field(description="its version")
    thresholds: tuple[Threshold, ...] = Field(
        max_length=METRICS_MAX, description="what it requires of results"
    )
    expected_outputs: tuple[ExpectedOutput, ...] = Field(
        min_length=1, max_length=1_000, description="what the run owes"
    )
    launcher: Name = Field(description="where it runs, such as local or batch")
    bucket: Bucket = Field(description="where results go")
    output_prefix: ObjectKey = Field(description="under which they go")
    attempts_max: Ordinal = Field(description="how many submissions it may take")
    priority: Priority = Field(description="urgent, routine or low")
    due_at: Utc | None = Field(None, description="when results are owed")
    supersedes_run_id: RunId | None = Field(None, description="the run that it replaces")
    archived: tuple[ArchivedFile, ...] = Field(
        (), max_length=ITEMS_MAX, description="its files that must be restored before it begins"
    )
    configuration: DocumentId | None = Field(
        None, description="that the order named; its parameters are among those above"
    )
    configuration_version: Version | None = Field(None, description="its version")
    findings: tuple[InputFinding, ...] = Field(
        (),
        max_length=1_000,
        description="of files and documents held against each other; one may refuse the run",
    )
    project_id: ProjectId | None = Field(None, description="the project that the order names")
