"""A read set no longer counts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, InstrumentRunId, ReadSetId, Reason, SampleId


class ReadSetInvalidated(Event):
    """What was read stays, but nothing may be decided by it any more."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("read_set_id",)
    )

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId = Field(description="the read set")
    reason_code: Annotated[
        str, Choices("sheet amended", "relabelled", "run failed", "withdrawn")
    ] = Field(description="which kind of reason")
    reason: Reason = Field(description="what happened, in words")
    instrument_run_id: InstrumentRunId | None = Field(None, description="the run that read it")
    replaced_by_read_set_id: ReadSetId | None = Field(
        None, description="what counts in its place, where that is known"
    )
    moved_to_sample_id: SampleId | None = Field(
        None, description="the sample that it belongs to, where it was relabelled"
    )
