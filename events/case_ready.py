"""Every member of a case is ready."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.ready_member import ReadyMember
from genoflow.events.types import (
    MEMBERS_MAX,
    CaseId,
    CaseKind,
    DocumentId,
    Material,
    Name,
    Ordinal,
    Priority,
    ProjectId,
    RunId,
    Utc,
)


class CaseReady(Event):
    """A run can be asked for; after a top-up the case is ready again, with the next revision."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.1", discriminator=("revision",)
    )

    case_id: CaseId = Field(description="the case")
    revision: Ordinal = Field(description="1, and one more each time that a member is ready anew")
    kind: CaseKind = Field(description="single, tumour-normal or trio")
    assay: Name = Field(description="what was ordered")
    material: Material = Field(description="what the files hold")
    members: tuple[ReadyMember, ...] = Field(
        min_length=1, max_length=MEMBERS_MAX, description="with their files"
    )
    reference: DocumentId = Field(description="the reference build")
    target_set: DocumentId | None = Field(None, description="the regions; none for a whole genome")
    qc_profile: DocumentId | None = Field(None, description="where the order names one")
    pipeline: DocumentId | None = Field(None, description="where the order names one")
    project_id: ProjectId | None = Field(None, description="the project")
    priority: Priority = Field(description="urgent, routine or low")
    due_at: Utc | None = Field(None, description="when results are owed")
    supersedes_run_id: RunId | None = Field(None, description="the run of the revision before")
    run_id: RunId | None = Field(
        None, description="the run that it asks for, where the order named it; else made of its id"
    )
    configuration: DocumentId | None = Field(
        None, description="whose parameters go over the pipeline's own"
    )
