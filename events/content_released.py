"""A file that held these bytes does not count any more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, Name, ObjectKey, SampleId, Sha256


class ContentReleased(Event):
    """Its read set was taken back, or it is in quarantine: the same bytes may come elsewhere."""

    about: ClassVar[About] = About(
        topics=(topics.CONTENT,),
        key="sha256",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id"),
    )

    sha256: Sha256 = Field(description="of its bytes")
    sample_id: SampleId = Field(description="the sample")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
