"""One member of a case has good reads."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.types import ITEMS_MAX, CaseId, CaseRole, Choices, Ordinal, SampleId


class CaseMemberReady(Event):
    """The member's files can be taken by a run; the case waits for the others by name."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", discriminator=("sample_id", "round")
    )

    case_id: CaseId = Field(description="the case")
    sample_id: SampleId = Field(description="the member")
    role: CaseRole = Field(description="its role in the case")
    round: Ordinal = Field(description="the round of QC that let it through")
    verdict: Annotated[str, Choices("passed", "overridden")] = Field(
        description="passed or overridden"
    )
    verdict_event_id: UUID = Field(description="the QcPassed or QcOverridden")
    files: tuple[ReadSetFile, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="every file of its read sets"
    )
