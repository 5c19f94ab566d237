"""A file of a sample says which run of an instrument read it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, InstrumentRunId, Name, ObjectKey, ReadSetId, SampleId


class SampleClaimed(Event):
    """Its metadata name the sample and the run, and no demultiplexing of ours made it.

    SampleClaimWithdrawn takes it back.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        discriminator=("sample_id",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set of the file")
    bucket: Bucket = Field(description="where the first such file is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
