"""A file that somebody began to send is not waited for any more."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, ObjectKey, Reason, SampleId


class UploadAbandoned(Event):
    """Its parts are gone from the store; one that became whole ended with FileLanded."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("upload_id",),
        discriminator=("upload_id",),
    )

    sample_id: SampleId = Field(description="whose file it would have been")
    upload_id: UUID = Field(description="what the upload is called")
    bucket: Bucket = Field(description="where it would have been")
    object_key: ObjectKey = Field(description="its key there")
    reason: Reason = Field(description="why, for people")
