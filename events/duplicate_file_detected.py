"""Two files hold the very same bytes, and both count."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Bucket,
    Bytes,
    Choices,
    FileRole,
    Name,
    ObjectKey,
    ReadSetId,
    SampleId,
    Sha256,
)

SAME_SAMPLE, ANOTHER_SAMPLE = "same sample", "another sample"


class DuplicateFileDetected(Event):
    """Within a sample it is a note. Of two samples one is not what its label says: each is told."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id", "other_object_key"),
    )

    sample_id: SampleId = Field(description="the sample that is told")
    read_set_id: ReadSetId | None = Field(None, description="the read set of its file")
    role: FileRole = Field(description="what its file is to its read set")
    bucket: Bucket = Field(description="where its file is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    sha256: Sha256 = Field(description="of the bytes of both")
    size_bytes: Bytes = Field(description="how many they are")
    manner: Annotated[str, Choices(SAME_SAMPLE, ANOTHER_SAMPLE)] = Field(
        description="whose the other file is"
    )
    is_first: bool = Field(description="whether this one was heard of before the other")
    other_sample_id: SampleId = Field(description="the sample of the other file")
    other_read_set_id: ReadSetId | None = Field(None, description="its read set")
    other_bucket: Bucket = Field(description="where the other file is")
    other_object_key: ObjectKey = Field(description="its key there")
    other_version_id: Name = Field(description="its version")
