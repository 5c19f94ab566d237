"""A run was given reads that do not count any more."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Choices, ReadSetId, Reason, RunId, SampleId


class RunInputsInvalidated(Event):
    """What the run makes, or made, of this read set is void, whether it was published or not."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        discriminator=("sample_id", "read_set_id"),
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    sample_id: SampleId = Field(description="the member whose reads they are")
    read_set_id: ReadSetId = Field(description="the read set that was invalidated")
    reason_code: Annotated[
        str, Choices("sheet amended", "relabelled", "run failed", "withdrawn")
    ] = Field(description="which kind of reason, as ReadSetInvalidated has it")
    reason: Reason = Field(description="what happened, in words")
