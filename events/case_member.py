"""One sample of an order, in its role."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import CaseRole, Part, SampleId, Sex, SubjectRef


class CaseMember(Part):
    """One sample of a case, and what was declared of it."""

    sample_id: SampleId = Field(description="the sample")
    role: CaseRole = Field(description="single, tumour, normal, proband, mother, father or sibling")
    subject_ref: SubjectRef = Field(description="whose sample it is: opaque")
    declared_sex: Sex = Field(
        "unknown", description="what the order says; results are compared with it"
    )
    affected: bool | None = Field(
        None, description="whether the subject shows what the case is about"
    )
