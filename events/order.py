"""What an order says, whether it is proposed or placed."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.case_member import CaseMember
from genoflow.events.event import Event
from genoflow.events.types import (
    MEMBERS_MAX,
    CaseId,
    CaseKind,
    DocumentId,
    Material,
    Name,
    Priority,
    ProjectId,
    Utc,
)


class Order(Event):
    """Members, roles and what is owed."""

    case_id: CaseId = Field(description="the case")
    kind: CaseKind = Field(description="single, tumour-normal or trio")
    members: tuple[CaseMember, ...] = Field(
        min_length=1, max_length=MEMBERS_MAX, description="samples with their roles"
    )
    assay: Name = Field(description="what was ordered; it decides profile and pipeline")
    material: Material = Field("FASTQ", description="what the samples enter as")
    reference: DocumentId = Field(description="the reference build")
    target_set: DocumentId | None = Field(None, description="the regions; none for a whole genome")
    qc_profile: DocumentId | None = Field(
        None, description="where the order names one; else the assay's newest"
    )
    pipeline: DocumentId | None = Field(
        None, description="where the order names one; else the assay's newest"
    )
    project_id: ProjectId | None = Field(None, description="the project")
    priority: Priority = Field("routine", description="urgent, routine or low")
    due_at: Utc | None = Field(None, description="when results are owed")
    source: Name = Field(description="the system that ordered")
