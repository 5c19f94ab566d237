"""A file that had landed lies in another tier of the object store."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Name, ObjectKey


class FileTierChanged(OnSubject):
    """A rule of the bucket moved it; its bytes are the same, and some tiers must be waited for.

    It stands on each subject that the file had landed for. Whoever reports it, it is the same fact.
    """

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        identity=(
            "subject_topic", "subject_key", "bucket", "object_key", "version_id", "storage_class",
        ),
        discriminator=("bucket", "object_key", "version_id", "storage_class"),
        terminal=True,
    )  # fmt: skip

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    storage_class: Name = Field(description="its tier now, as the store calls it")
