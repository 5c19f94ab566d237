"""A file of a sample was read whole, and these are the bytes that it holds."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Bucket,
    Bytes,
    FileRole,
    Name,
    ObjectKey,
    ReadSetId,
    SampleId,
    Sha256,
)


class ContentHeld(Event):
    """Whoever holds the same bytes stands on the same key. ContentReleased takes it back."""

    about: ClassVar[About] = About(topics=(topics.CONTENT,), key="sha256", version="1.0")

    sha256: Sha256 = Field(description="of its bytes")
    size_bytes: Bytes = Field(description="how many they are")
    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set")
    replaces_read_set_id: ReadSetId | None = Field(
        None, description="the read set elsewhere whose files these are, moved by a person"
    )
    role: FileRole = Field(description="what it is to its read set")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
