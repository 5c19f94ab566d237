"""A sample has an order."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    CaseId,
    CaseKind,
    CaseRole,
    DocumentId,
    Material,
    Name,
    Priority,
    ProjectId,
    SampleId,
    Sex,
    SubjectRef,
    Utc,
)


class CaseJoined(Event):
    """The sample is a member of a case; what the case asks for is handed to the sample's key."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("case_id",)
    )

    sample_id: SampleId = Field(description="the sample")
    case_id: CaseId = Field(description="the case")
    case_kind: CaseKind = Field(description="single, tumour-normal or trio")
    role: CaseRole = Field(description="the sample's role in it")
    subject_ref: SubjectRef = Field(description="whose sample it is: opaque")
    declared_sex: Sex = Field(description="what the order says")
    assay: Name = Field(description="what was ordered; it decides the QC profile")
    material: Material = Field(description="what the sample enters as")
    reference: DocumentId = Field(description="the reference build")
    target_set: DocumentId | None = Field(None, description="the regions; none for a whole genome")
    qc_profile: DocumentId | None = Field(
        None, description="where the order names one; else the assay's newest"
    )
    project_id: ProjectId | None = Field(None, description="the project")
    priority: Priority = Field(description="urgent, routine or low")
    due_at: Utc | None = Field(None, description="when results are owed")
