"""A file that lies in an archive can be read for a while."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Name, ObjectKey, Utc


class FileRestored(OnSubject):
    """The store has made a copy of its bytes that can be read, whoever had asked for it.

    It stands on each subject that the file had landed for. Whoever reports it, it is the same fact.
    """

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        identity=(
            "subject_topic", "subject_key", "bucket", "object_key", "version_id", "restored_until",
        ),
        discriminator=("bucket", "object_key", "version_id", "restored_until"),
    )  # fmt: skip

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    storage_class: Name = Field(description="where its lasting bytes lie, such as GLACIER")
    restored_until: Utc | None = Field(
        None, description="when the copy goes; none where it stays, as in Intelligent-Tiering"
    )
