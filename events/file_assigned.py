"""A file that belonged to nobody has a sample."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.file_landed import unassigned_key
from genoflow.events.types import (
    Bucket,
    FileRole,
    Lane,
    Name,
    ObjectKey,
    ReadSetId,
    Reason,
    RequestId,
    SampleId,
)


class FileAssigned(Event):
    """A person or a porch says whose file it is; it lands once more, on its sample's key."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="object_key",
        version="1.0",
        identity=("bucket", "object_key", "version_id", "request_id"),
    )

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set, where it exists")
    role: FileRole = Field(description="what it is to the read set")
    lane: Lane | None = Field(None, description="the lane that it comes from")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    reason: Reason = Field(description="how this is known")

    @property
    def key(self) -> str:
        """Where the file waited: its own place among the unassigned."""
        return unassigned_key(self.bucket, self.object_key)
