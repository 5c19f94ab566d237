"""A file waits for the verdict of a virus scan before anybody reads it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, Bytes, Name, ObjectKey, ReadSetId, SampleId


class ScanRequested(Event):
    """It is validated once FileCleared says that nothing was found, and never before."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id"),
    )

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="how long it is")
    etag: str = Field("", max_length=200, description="by which it is known without versions")
