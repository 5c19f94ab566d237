"""No file of a sample that counts says any more that this run read it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import InstrumentRunId, ReadSetId, SampleId


class SampleClaimWithdrawn(Event):
    """Its read set was invalidated: whether the sheet holds the sample is no question any more."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        discriminator=("sample_id",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId = Field(description="the last read set that said so")
