"""A virus scanner has been through a file and found nothing."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Bytes, Count, Name, ObjectKey


class FileCleared(OnSubject):
    """It may be read. FileQuarantined is the negative twin, and wins over it."""

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        identity=(
            "subject_topic", "subject_key", "bucket", "object_key", "version_id", "scanner",
        ),
        discriminator=("bucket", "object_key", "version_id", "scanner"),
    )  # fmt: skip

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    scanner: Name = Field(description="who scanned it")
    scanner_version: str = Field("", max_length=200, description="its release and signatures")
    size_bytes: Bytes | None = Field(None, description="how many bytes it was given, if it is ours")
    streams: Count | None = Field(None, description="in how many pieces that overlap")
