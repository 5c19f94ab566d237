"""A file of a member of a case can be read again."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, CaseId, Name, ObjectKey, SampleId


class CaseFileRestored(Event):
    """The store has restored it from its archive, as FileRestored says on its sample."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,),
        key="case_id",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id"),
    )

    case_id: CaseId = Field(description="the case that was told of its reads")
    sample_id: SampleId = Field(description="the member")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
