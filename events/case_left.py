"""A case of a sample was closed without results."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Choices, Reason, SampleId


class CaseLeft(Event):
    """The sample is no member of this case any more: what it asked for is not owed.

    CaseJoined is what it takes back; what was said of the sample stays.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("case_id",)
    )

    sample_id: SampleId = Field(description="the sample")
    case_id: CaseId = Field(description="the case that was closed")
    outcome: Annotated[str, Choices("cancelled", "withdrawn")] = Field(
        description="cancelled or withdrawn"
    )
    reason: Reason = Field(description="in words, as the case was closed")
