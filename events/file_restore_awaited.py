"""A file lies in an archive, and its restore was asked for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, Name, ObjectKey, Ordinal, ReadSetId, SampleId, Utc


class FileRestoreAwaited(Event):
    """It is read once the store has restored it; until then nothing is wrong with it."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("look",)
    )

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    storage_class: Name = Field(description="of the archive, such as GLACIER or DEEP_ARCHIVE")
    look: Ordinal = Field(description="1 is the first, which asked unless somebody had asked")
    expected_by: Utc = Field(description="when it is looked at again")
