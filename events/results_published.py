"""A case has results."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.result_file import ResultFile
from genoflow.events.types import (
    MEMBERS_MAX,
    ROWS_MAX,
    CaseId,
    DocumentId,
    Name,
    Ordinal,
    ProjectId,
    Reason,
    RequestId,
    RunId,
    SampleId,
    Sha256,
    Version,
)


class ResultsPublished(Event):
    """The files listed here are the answer to the order; who released a hold, the envelope says."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case")
    case_revision: Ordinal = Field(description="the revision of the case")
    project_id: ProjectId | None = Field(None, description="the project")
    sample_ids: tuple[SampleId, ...] = Field(
        min_length=1, max_length=MEMBERS_MAX, description="the members"
    )
    pipeline: DocumentId = Field(description="the pipeline")
    pipeline_version: Version = Field(description="its version")
    reference: DocumentId = Field(description="the reference build")
    files: tuple[ResultFile, ...] = Field(
        min_length=1, max_length=ROWS_MAX, description="with checksums"
    )
    manifest_sha256: Sha256 = Field(description="of the output manifest")
    held_event_id: UUID | None = Field(
        None, description="the ResultsHeld that a person released; none where all checks passed"
    )
    request_id: RequestId | None = Field(
        None, description="of that release: repeated, it is the same one"
    )
    role: Name | None = Field(None, description="in which role the person released it")
    reason: Reason | None = Field(None, description="why it is safe")
    supersedes_run_id: RunId | None = Field(None, description="the run whose results these replace")
