"""One member of a case has no good reads any more."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Choices, Ordinal, ReadSetId, Reason, SampleId


class CaseMemberWithdrawn(Event):
    """A read set that the case was told of does not count any more; the case waits for the member
    again.
    """

    about: ClassVar[About] = About(
        topics=(topics.CASE,),
        key="case_id",
        version="1.0",
        discriminator=("sample_id", "read_set_id"),
    )

    case_id: CaseId = Field(description="the case")
    sample_id: SampleId = Field(description="the member")
    read_set_id: ReadSetId = Field(description="the read set that was invalidated")
    round: Ordinal = Field(description="the round of QC that had let the member through")
    reason_code: Annotated[
        str, Choices("sheet amended", "relabelled", "run failed", "withdrawn")
    ] = Field(description="which kind of reason, as ReadSetInvalidated has it")
    reason: Reason = Field(description="what happened, in words")
