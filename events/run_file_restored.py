"""A file that a run takes can be read again."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, CaseId, Name, ObjectKey, RunId, SampleId


class RunFileRestored(Event):
    """The store has restored it from its archive; a run that waits for no other looks at once."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id"),
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    sample_id: SampleId = Field(description="the member whose file it is")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
