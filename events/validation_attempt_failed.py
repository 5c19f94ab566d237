"""A file could not be read to its end this time."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Bucket,
    Choices,
    Name,
    ObjectKey,
    Ordinal,
    ReadSetId,
    Reason,
    SampleId,
)

ARCHIVED = "archived"  # it is tried again once the file is restored, whenever that is


class ValidationAttemptFailed(Event):
    """The store or the engine failed, not the file; a deadline is set and it is tried again."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("attempt",)
    )

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    attempt: Ordinal = Field(description="1 is the first")
    attempts_max: Ordinal = Field(description="after so many a person is asked")
    reason_code: Annotated[
        str,
        Choices("store unavailable", "engine failed", "out of memory", "out of time", ARCHIVED),
    ] = Field(description="which kind of failure")
    reason: Reason = Field(description="what is known")
