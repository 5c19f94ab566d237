"""A member whose reads are good, with the files that a run will take."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.types import ITEMS_MAX, CaseRole, Ordinal, Part, SampleId, Sex, SubjectRef


class ReadyMember(Part):
    """A member with the files that a run takes, by version and checksum."""

    sample_id: SampleId = Field(description="the sample")
    role: CaseRole = Field(description="its role in the case")
    subject_ref: SubjectRef = Field(description="whose sample it is: opaque")
    declared_sex: Sex = Field(description="what the order says")
    round: Ordinal = Field(description="the round of QC that let it through")
    files: tuple[ReadSetFile, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="every file of its read sets"
    )
